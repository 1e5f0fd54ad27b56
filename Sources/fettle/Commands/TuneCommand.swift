internal import ArgumentParser
internal import Bundles
internal import Compute
internal import DeviceProfiles
internal import Foundation
internal import ModelFiles
internal import Quantization
internal import Tuning

/// `fettle tune`: the main job. One bundle for each profile.
struct TuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune", abstract: "Finds the best plan of a model for each profile and writes the bundles.",
        discussion: """
            A SPEC is format[/activation][+refinement...], for instance u4g32, k4c/int8, q4_0+clip. Scores are kept in the \
            store: a second profile, or a run that was stopped, measures nothing twice.
            """)

    @Argument(help: "A GGUF file or a Hugging Face directory.")
    var model: String

    @OptionGroup var search: SearchOptions

    @Option(help: ArgumentHelp("Directory that bundles are written to.", valueName: "dir"))
    var out = "."

    @Option(help: "Stop optional measurements after this time, for instance 10m.")
    var timeLimit: String?

    @Option(help: ArgumentHelp("One SPEC for every matrix.", valueName: "spec"))
    var uniform: String?

    @Option(help: ArgumentHelp("Write the solver's instance and solution to this file.", valueName: "file"))
    var problem: String?

    @Option(help: ArgumentHelp("Chunks of the evaluation text to measure on.", valueName: "n"))
    var chunks: Int?

    @Flag(help: "Where no plan meets the goals, write the nearest one (exit code 3 all the same).")
    var nearest = false

    @Flag(help: "Leave out refinements that no SPEC asks for.")
    var noRefine = false

    @OptionGroup var machine: MachineOptions
    @OptionGroup var worker: WorkerOptions

    @Flag(help: "Print the results as JSON, progress as JSON lines on stderr.")
    var json = false

    func validate() throws {
        guard chunks ?? 1 > 0 else { throw ValidationError("--chunks must be at least 1.") }
    }

    func run() throws {
        worker.enter()
        let started = Date()
        let options = try tuningOptions()
        let profiles = try search.profiles()
        let source = try Model.open(model)
        let stages = try profiles.map { try BundleStage(out: out, model: source.name, profile: $0.name) }
        let pool = try machine.pool
        let interruption = Interruption()
        var display = ProgressDisplay(json: json)
        let store = try ScoreStore(path: try StoreLocation(option: search.store).database)
        let tuner = Tuner(
            options: options, store: store, pool: pool,
            isCancelled: { interruption.isRequested },
            progress: { display.show(stage: $0.stage, fraction: $0.fraction, detail: $0.text) })
        let results = try tuner.tune(model: source, profiles: profiles)
        display.finish()
        try writeProblem(results)
        _ = try store.prune(to: StoreLocation.largest, keeping: [source.digest])

        var outcomes: [TuneOutcome] = []
        for (result, stage) in zip(results, stages) {
            let assembly = BundleAssembly(
                model: source, result: result, stage: stage, pool: pool, seed: search.seed, started: started,
                command: ["fettle"] + CommandLine.arguments.dropFirst(), publishesNearest: nearest)
            outcomes.append(TuneOutcome(bundle: stage.destination, manifest: try assembly.publish()))
        }
        try show(outcomes)
        if outcomes.contains(where: { !$0.met }) { throw ExitStatus.unmet(outcomes.flatMap(\.verdicts)) }
    }

    private func show(_ outcomes: [TuneOutcome]) throws {
        if json { return try Console.json(outcomes) }
        for outcome in outcomes {
            print("\n\(outcome.bundle)")
            print(VerdictTable.text(outcome.verdicts))
            let quality = outcome.quality
            print(
                String(
                    format: "KL %.4f nats (95 %% %.4f to %.4f), perplexity %.2f (source %.2f), top-1 %.1f %%",
                    quality.kl, quality.klInterval[0], quality.klInterval[1], quality.perplexity,
                    quality.referencePerplexity, 100 * quality.top1))
            if let uniform = outcome.baselines.uniform {
                print(String(format: "best one-format plan that fits: %@, KL %.4f", uniform.name, uniform.kl))
            }
            if !outcome.losslessFormats.isEmpty {
                print(
                    "the source is already quantized; lossless for it: "
                        + outcome.losslessFormats.joined(separator: ", "))
            }
        }
    }

    /// The solver's last instance, for `--problem`.
    private func writeProblem(_ results: [TuningResult]) throws {
        guard let problem, let last = results.last else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let file = try OutputFile(path: problem)
        try file.append(Array(try encoder.encode(last.instance)))
        try file.finish()
    }

    private func tuningOptions() throws -> TuningOptions {
        var options = try search.tuningOptions()
        options.nearest = nearest
        options.refines = !noRefine
        options.uniform = try uniform.map { try SearchOptions.parsed($0, Spec.init(parsing:)) }
        options.timeLimit = try timeLimit.map(TimeLimit.seconds)
        options.evaluationChunks = chunks
        return options
    }
}

/// One profile's outcome, as `tune --json` prints it.
struct TuneOutcome: Encodable {
    let bundle: String
    let verdicts: [Verdict]
    let quality: QualityMeasure
    let baselines: BundleManifest.Baselines
    let losslessFormats: [String]
    let met: Bool

    enum CodingKeys: String, CodingKey {
        case bundle, verdicts, quality, baselines, met
        case losslessFormats = "lossless_formats"
    }

    /// What `manifest`, the one in `bundle`, says.
    init(bundle: String, manifest: BundleManifest) {
        self.bundle = bundle
        verdicts = manifest.verdicts
        quality = manifest.quality
        baselines = manifest.baselines
        losslessFormats = manifest.losslessFormats
        met = manifest.verdicts.allSatisfy(\.met)
    }
}
