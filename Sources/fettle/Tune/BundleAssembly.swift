internal import Bundles
internal import Compute
internal import DeviceProfiles
internal import Foundation
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization
internal import Tuning

/// Turns one tuning result into a bundle: writes the weights, reads them back, measures what can be measured here, and only
/// then lets the bundle appear.
struct BundleAssembly {
    let model: Model
    let result: TuningResult
    let stage: BundleStage
    let pool: ThreadPool
    let seed: UInt64
    let started: Date
    let command: [String]
    /// Whether a bundle that misses a goal is published all the same.
    let publishesNearest: Bool

    /// Writes and publishes the bundle, and returns its manifest.
    func publish() throws -> BundleManifest {
        let layout = try WeightsFileLayout(
            model: model, specs: specs, frozenScales: result.weights.frozenScales, runtime: result.profile.runtime)
        // Twice a megabyte for tokenizer, report and manifest, which are not in the layout.
        try stage.requireSpace(bytes: layout.storedBytes + tokenizerJSON.count + 1 << 21)
        let weights = stage.path(WeightsFile.name(of: layout))
        try WeightsFile.write(result.weights, layout: layout, model: model, to: weights)
        try stage.write(tokenizerJSON, to: "tokenizer.json")
        try stage.write(model.configuration.configJSON(tokenizer: model.tokenizer), to: "config.json")
        try writeStartFiles()

        var manifest = try BundleManifest(model: model, result: result, provenance: provenance)
        try stage.write(try manifest.encoded(), to: "bundle.json")
        let bundle = try BundleDirectory(path: stage.directory)
        let packed = try bundle.model(context: bundle.servedContext, pool: pool)
        try stage.write(
            try GoldenVectors(model: packed, tokenizer: bundle.tokenizer).encoded(), to: GoldenVectors.fileName)
        manifest.verdicts = try measured(manifest.verdicts, bundle)
        try refuse(manifest.verdicts)
        manifest.provenance = provenance
        try stage.write(try manifest.encoded(), to: "bundle.json")
        try stage.write(Array(Report(manifest).html.utf8), to: "report.html")
        try stage.publish()
        return manifest
    }

    private var tokenizerJSON: [UInt8] { model.tokenizer.tokenizerJSON() }

    /// The SPEC of every matrix of the plan.
    private var specs: [String: Spec] {
        var specs: [String: Spec] = [:]
        for group in result.plan.groups {
            for tensor in group.tensors {
                specs[tensor] = Spec(group.choice.format, activation: group.choice.activation)
            }
        }
        return specs
    }

    private func writeStartFiles() throws {
        guard result.profile.runtime == .llamaCpp else { return }
        let files = LlamaCppFiles(
            profile: result.profile, context: result.profile.memory.context ?? model.configuration.context,
            kv: result.plan.kv.format)
        try stage.write(Array(files.modelfile.utf8), to: "Modelfile")
        try stage.write(Array(files.serverLine.utf8), to: "llama-server.txt")
    }

    /// The verdicts with stored and resident bytes measured on the files as they were read back.
    private func measured(_ verdicts: [Verdict], _ bundle: BundleDirectory) throws -> [Verdict] {
        try verdicts.map { verdict in
            var verdict = verdict
            switch verdict.constraint {
            case "memory.storage":
                let stored = Double(try bundle.storedBytes)
                verdict.measured = stored
                verdict.met = stored <= verdict.goal
            // llama.cpp's process is not ours to measure.
            case "memory.budget" where result.profile.runtime == .fettle:
                verdict.note(ResidentMeasurement(bundle: stage.directory))
            default: return verdict
            }
            verdict.met = verdict.met && verdict.predicted <= verdict.goal
            return verdict
        }
    }

    /// What was predicted to keep a goal and was measured not to is a bundle that does not ship; one that could not be measured
    /// ships with a verdict that says so.
    private func refuse(_ verdicts: [Verdict]) throws {
        guard !publishesNearest, let missed = verdicts.first(where: { !$0.met && $0.unmeasured == nil }) else { return }
        let measured = missed.measured ?? missed.predicted
        throw TuningError(
            .infeasible, place: result.profile.name,
            "\(missed.constraint) of \(missed.goal) \(missed.unit) is missed: measured \(measured), \(measured - missed.goal) "
                + "more; raise it by that, or take the bundle as it is with --nearest")
    }

    private var provenance: BundleManifest.Provenance {
        let format = ISO8601DateFormatter()
        return BundleManifest.Provenance(
            command: command, seed: seed, calibration: result.calibration,
            versions: ["fettle": BundleManifest.program, "kernels": pool.instructionSet.rawValue],
            started: format.string(from: started), seconds: Date().timeIntervalSince(started),
            stages: Dictionary(result.stages.map { ($0.name, $0.seconds) }, uniquingKeysWith: +),
            cutShort: result.cutShort)
    }
}
