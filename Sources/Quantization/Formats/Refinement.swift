/// What adapts a format to data without changing how it is stored: the third part of a SPEC.
package enum Refinement: String, Hashable, Sendable, CaseIterable {
    /// Scales searched for the least weighted error instead of taken from the largest weight.
    case clip
    /// Activation ranges moved into the weights (SmoothQuant, Xiao et al., 2022).
    case smooth
    /// Activation-aware scaling of columns (Lin et al., 2023).
    case awq
    /// Rounding errors compensated by the weights not yet rounded (Frantar et al., 2022).
    case gptq
    /// Block-wise tuning of scales and roundings.
    case tune
    /// Quantization-aware training.
    case qat

    /// Whether this version has it.
    package var isAvailable: Bool { self == .clip || self == .smooth || self == .awq || self == .gptq }
}
