/// What the input of a matrix product is: the second part of a SPEC.
package enum Activation: String, Hashable, Sendable, CaseIterable {
    /// Not quantized.
    case float
    /// int16 with one scale for each token, run as two int8 products.
    case int16
    /// int8 with one scale for each token.
    case int8
    /// int8 with one scale for each token and 32 inputs.
    case int8g32
    case int8g64
    /// int8 with a scale frozen at calibration; the first token of a sequence has its own.
    case `static`
    /// llama.cpp's q8_0 and q8_1: int8 per 32 inputs, the scale rounded to half precision. Only with GGUF types.
    case q8_0
    /// llama.cpp's q8_K: int8 per 256 inputs. Only with GGUF's K types.
    case q8_k
}
