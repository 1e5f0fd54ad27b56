extension TensorType {
    /// Numbers in one block; 1 for floats.
    package var blockLength: Int { 1 }
    /// Bytes of one block.
    package var blockBytes: Int { 4 }

    /// Bytes of a row of `columns` numbers, which must be a whole number of blocks.
    package func bytes(columns: Int) -> Int { columns / blockLength * blockBytes }

    /// Decodes one row; `source` holds `bytes(columns: target.count)` bytes.
    package func decode(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableBufferPointer<Float>) {
    }
}
