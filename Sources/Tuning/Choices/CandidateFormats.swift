package import DeviceProfiles
package import ModelFiles
package import Quantization

/// The formats that the search considers for a device: those that no other one beats in bytes and accuracy on typical
/// weights. `--only` names others.
package enum CandidateFormats {
    /// The usual formats for `runtime`, before legality is checked.
    package static func usual(for profile: DeviceProfile) -> [Format] {
        switch profile.runtime {
        case .fettle: [.float16] + grids(profile.compute).map(Format.grid)
        case .llamaCpp: [.float16] + BlockFormat.allCases.map(Format.block)
        }
    }

    /// The usual formats that `profile` can hold, without those too narrow to be worth a score, and those with coded indices where
    /// its storage is too small for some more bits throughout: they are slower to fit, and take more memory than flash.
    package static func worthwhile(for profile: DeviceProfile, configuration: ModelConfiguration) -> [Format] {
        let formats = usual(for: profile).filter { profile.compute.weights?.contains($0.bits) ?? true }
        let least = LeastBits(profile: profile, configuration: configuration)
        let leastBits = least.value
        let kept = formats.filter { $0.bits >= leastBits }
        return (kept.isEmpty ? formats : kept)
            + coded(profile.compute).filter { least.isStorageShort(ofBits: $0.above) }.map { .grid($0.format) }
    }

    /// Codebooks whose indices are entropy-coded, with the coarse scales of the device; each is for storage that is too small for plans of
    /// `above` bits throughout.
    private static func coded(_ compute: ComputeCapability) -> [(format: GridFormat, above: Int)] {
        [(bits: 5, rate: 40, above: 5), (5, 36, 4), (4, 30, 4), (4, 26, 4), (4, 22, 3)].map { bits, rate, above in
            (GridFormat(.codebook, bits: bits, coarseGranularity(compute), indexRate: rate), above)
        }
    }

    /// The one of least bits.
    static func narrowestCoded(_ compute: ComputeCapability) -> Format? {
        coded(compute).last.map { .grid($0.format) }
    }

    /// Rows where the device has scales for them, else the tensor.
    private static func coarseGranularity(_ compute: ComputeCapability) -> GridFormat.Granularity {
        compute.granularity?.contains(.channel) ?? true ? .channel : .tensor
    }

    /// What a machine measures of itself: every SPEC that the search considers for a device that can do everything, and formats
    /// whose scales are per row or tensor.
    package static var measured: [Spec] {
        let coarse = [
            GridFormat(.uniform, bits: 8, .channel), GridFormat(.uniform, bits: 8, .tensor),
            GridFormat(.uniform, bits: 4, .channel), GridFormat(.codebook, bits: 4, .tensor),
            GridFormat(.codebook, bits: 5, .channel),
        ].map(Format.grid)
        return (usual(for: DeviceProfile(name: "any")) + coarse).flatMap { format in
            format == .float16
                ? [Spec(format)] : [Activation.int8g32, .int8].map { Spec(format, activation: $0) }
        }
    }

    /// Grids by what shares a scale: groups where the device has them, else rows, else the tensor.
    private static func grids(_ compute: ComputeCapability) -> [GridFormat] {
        let granularity = compute.granularity ?? Set(ComputeCapability.WeightGranularity.allCases)
        guard granularity.contains(.group) else {
            return coarse(compute)
        }
        let sizes = (compute.groups ?? [32, 64]).sorted()
        // Two sizes span the trade-off between bytes and accuracy: the smallest and the next one.
        let fine = GridFormat.Granularity.group(sizes.first ?? 32)
        let wide = GridFormat.Granularity.group(sizes.dropFirst().first ?? sizes.first ?? 32)
        var result = [
            GridFormat(.uniform, bits: 8, fine), GridFormat(.uniform, bits: 8, wide),
            GridFormat(.uniform, bits: 4, fine), GridFormat(.uniform, bits: 4, wide),
        ]
        // At 5 and 6 bits a zero point is worth its byte: wide affine groups take less than fine uniform ones, and are better.
        // Nothing more is gained at 8.
        result +=
            compute.zeroPoint
            ? [
                GridFormat(.affine, bits: 6, wide), GridFormat(.affine, bits: 5, fine),
                GridFormat(.affine, bits: 5, wide),
            ]
            : [
                GridFormat(.uniform, bits: 6, wide), GridFormat(.uniform, bits: 5, fine),
                GridFormat(.uniform, bits: 5, wide),
            ]
        for bits in [4, 3] {
            result += [
                GridFormat(.affine, bits: bits, fine), GridFormat(.codebook, bits: bits, fine),
                GridFormat(.codebook, bits: bits, wide),
            ]
        }
        // Two bits are for devices on which nothing else fits: wide groups reach 2.4 and 2.25 bits a weight.
        result += [
            GridFormat(.affine, bits: 3, wide), GridFormat(.log2, bits: 4, wide), GridFormat(.affine, bits: 2, fine),
            GridFormat(.affine, bits: 2, wide), GridFormat(.codebook, bits: 2, fine),
            GridFormat(.codebook, bits: 2, wide),
        ]
        if !compute.codebook {
            result += [GridFormat(.twoPowers, bits: 5, wide), GridFormat(.twoPowers, bits: 4, wide)]
        }
        if granularity.contains(.channel) { result.append(GridFormat(.codebook, bits: 4, .channel)) }
        var seen: Set<GridFormat> = []
        return result.filter { seen.insert($0).inserted }
    }

    private static func coarse(_ compute: ComputeCapability) -> [GridFormat] {
        let granularity = coarseGranularity(compute)
        return [8, 6, 5, 4, 3, 2].flatMap { bits in
            GridFormat.Grid.allCases.compactMap { (grid) -> GridFormat? in
                let isWorthIt =
                    switch grid {
                    case .codebook: (2...5).contains(bits)
                    case .log2: bits == 4
                    // Six bits are worse than six bits of a uniform grid, and a codebook is better than five.
                    case .twoPowers: (4...5).contains(bits) && !compute.codebook
                    case .uniform, .affine: true
                    }
                return isWorthIt ? GridFormat(grid, bits: bits, granularity) : nil
            }
        }
    }
}
