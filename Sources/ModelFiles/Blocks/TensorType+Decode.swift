extension TensorType {
    /// Decodes one row into float32, to the bit as gguf-py's `dequantize` does.
    ///
    /// `target.count` must be a whole number of blocks and `source` hold `bytes(columns: target.count)` bytes; both
    /// are facts that the readers have checked before a tensor exists, so a breach is a defect of the caller, not of
    /// a file.
    package func decode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>) {
        let blocks = target.count / blockLength
        precondition(blocks * blockLength == target.count, "a row is a whole number of blocks")
        precondition(source.count >= blocks * blockBytes, "a row needs all bytes of its blocks")
        guard blocks > 0, let bytes = source.baseAddress, let values = target.baseAddress else { return }
        switch self {
        case .f32: FloatDecoder.float32(bytes, blocks, values)
        case .f16: FloatDecoder.float16(bytes, blocks, values)
        case .bf16: FloatDecoder.bfloat16(bytes, blocks, values)
        case .q4_0: each(blocks, bytes, values, LinearBlockDecoder.q4_0)
        case .q4_1: each(blocks, bytes, values, LinearBlockDecoder.q4_1)
        case .q5_0: each(blocks, bytes, values, LinearBlockDecoder.q5_0)
        case .q5_1: each(blocks, bytes, values, LinearBlockDecoder.q5_1)
        case .q8_0: each(blocks, bytes, values, LinearBlockDecoder.q8_0)
        case .q2_k: each(blocks, bytes, values, KBlockDecoder.q2_k)
        case .q3_k: each(blocks, bytes, values, KBlockDecoder.q3_k)
        case .q4_k: each(blocks, bytes, values, KBlockDecoder.q4_k)
        case .q5_k: each(blocks, bytes, values, KBlockDecoder.q5_k)
        case .q6_k: each(blocks, bytes, values, KBlockDecoder.q6_k)
        case .iq4_nl: each(blocks, bytes, values, TableBlockDecoder.iq4_nl)
        case .iq4_xs: each(blocks, bytes, values, TableBlockDecoder.iq4_xs)
        case .mxfp4: each(blocks, bytes, values, TableBlockDecoder.mxfp4)
        case .nvfp4: each(blocks, bytes, values, TableBlockDecoder.nvfp4)
        case .iq2_xxs: each(blocks, bytes, values, VectorBlockDecoder.iq2_xxs)
        case .iq2_xs: each(blocks, bytes, values, VectorBlockDecoder.iq2_xs)
        case .iq2_s: each(blocks, bytes, values, VectorBlockDecoder.iq2_s)
        case .iq3_xxs: each(blocks, bytes, values, VectorBlockDecoder.iq3_xxs)
        case .iq3_s: each(blocks, bytes, values, VectorBlockDecoder.iq3_s)
        case .iq1_s: each(blocks, bytes, values, TernaryBlockDecoder.iq1_s)
        case .iq1_m: each(blocks, bytes, values, TernaryBlockDecoder.iq1_m)
        case .tq1_0: each(blocks, bytes, values, TernaryBlockDecoder.tq1_0)
        case .tq2_0: each(blocks, bytes, values, TernaryBlockDecoder.tq2_0)
        }
    }

    private func each(
        _ blocks: Int, _ bytes: UnsafeRawPointer, _ values: UnsafeMutablePointer<Float>,
        _ decodeBlock: (UnsafeRawPointer, UnsafeMutablePointer<Float>) -> Void
    ) {
        let (stride, length) = (blockBytes, blockLength)
        for block in 0..<blocks { decodeBlock(bytes + block * stride, values + block * length) }
    }
}
