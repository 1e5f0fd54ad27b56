import Compute
import Foundation
import ModelFiles
import Reference

/// Float32 tensors that Tests/Fixtures/scripts/make_reference_fixtures.py wrote, and their index.
struct GoldenFile {
    private struct Index: Decodable {
        struct Tensor: Decodable {
            let rows: Int
            let columns: Int
            let offset: Int
        }
        let tensors: [String: Tensor]
        let sequences: [[Int32]]?
        let labels: [[Int32]]?
        let divisors: [Float]?
    }

    let tensors: [String: Matrix]
    let sequences: [[Int32]]
    let labels: [[Int32]]
    let divisors: [Float]

    init(_ name: String) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures/reference")
        let index = try JSONDecoder().decode(
            Index.self, from: Data(contentsOf: folder.appending(path: "\(name).json")))
        let bytes = try [UInt8](Data(contentsOf: folder.appending(path: "\(name).bin")))
        tensors = index.tensors.mapValues { tensor in
            let values = (0..<tensor.rows * tensor.columns).map { cell in
                let start = tensor.offset + 4 * cell
                let pattern = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
                return Float(bitPattern: pattern)
            }
            return Matrix(rows: tensor.rows, columns: tensor.columns, values: values)
        }
        sequences = index.sequences ?? []
        labels = index.labels ?? []
        divisors = index.divisors ?? []
    }

    /// The models in make_reference_fixtures.py that have gradients; names are those of their files.
    enum Kind: String, CaseIterable {
        case tied
        case untied
        /// Tied, with a sliding window.
        case windowed

        var configuration: ModelConfiguration {
            var configuration = GoldenFile.configuration(tied: self != .untied)
            if self == .windowed { configuration.window = 5 }
            return configuration
        }
    }

    /// The shape in make_reference_fixtures.py.
    static func configuration(tied: Bool) -> ModelConfiguration {
        ModelConfiguration(
            architecture: .llama, vocabulary: 96, width: 64, feedForward: 72, layers: 2, heads: 4, keyValueHeads: 2,
            headWidth: 16, context: 128, normEpsilon: 1e-5, rotaryBase: 10000, rotaryPairing: .adjacent,
            tiedEmbedding: tied)
    }

    /// The model of these weights.
    func model(_ configuration: ModelConfiguration, pool: ThreadPool = ThreadPool(threads: 2)) throws -> ReferenceModel
    {
        try ReferenceModel(configuration: configuration, pool: pool) { try tensor($0) }
    }

    func tensor(_ name: String) throws -> Matrix {
        guard let matrix = tensors[name] else { throw Missing(name: name) }
        return matrix
    }

    struct Missing: Error {
        let name: String
    }
}

extension Matrix {
    /// The largest difference from `other`, relative to the largest value of `other`.
    func distance(from other: Matrix) -> Float {
        guard rows == other.rows, columns == other.columns else { return .infinity }
        let largest = other.values.map(abs).max() ?? 0
        return (zip(values, other.values).map { abs($0 - $1) }.max() ?? 0) / largest
    }

    static func random(rows: Int, columns: Int, scale: Float = 1, using generator: inout SeededGenerator) -> Matrix {
        Matrix(
            rows: rows, columns: columns,
            values: (0..<rows * columns).map { _ in scale * Float(2 * generator.unit() - 1) })
    }

    /// Columns `range` of every row.
    func columns(_ range: Range<Int>) -> Matrix {
        Matrix(
            rows: rows, columns: range.count,
            values: (0..<rows).flatMap { values[$0 * columns + range.lowerBound..<$0 * columns + range.upperBound] })
    }
}
