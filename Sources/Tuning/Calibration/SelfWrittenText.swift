internal import Foundation
internal import ModelFiles
internal import Reference

/// Text that a model has written itself: from the store, from another process that shares its work, or written here.
struct SelfWrittenText {
    let model: Model
    let seed: UInt64
    let store: ScoreStore
    /// What several processes make together; nil where this one is alone.
    let shared: SharedWork?
    let progress: (_ fraction: Double, _ text: String) throws(TuningError) -> Void

    /// `count` sequences of `length` tokens.
    func sequences(count: Int, length: Int, reference: () throws -> ReferenceModel) throws -> [[Int32]] {
        let key = ScoreContext.textKey(model: model, seed: seed, length: length)
        var known: [[Int32]] = []
        while known.count < count, let sequence: [Int32] = try store.vector("sequence \(known.count)", in: key) {
            known.append(sequence)
        }
        if known.count == count { return known }
        let written =
            try shared.map { try together($0, key, count: count, length: length, reference) }
            ?? write(count: count, length: length, try reference())
        try store.put(
            Dictionary(uniqueKeysWithValues: written.enumerated().map { ("sequence \($0)", $1) }), in: key)
        return written
    }

    private func write(count: Int, length: Int, _ reference: ReferenceModel) throws -> [[Int32]] {
        try SelfWriting(model: model, reference: reference, seed: seed)
            .sequences(count: count, length: length) { fraction throws(TuningError) in
                try progress(fraction, "writing \(count) sequences")
            }
    }

    /// The sequences as one of the processes writes them to a file for all.
    private func together(
        _ shared: SharedWork, _ key: String, count: Int, length: Int, _ reference: () throws -> ReferenceModel
    ) throws -> [[Int32]] {
        let name = "\(ScoreContext.digest(of: key)).\(count).text"
        let paths = try shared.files([name], wait: { try progress(0, "waiting for another shard's text") }) { _, path in
            let file = try OutputFile(path: path)
            for sequence in try write(count: count, length: length, try reference()) {
                try sequence.withUnsafeBytes { try file.append($0) }
            }
            try file.finish()
        }
        let file = try MappedFile(path: paths[0])
        guard file.bytes.count == count * length * MemoryLayout<Int32>.stride else {
            throw TuningError(
                .badInput, place: paths[0], "is not the text that was asked for; remove its directory and run again")
        }
        let tokens = file.bytes.withUnsafeBytes { Array($0.bindMemory(to: Int32.self)) }
        return (0..<count).map { Array(tokens[$0 * length..<($0 + 1) * length]) }
    }
}
