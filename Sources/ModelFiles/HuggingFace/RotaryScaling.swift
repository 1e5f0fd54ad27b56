internal import Foundation

/// The rotary embedding of a config.json: its base, and Llama 3's scaling of the low frequencies.
///
/// transformers, modeling_rope_utils.py, `_compute_llama3_parameters`: a frequency whose wavelength is over
/// `context / low` is divided by `factor`, one under `context / high` is kept, and between them the two are blended.
struct RotaryScaling {
    /// Base of the frequencies (`rope_theta`).
    let base: Double
    private var llama3: Llama3?

    private struct Llama3 {
        let factor: Float
        let low: Float
        let high: Float
        let context: Float
    }

    /// Reads `rope_parameters` (transformers 5) or `rope_theta` and `rope_scaling` (before it); `context` is the model's.
    ///
    /// - Throws: `unsupported` for a scaling other than Llama 3's; `malformed`.
    init(fields: Fields, context: Int) throws(ModelError) {
        let key = ["rope_parameters", "rope_scaling"].first { (fields.json[$0] ?? .null) != .null }
        guard let key, let scaling = fields.json[key] else {
            base = try fields.number("rope_theta", default: 10000)
            return
        }
        guard scaling.members != nil else { throw fields.fault(.malformed, key, "must be an object") }
        let inner = Fields(json: scaling, file: fields.file)
        base = try inner.number("rope_theta", default: try fields.number("rope_theta", default: 10000))
        let type = scaling["rope_type"]?.string ?? scaling["type"]?.string ?? "default"
        switch type {
        case "default": return
        case "llama3":
            let scaled = Llama3(
                factor: Float(try inner.number("factor")),
                low: Float(try inner.number("low_freq_factor")),
                high: Float(try inner.number("high_freq_factor")),
                context: Float(try inner.number("original_max_position_embeddings", default: Double(context))))
            guard scaled.factor >= 1, scaled.low > 0, scaled.high > scaled.low, scaled.context > 0 else {
                throw fields.fault(
                    .malformed, key, "needs factor >= 1, 0 < low_freq_factor < high_freq_factor and a positive context")
            }
            llama3 = scaled
        default:
            throw fields.fault(.unsupported, key, "has rope_type \(type); default and llama3 are known")
        }
    }

    /// What each pair's frequency is divided by, for heads of `headWidth`; nil where there is no scaling.
    func divisors(headWidth: Int) -> [Float]? {
        guard let llama3 else { return nil }
        return (0..<headWidth / 2).map { pair in
            let exponent = Float(2 * pair) / Float(headWidth)
            let wavelength = 2 * Float.pi * pow(Float(base), exponent)
            if wavelength < llama3.context / llama3.high { return 1 }
            if wavelength > llama3.context / llama3.low { return llama3.factor }
            let smooth = (llama3.context / wavelength - llama3.low) / (llama3.high - llama3.low)
            return 1 / ((1 - smooth) / llama3.factor + smooth)
        }
    }
}
