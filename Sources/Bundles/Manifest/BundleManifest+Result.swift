internal import DeviceProfiles
package import ModelFiles
internal import Quantization
package import Tuning

extension BundleManifest {
    /// The manifest of `result`, a plan for `model`.
    ///
    /// - Throws: `malformed` where the profile's resolved form is not JSON.
    package init(model: Model, result: TuningResult, provenance: Provenance) throws(ModelError) {
        let profile = result.profile
        let resolved = Array(profile.resolved.utf8)
        fettle = Self.program
        schema = Self.currentSchema
        self.model = ModelSummary(
            name: model.name, digest: model.digest, architecture: model.configuration.architecture.rawValue,
            parameters: model.configuration.parameters, fileType: model.fileType)
        self.profile = ProfileSummary(
            name: profile.name, digest: profile.digest, runtime: profile.runtime.rawValue,
            resolved: try resolved.withUnsafeBufferPointer { buffer throws(ModelError) in
                try JSON(parsing: UnsafeRawBufferPointer(buffer), file: profile.name)
            })
        plan = PlanSummary(kv: result.plan.kv, groups: result.plan.groups.map(GroupSummary.init))
        verdicts = result.verdicts
        quality = result.quality
        baselines = Baselines(uniform: result.uniform, rule: result.rule)
        certificate = result.certificate
        exchanges = result.exchanges
        shadowPrices = result.shadowPrices
        paretoFront = result.paretoFront
        fronts = result.fronts
        totals = result.totals
        losslessFormats = result.losslessFormats
        missingParameters = result.missingParameters
        self.provenance = provenance
    }

    /// Version of the program, as bundles and `--version` say it.
    package static let program = "0.1.0"
}
