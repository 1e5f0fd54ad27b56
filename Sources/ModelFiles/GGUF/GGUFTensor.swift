/// One tensor of a GGUF file: its line of the tensor table, and its bytes.
package struct GGUFTensor: Sendable {
    package let name: String
    package let type: TensorType
    /// Lengths of the axes, the contiguous one first, as GGUF has them: 1 to 4, all positive.
    package let dimensions: [Int]
    /// Byte offset in the file.
    package let offset: Int
    /// The tensor's bytes, exactly.
    package let bytes: MappedBytes

    /// Bytes of a tensor of `type` and `dimensions`; nil where a row is not a whole number of blocks, an axis is not
    /// positive, or the product does not fit.
    static func byteCount(_ type: TensorType, _ dimensions: [Int]) -> Int? {
        guard let columns = dimensions.first, dimensions.allSatisfy({ $0 > 0 }), columns % type.blockLength == 0 else {
            return nil
        }
        var count = columns / type.blockLength
        for factor in dimensions.dropFirst() + [type.blockBytes] {
            let (product, overflow) = count.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }
}
