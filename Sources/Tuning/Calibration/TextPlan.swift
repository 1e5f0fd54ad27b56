internal import ModelFiles
internal import Reference

/// Which texts a model is calibrated and measured on: files, or what it writes itself.
struct TextPlan {
    /// For sensitivities.
    let calibration: TokenSequences
    /// For refining weights.
    let refinement: TokenSequences
    /// For the measurements, apart from the calibration.
    let evaluation: EvaluationText
    /// Chunks of the calibration text that neither scores nor refinements see: what a plan does on them is what it can be
    /// expected to do on any such text. Nil where the model writes its text, or a file has none to spare.
    let unseen: EvaluationText?

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
        let chunks = schedule.evaluationChunks
        let given = try evaluation.map { path in
            let file = try TextFile(path: path)
            return try Self.evaluation(file.name, file.tokens(tokenizer), chunks, length, tokenizer)
        }
        if let calibration {
            let file = try TextFile(path: calibration)
            let tokens = file.tokens(tokenizer)
            let kept = given == nil ? tokens.count - tokens.count / Self.heldOut : tokens.count
            self.calibration = try TokenSequences(
                spread: tokens[..<kept], count: schedule.calibrationSequences, length: length, source: file.name,
                tokenizer: tokenizer)
            refinement = try TokenSequences(
                spread: tokens[..<kept], count: schedule.refinementSequences, length: length, source: file.name,
                tokenizer: tokenizer)
            unseen = try TokenSequences(
                between: [self.calibration, refinement], of: tokens[..<kept], count: schedule.unseenChunks,
                length: length, source: file.name, tokenizer: tokenizer
            ).map { (sequences) throws(TuningError) in try EvaluationText(sequences) }
            self.evaluation =
                try given
                ?? Self.evaluation(
                    "last fifth of \(file.name)", Array(tokens[kept...]), chunks, length, tokenizer)
        } else {
            let count = schedule.writtenSequences
            let written = try write(count + (given == nil ? schedule.writtenChunks : 0), length)
            self.calibration = TokenSequences(source: Self.selfWritten, sequences: Array(written.prefix(count)))
            refinement = self.calibration
            unseen = nil
            let rest = TokenSequences(source: Self.selfWritten, sequences: Array(written.dropFirst(count)))
            self.evaluation = try given ?? EvaluationText(rest)
        }
    }

    /// What exchanges are measured on: as much unseen text as there is calibration, else the calibration itself.
    var exchange: EvaluationText {
        get throws(TuningError) {
            if let unseen { return unseen.thinned(to: calibration.sequences.count) }
            return try EvaluationText(calibration)
        }
    }

    /// A text that is shorter than a chunk is one chunk.
    private static func evaluation(
        _ name: String, _ tokens: [Int32], _ chunks: Int, _ length: Int, _ tokenizer: Tokenizer
    ) throws(TuningError) -> EvaluationText {
        try EvaluationText(
            name: name, digest: TokenSequences(source: name, sequences: [tokens]).digest, tokens: tokens,
            context: min(length, max(4, tokens.count)), chunks: chunks, tokenizer: tokenizer)
    }
}
