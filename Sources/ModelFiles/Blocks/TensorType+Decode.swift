extension TensorType {
    /// Decodes one row into float32, to the bit as gguf-py's `dequantize` does.
    ///
    /// `target.count` must be a whole number of blocks and `source` hold `bytes(columns: target.count)` bytes; both are
    /// facts that the readers have checked before a tensor exists, so a breach is a defect of the caller, not of a file.
    package func decode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>) {
        let blocks = target.count / blockLength
        precondition(blocks * blockLength == target.count, "a row is a whole number of blocks")
        precondition(source.count >= blocks * blockBytes, "a row needs all bytes of its blocks")
        guard blocks > 0, let bytes = source.baseAddress, let values = target.baseAddress else { return }
        decodeBlocks(bytes, blocks, values)
    }

    private func decodeBlocks(_ bytes: UnsafeRawPointer, _ blocks: Int, _ values: UnsafeMutablePointer<Float>) {
        switch self {
        case .f32: FloatDecoder.float32(bytes, blocks, values)
        case .f16: FloatDecoder.float16(bytes, blocks, values)
        case .bf16: FloatDecoder.bfloat16(bytes, blocks, values)
        default: break
        }
    }
}
