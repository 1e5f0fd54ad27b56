internal import Compute
internal import ModelFiles
internal import Reference

/// Text that a model writes itself, at temperature 1: samples from the distribution that its quantized form should keep.
struct SelfWriting {
    let model: Model
    let reference: ReferenceModel
    let seed: UInt64

    /// `count` sequences of `length` tokens. Sequence i depends on the seed and i alone, so that more of them begin with the
    /// same ones. Each starts with the tokenizer's first or last token of a text, or else with a random one.
    func sequences(
        count: Int, length: Int, progress: (_ fraction: Double) throws(TuningError) -> Void
    ) throws -> [[Int32]] {
        var decoder = try ReferenceDecoder(model: reference, sequences: count, capacity: length)
        var sampler = TokenSampler(rows: count, seed: seed, pool: reference.pool)
        let start = model.tokenizer.beginOfText ?? model.tokenizer.endOfText
        var tokens = (0..<count).map { index in
            start ?? random(index)
        }
        var result = tokens.map { [$0] }
        for position in 1..<max(1, length) {
            if position % 16 == 0 { try progress(Double(position) / Double(length)) }
            tokens = sampler.sample(try decoder.step(tokens: tokens))
            for index in result.indices { result[index].append(tokens[index]) }
        }
        return result
    }

    private func random(_ index: Int) -> Int32 {
        var generator = SeededGenerator(seed: seed &+ UInt64(index))
        return Int32(generator.next() % UInt64(max(1, model.configuration.vocabulary)))
    }
}
