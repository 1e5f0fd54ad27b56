internal import DeviceProfiles
internal import IntegerRuntime
internal import Quantization

/// Whether a device can hold and multiply a format.
struct ChoiceLegality {
    let profile: DeviceProfile

    /// Whether every tensor of `group` can take `spec` on the device.
    func allows(_ spec: Spec, for group: ChoiceGroup) -> Bool {
        guard spec.format.legalActivations.contains(spec.activation) else { return false }
        guard group.tensors.allSatisfy({ spec.format.isLegal(rows: $0.rows, columns: $0.columns) }) else {
            return false
        }
        switch (spec.format, profile.runtime) {
        case (.grid(let format), .fettle):
            return allows(format) && allows(spec.activation) && isExecutable(spec.activation)
                && group.tensors.allSatisfy { fitsAccumulator(format, spec.activation, columns: $0.columns) }
        case (.block(let format), .llamaCpp): return allows(bits: format.bits) && spec.activation == format.activation
        case (.float16, _): return profile.compute.float != .none && allows(bits: 16)
        case (.grid, .llamaCpp), (.block, .fettle): return false
        }
    }

    /// Integer-only execution takes int8 inputs.
    private func isExecutable(_ activation: Activation) -> Bool {
        ExecutionMode(profile) == .dynamic || activation == .int8 || activation == .int8g32
    }

    private func allows(bits: Int) -> Bool { profile.compute.weights?.contains(bits) ?? true }

    private func allows(_ format: GridFormat) -> Bool {
        let compute = profile.compute
        let granularity = compute.granularity ?? Set(ComputeCapability.WeightGranularity.allCases)
        let isShared =
            switch format.granularity {
            case .tensor: granularity.contains(.tensor)
            case .channel: granularity.contains(.channel)
            case .group(let size): granularity.contains(.group) && compute.groups?.contains(size) ?? true
            }
        let hasGrid =
            switch format.grid {
            case .uniform: true
            case .affine: compute.zeroPoint
            case .codebook: compute.codebook
            case .log2, .twoPowers: compute.shift
            }
        return isShared && hasGrid && allows(bits: format.bits)
    }

    private func allows(_ activation: Activation) -> Bool {
        let compute = profile.compute
        guard activation != .float else { return compute.float != .none }
        guard compute.techniques.contains(activation == .static ? .static : .dynamic) else { return false }
        if let allowed = compute.activations, !allowed.contains(activation == .int16 ? 16 : 8) { return false }
        return switch activation {
        case .int8g32, .int8g64: compute.activationGranularity.contains(.group)
        case .int8, .int16: compute.activationGranularity.contains(.token)
        // What takes a scale for each token takes one for all.
        case .static: !compute.activationGranularity.isDisjoint(with: [.tensor, .token])
        default: false
        }
    }

    /// 127 * max|w| * (products between two rescalings) stays inside the accumulator.
    private func fitsAccumulator(_ format: GridFormat, _ activation: Activation, columns: Int) -> Bool {
        let largest =
            switch format.grid {
            case .uniform: 1 << (format.bits - 1)
            case .affine: (1 << format.bits) - 1
            case .codebook, .log2, .twoPowers: 127
            }
        let inputs = activation == .int8g32 ? 32 : activation == .int8g64 ? 64 : columns
        let run = min(format.group(columns: columns), inputs)
        let limit = profile.compute.accumulator >= 63 ? Int.max : 1 << (profile.compute.accumulator - 1)
        let (product, overflows) = (127 * largest).multipliedReportingOverflow(by: run)
        return !overflows && product < limit
    }
}
