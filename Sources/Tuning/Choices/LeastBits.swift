internal import DeviceProfiles
internal import ModelFiles
internal import Quantization

/// How narrow a format must be to be worth a score: the search leaves those alone that no good plan would take.
///
/// On SmolLM2-135M the best plans of 4 bits a weight have one group of 2 bits at the most, those of 4.5 none; those of 5 bits have one
/// group of 3 bits, those of 5.25 none. So two bits are worth it where a plan of 4 bits throughout breaks a limit, three where one
/// of 5 bits does. Where only the storage is short, coded indices are better than plain ones: of 121 groups of plans of 3.5 bits none
/// takes 3 bits, of 2.8 bits five do, and none 2. Where another cost than quality is minimised, everything is worth it.
struct LeastBits {
    let profile: DeviceProfile
    let configuration: ModelConfiguration

    /// Of formats whose indices are not coded.
    var value: Int {
        guard profile.prefer == .quality else { return 2 }
        if fits(bits: 5) { return 4 }
        if isStorageShort(ofBits: 5), fits(bits: 5, isStorageLimited: false),
            let coded = CandidateFormats.narrowestCoded(profile.compute), fits(coded)
        {
            return fits(bits: 3) ? 4 : 3
        }
        return fits(bits: 4) ? 3 : 2
    }

    /// Whether a plan of so many bits in every group is too large for the profile's storage, whatever else limits it, and coded indices can
    /// mend that.
    func isStorageShort(ofBits bits: Int) -> Bool {
        guard profile.runtime == .fettle, profile.compute.codebook, let storage = profile.memory.storage,
            let costs = costs(of: format(bits: bits))
        else {
            return false
        }
        return costs.stored > Double(storage)
    }

    /// Whether the device holds a plan of so many bits in every group, and that keeps the profile's limits.
    private func fits(bits: Int, isStorageLimited: Bool = true) -> Bool {
        fits(format(bits: bits), isStorageLimited: isStorageLimited)
    }

    private func fits(_ format: Format, isStorageLimited: Bool = true) -> Bool {
        guard profile.compute.weights?.contains(format.bits) ?? true, var limits = try? PlanProblem.limits(profile),
            let costs = costs(of: format)
        else { return false }
        if !isStorageLimited { limits[.stored] = nil }
        return limits.allow(costs)
    }

    /// What a plan of this format in every group takes; nil where it does not suit the shapes.
    private func costs(of format: Format) -> Costs? {
        let choice = Choice(format: format, activation: format.defaultActivation, refinement: "")
        let cost = CostModel(profile: profile, configuration: configuration, tokenizerBytes: 0)
        let groups = ChoiceGroup.all(of: configuration, isFused: profile.runtime == .fettle)
        guard groups.allSatisfy({ $0.tensors.allSatisfy { format.isLegal(rows: $0.rows, columns: $0.columns) } })
        else { return nil }
        var costs = cost.fixedTime
        costs.resident += Double(cost.fixedResidentBytes)
        costs += cost.costs(ofCache: profile.runtime == .fettle ? "int8" : "f16")
        for group in groups { costs += cost.costs(of: choice, for: group) }
        return costs
    }

    /// The plainest format of so many bits: scales for as many weights as the search usually tries at most.
    private func format(bits: Int) -> Format {
        guard profile.runtime == .fettle else { return .block(bits == 4 ? .q4_0 : .q5_0) }
        let granularity = profile.compute.granularity ?? [.group]
        let groups = (profile.compute.groups ?? [32, 64]).sorted()
        return .grid(
            GridFormat(
                .uniform, bits: bits,
                granularity.contains(.group) ? .group(groups.dropFirst().first ?? groups.first ?? 32) : .channel))
    }
}
