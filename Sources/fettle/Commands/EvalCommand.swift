internal import ArgumentParser
internal import Bundles
internal import Compute
internal import Foundation
internal import ModelFiles
internal import Reference
internal import Tuning

/// `fettle eval`: how far a bundle or a quantized file is from its source, by llama-perplexity's protocol.
struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval", abstract: "Measures a bundle or model against its source on a text.",
        discussion: """
            As llama-perplexity does: chunks of --context tokens, the first token replaced by BOS where the tokenizer adds \
            one, the second half of each chunk scored.
            """)

    @Argument(help: "A bundle, or a model.")
    var subject: String

    @Option(help: ArgumentHelp("The model that it was made from.", valueName: "model"))
    var reference: String

    @Option(help: ArgumentHelp("The text to measure on.", valueName: "file"))
    var text: String

    @Option(help: "Tokens of a chunk.")
    var context = 512

    @Option(help: "Chunks to measure at most.")
    var chunks = 16

    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard (4...1 << 20).contains(context) else { throw ValidationError("--context must be between 4 and 1048576.") }
        guard chunks > 0 else { throw ValidationError("--chunks must be at least 1.") }
    }

    func run() throws {
        let pool = try machine.pool
        let source = try Model.open(reference)
        let runnable = try RunnableModel(path: subject, pool: pool)
        guard runnable.configuration.vocabulary == source.configuration.vocabulary else {
            throw ModelError(
                .malformed, file: subject,
                "has \(runnable.configuration.vocabulary) tokens, but \(reference) has "
                    + "\(source.configuration.vocabulary); give the model that it was made from")
        }
        let content = try TextFile(path: text)
        let length = min(context, source.configuration.context, runnable.configuration.context)
        let evaluation = try EvaluationText(
            name: content.name, digest: content.digest,
            tokens: source.tokenizer.encode(content.text, addingBeginOfText: true), context: length, chunks: chunks,
            tokenizer: source.tokenizer)
        let exact = try ReferenceModel(configuration: source.configuration, pool: pool) { name in
            try source.tensor(name).matrix()
        }
        var display = ProgressDisplay(json: json)
        let candidate = try runnable.model(context: length)
        let scores = try QualityEvaluation(reference: exact, text: evaluation, pool: pool).run([candidate]) {
            share throws(TuningError) in
            display.show(stage: "eval", fraction: share, detail: content.name)
        }
        display.finish()
        let measure = scores[0].measure(text: evaluation, mode: runnable.mode, predictedKL: nil)
        if json { return try Console.json(measure) }
        print(
            String(
                format: "kl                    %.6f nats (95 %% interval %.6f to %.6f)", measure.kl,
                measure.klInterval[0], measure.klInterval[1]))
        print(String(format: "perplexity            %.4f", measure.perplexity))
        print(String(format: "reference perplexity  %.4f", measure.referencePerplexity))
        print(String(format: "top-1 agreement       %.2f %%", 100 * measure.top1))
        print("tokens                \(measure.tokens), mode \(measure.mode)")
    }
}
