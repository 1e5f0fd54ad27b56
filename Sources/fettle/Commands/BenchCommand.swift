internal import ArgumentParser
internal import Compute
internal import Foundation
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization

/// `fettle bench`: how fast a bundle runs here, and what part of the machine's limits it reaches.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: """
            Times prefill and decode of a bundle beside the limits of this machine; prints medians, of the runs during which \
            the machine was as fast as during most.
            """)

    @Argument(help: "A bundle, or a model.")
    var bundle: String

    @Option(help: "Tokens of the prompt.")
    var prefill = 512

    @Option(help: "Tokens to decode, from an empty cache.")
    var decode = 64

    @Option(help: "How often each is run.")
    var `repeat` = 5

    @Option(help: ArgumentHelp("Run a model with every matrix in this format (a grid), rounded.", valueName: "spec"))
    var uniform: String?

    @OptionGroup var machine: MachineOptions

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard prefill > 0, decode > 0, `repeat` > 0 else {
            throw ValidationError("--prefill, --decode and --repeat must be at least 1.")
        }
    }

    func run() throws {
        let pool = try machine.pool
        let subject = try RunnableModel(path: bundle, pool: pool)
        let limit = subject.configuration.context
        let model = try model(subject, context: min(limit, max(prefill, decode)))
        let prompt = tokens(min(prefill, limit), of: subject)
        let steps = tokens(min(decode, limit), of: subject)
        let cache = try model.makeCache()
        func seconds(of chunks: [[Int32]]) throws -> Double {
            cache.truncate(to: 0)
            return try Stopwatch.seconds {
                for chunk in chunks { try model.forward(tokens: chunk, cache: cache, logits: .last) }
            }
        }
        let oneByOne = steps.map { [$0] }
        // One run of each unmeasured: it faults in the arena and wakes the threads.
        _ = try (seconds(of: [prompt]), seconds(of: oneByOne))
        var meter = try SteadyMeter(probe: MachineProbe(pool: pool))
        var prefillSeconds = SteadySamples<Double>()
        var decodeSeconds = SteadySamples<Double>()
        for _ in 0..<`repeat` {
            try meter.sample(into: &prefillSeconds) { try seconds(of: [prompt]) }
            try meter.sample(into: &decodeSeconds) { try seconds(of: oneByOne) }
        }
        let work = ModelWork(model: model)
        let speed = meter.usual
        let perPrompt = prefillSeconds.median(at: speed) { $0 }
        let perToken = decodeSeconds.median(at: speed) { $0 } / Double(steps.count)
        let outcome = BenchOutcome(
            prefillTokensPerSecond: Double(prompt.count) / perPrompt, decodeTokensPerSecond: 1 / perToken,
            readBandwidth: speed.read,
            decodeBandwidthFraction: work.bytes(perTokenAt: steps.count / 2) / perToken / speed.read,
            int8Peak: speed.int8Peak,
            prefillPeakFraction: work.operations(prompt: prompt.count) / perPrompt / speed.int8Peak,
            threads: pool.threads, instructionSet: pool.instructionSet.rawValue, mode: subject.mode,
            formats: try formats(of: model, pool: pool))
        if json { return try Console.json(outcome) }
        print(outcome.text(prefill: prompt.count, decode: steps.count, repeats: `repeat`))
    }

    private func model(_ subject: RunnableModel, context: Int) throws -> IntegerModel {
        guard let uniform else { return try subject.model(context: context) }
        guard let model = try subject.uniform(try Spec(parsing: uniform), context: context) else {
            throw ValidationError("--uniform \(uniform): give a model file, and a grid format such as u4g32.")
        }
        return model
    }

    /// The products of each format alone.
    private func formats(of model: IntegerModel, pool: ThreadPool) throws -> [BenchOutcome.FormatRow] {
        let all = Dictionary(grouping: model.weights.matrices.values) { matrix in
            Spec(matrix.format, activation: matrix.activation).description
        }
        return try all.sorted { $0.key < $1.key }.map { spec, matrices in
            let rates = try ProductRates(of: matrices, repeats: `repeat`, pool: pool)
            return BenchOutcome.FormatRow(
                spec: spec, tensors: matrices.count, weights: matrices.reduce(0) { $0 + $1.rows * $1.columns },
                bytes: matrices.reduce(0) { $0 + $1.packedBytes }, decode: rates.decode, prefill: rates.prefill)
        }
    }

    /// Tokens that touch many rows of the embedding.
    private func tokens(_ count: Int, of subject: RunnableModel) -> [Int32] {
        (0..<count).map { Int32(($0 * 7919 + 13) % subject.configuration.vocabulary) }
    }
}
