internal import ModelFiles
internal import Reference

/// Which texts a model is calibrated and measured on: files, or what it writes itself.
struct TextPlan {
    /// For sensitivities.
    let calibration: TokenSequences
    /// For the measurements, apart from the calibration.
    let evaluation: TokenSequences

    /// How self-written text is called in results.
    static let selfWritten = "self-written"
    /// The share of a calibration file, at its end, that is kept for evaluation.
    private static let heldOut = 5

    /// Reads, cuts or writes the texts. `write` returns that many self-written sequences of that length.
    init(
        model: Model, calibration: String?, evaluation: String?, schedule: TuningSchedule, length: Int,
        write: (_ count: Int, _ length: Int) throws -> [[Int32]]
    ) throws {
        let tokenizer = model.tokenizer
        let counts = (schedule.calibrationSequences, schedule.evaluationChunks)
        if let calibration {
            let file = try TextFile(path: calibration)
            let tokens = file.tokens(tokenizer)
            let kept = evaluation == nil ? tokens.count - tokens.count / Self.heldOut : tokens.count
            self.calibration = try TokenSequences(
                spread: tokens[..<kept], count: counts.0, length: length, source: file.name, tokenizer: tokenizer)
            if let evaluation {
                self.evaluation = try Self.evaluation(evaluation, tokenizer, counts.1, length)
            } else {
                let rest = tokens[kept...]
                self.evaluation = try TokenSequences(
                    consecutive: rest, count: counts.1, length: min(length, rest.count),
                    source: "last fifth of \(file.name)", tokenizer: tokenizer)
            }
        } else {
            let written = try write(counts.0 + (evaluation == nil ? counts.1 : 0), length)
            self.calibration = TokenSequences(source: Self.selfWritten, sequences: Array(written.prefix(counts.0)))
            if let evaluation {
                self.evaluation = try Self.evaluation(evaluation, tokenizer, counts.1, length)
            } else {
                self.evaluation = TokenSequences(
                    source: Self.selfWritten, sequences: Array(written.dropFirst(counts.0)))
            }
        }
    }

    private static func evaluation(
        _ path: String, _ tokenizer: Tokenizer, _ count: Int, _ length: Int
    ) throws(TuningError) -> TokenSequences {
        let file = try TextFile(path: path)
        let tokens = file.tokens(tokenizer)
        return try TokenSequences(
            consecutive: tokens[...], count: count, length: min(length, max(4, tokens.count)), source: file.name,
            tokenizer: tokenizer)
    }
}
