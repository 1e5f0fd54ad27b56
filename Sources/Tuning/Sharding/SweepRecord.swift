internal import Compute
internal import Foundation
internal import ModelFiles
internal import Reference

/// What a Fisher sweep shows of one sequence, as a file: inputs and output gradients of every matrix, in the order of the sweep,
/// float32 in the machine's byte order.
struct SweepRecord {
    private let rows: Int
    private let blocks: [Block]
    private let file: MappedFile

    private struct Block {
        var columns: Int
        /// In numbers.
        var offset: Int
    }

    /// The columns of each matrix that a sweep of a model shows, in order: the head's input; for each layer from the last on
    /// input and gradient of four groups; the embedding's gradient.
    private static func columns(_ configuration: ModelConfiguration) -> [Int] {
        let heads = configuration.heads * configuration.headWidth
        let keyValue = configuration.keyValueHeads * configuration.headWidth
        let layer = LayerGroup.sweepOrder.flatMap { group -> [Int] in
            switch group {
            case .down: [configuration.feedForward, configuration.width]
            case .feedForwardInput: [configuration.width, 2 * configuration.feedForward]
            case .attentionOutput: [heads, configuration.width]
            case .attentionInput: [configuration.width, heads + 2 * keyValue]
            }
        }
        return [configuration.width] + (0..<configuration.layers).flatMap { _ in layer } + [configuration.width]
    }

    /// Opens the record of a sequence of `rows` tokens.
    init(path: String, rows: Int, configuration: ModelConfiguration) throws {
        file = try MappedFile(path: path)
        self.rows = rows
        var blocks: [Block] = []
        var offset = 0
        for columns in Self.columns(configuration) {
            blocks.append(Block(columns: columns, offset: offset))
            offset += rows * columns
        }
        self.blocks = blocks
        guard file.bytes.count == offset * MemoryLayout<Float>.stride else {
            throw TuningError(
                .badInput, place: path, "is not the record of this model and text; remove its directory and run again")
        }
    }

    /// Matrix number `index` of all sequences, stacked.
    static func matrix(_ index: Int, of records: [SweepRecord]) -> Matrix {
        let columns = records.first?.blocks[index].columns ?? 0
        var values: [Float] = []
        values.reserveCapacity(records.reduce(0) { $0 + $1.rows } * columns)
        for record in records {
            let start = record.blocks[index].offset
            record.file.bytes.withUnsafeBytes { bytes in
                values += bytes.bindMemory(to: Float.self)[start..<start + record.rows * columns]
            }
        }
        return Matrix(rows: values.count / max(1, columns), columns: columns, values: values)
    }
}

extension LayerGroup {
    /// The order in which a sweep shows a layer's groups.
    static let sweepOrder: [LayerGroup] = [.down, .feedForwardInput, .attentionOutput, .attentionInput]
}

/// Writes a record while a sweep of one sequence passes by.
struct SweepRecorder: FisherVisitor {
    private let file: OutputFile

    /// A recorder that writes to `path`; the file is there after `finish`.
    init(path: String) throws { file = try OutputFile(path: path) }

    mutating func visitHead(hidden: Matrix) throws { try append(hidden) }

    mutating func visit(layer: Int, group: LayerGroup, inputs: Matrix, outputGradients: Matrix) throws {
        try append(inputs)
        try append(outputGradients)
    }

    mutating func visitEmbedding(outputGradients: Matrix) throws { try append(outputGradients) }

    /// Gives the file its name.
    func finish() throws { try file.finish() }

    private func append(_ matrix: Matrix) throws {
        try matrix.values.withUnsafeBytes { try file.append($0) }
    }
}

/// Shows a visitor what was recorded, as the sweep over all sequences would: the same numbers in the same order.
struct SweepReplay {
    let records: [SweepRecord]
    let layers: Int

    /// Runs `visitor` through the visits for which `isWanted`: `nil` is the head and the embedding.
    func run(
        visitor: inout some FisherVisitor, isWanted: (_ place: (layer: Int, group: LayerGroup)?) -> Bool
    ) throws {
        if isWanted(nil) { try visitor.visitHead(hidden: SweepRecord.matrix(0, of: records)) }
        var next = 1
        for layer in (0..<layers).reversed() {
            for group in LayerGroup.sweepOrder {
                if isWanted((layer, group)) {
                    try visitor.visit(
                        layer: layer, group: group, inputs: SweepRecord.matrix(next, of: records),
                        outputGradients: SweepRecord.matrix(next + 1, of: records))
                }
                next += 2
            }
        }
        if isWanted(nil) { try visitor.visitEmbedding(outputGradients: SweepRecord.matrix(next, of: records)) }
    }
}
