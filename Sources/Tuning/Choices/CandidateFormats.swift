package import DeviceProfiles
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

    /// Grids by what shares a scale: groups where the device has them, else rows, else the tensor.
    private static func grids(_ compute: ComputeCapability) -> [GridFormat] {
        let granularity = compute.granularity ?? Set(ComputeCapability.WeightGranularity.allCases)
        guard granularity.contains(.group) else {
            return coarse(granularity.contains(.channel) ? .channel : .tensor)
        }
        let sizes = (compute.groups ?? [32, 64]).sorted()
        // Two sizes span the trade-off between bytes and accuracy: the smallest and the next one.
        let fine = GridFormat.Granularity.group(sizes.first ?? 32)
        let wide = GridFormat.Granularity.group(sizes.dropFirst().first ?? sizes.first ?? 32)
        var result = [
            GridFormat(.uniform, bits: 8, fine), GridFormat(.uniform, bits: 8, wide),
            GridFormat(.uniform, bits: 6, fine), GridFormat(.uniform, bits: 6, wide),
        ]
        for bits in [5, 4, 3] {
            result += [
                GridFormat(.uniform, bits: bits, fine), GridFormat(.uniform, bits: bits, wide),
                GridFormat(.affine, bits: bits, fine), GridFormat(.affine, bits: bits, wide),
            ]
        }
        result += [4, 3].flatMap { [GridFormat(.codebook, bits: $0, fine), GridFormat(.codebook, bits: $0, wide)] }
        result += [GridFormat(.log2, bits: 4, fine), GridFormat(.affine, bits: 2, fine)]
        if granularity.contains(.channel) { result.append(GridFormat(.codebook, bits: 4, .channel)) }
        var seen: Set<GridFormat> = []
        return result.filter { seen.insert($0).inserted }
    }

    private static func coarse(_ granularity: GridFormat.Granularity) -> [GridFormat] {
        [8, 6, 5, 4, 3, 2].flatMap { bits in
            [.uniform, .affine, .codebook, .log2].compactMap { grid in
                let isWorthIt =
                    switch grid {
                    case .codebook: (2...5).contains(bits)
                    case .log2: bits == 4
                    default: true
                    }
                return isWorthIt ? GridFormat(grid, bits: bits, granularity) : nil
            }
        }
    }
}
