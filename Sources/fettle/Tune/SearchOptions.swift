internal import ArgumentParser
internal import DeviceProfiles
internal import Quantization
internal import Tuning

/// What decides which choices there are and what they are scored on: the same for `tune` and `score`.
struct SearchOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A device profile; may be repeated.", valueName: "name|file"))
    var profile: [String]

    @OptionGroup var library: ProfileOptions

    @Option(help: ArgumentHelp("A text to calibrate on; the default is text that the model writes.", valueName: "file"))
    var calibration: String?

    @Option(help: ArgumentHelp("A text to measure on, never calibrated on.", valueName: "file"))
    var evaluate: String?

    @Option(help: ArgumentHelp("The only SPECs that groups may take, separated by commas.", valueName: "spec,..."))
    var only: String?

    @Option(
        help: ArgumentHelp("Format of the output head (and the embedding, where they are one).", valueName: "format"))
    var head: String?

    @Option(help: ArgumentHelp("Format of the KV cache: f16, int8 or int4.", valueName: "format"))
    var kv: String?

    @Option(
        help: ArgumentHelp(
            "How ranges of static inputs are found: min-max, percentile, mse or entropy.", valueName: "way"))
    var observer = RangeObserver.mse

    @Option(help: ArgumentHelp("Directory of the score store.", valueName: "dir"))
    var store: String?

    @Option(help: "Seed of every random draw.")
    var seed: UInt64 = 0

    func validate() throws {
        guard !profile.isEmpty else { throw ValidationError("Name at least one --profile.") }
    }

    /// The profiles, each of its own name.
    func profiles() throws -> [DeviceProfile] {
        let profiles = try profile.map { try library.library.load($0) }
        guard Set(profiles.map(\.name)).count == profiles.count else {
            throw ValidationError("Two profiles have the same name; their bundles would be one.")
        }
        return profiles
    }

    /// The tuner's options as far as they are said here.
    func tuningOptions() throws -> TuningOptions {
        var options = TuningOptions()
        options.seed = seed
        options.calibration = calibration
        options.evaluation = evaluate
        options.only = try (only ?? "").split(separator: ",").map { try Self.parsed(String($0), Spec.init(parsing:)) }
        options.head = try head.map { try Self.parsed($0, Format.init(parsing:)) }
        options.kv = kv
        options.observer = observer
        return options
    }

    /// What `parse` makes of `text`; what it does not understand is a usage error.
    static func parsed<Value>(_ text: String, _ parse: (String) throws -> Value) throws -> Value {
        do {
            return try parse(text)
        } catch let error as QuantizationError {
            throw ValidationError("\(error)")
        }
    }
}

extension RangeObserver: ExpressibleByArgument {}
