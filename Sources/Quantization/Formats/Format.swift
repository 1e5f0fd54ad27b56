internal import ModelFiles

/// How a weight matrix is stored: the first part of a SPEC, such as `u4g32`, `k4c`, `q4_0` or `f16`.
package enum Format: Hashable, Sendable {
    /// Unquantized half precision.
    case float16
    /// A format of Fettle's own, packed in layout R16.
    case grid(GridFormat)
    /// One of GGUF's block types, as llama.cpp reads it.
    case block(BlockFormat)
}

extension Format {
    /// Bits of a code: 16 for `f16`, else 2...8.
    package var bits: Int {
        switch self {
        case .float16: 16
        case .grid(let format): format.bits
        case .block(let format): format.bits
        }
    }

    /// Whether the format holds a matrix of this shape without padding a row: columns divisible by 32 and by the group, or
    /// by the length of a block.
    package func isLegal(rows: Int, columns: Int) -> Bool {
        guard R16Layout.holds(rows: rows, columns: columns) else { return false }
        return switch self {
        case .float16: true
        case .grid(let format): format.isValid && columns.isMultiple(of: format.group(columns: columns))
        case .block(let format): columns.isMultiple(of: format.tensorType.blockLength)
        }
    }

    /// Bytes of a matrix of a legal shape, exactly: layout R16 with scales and tables for Fettle's own formats, GGUF's blocks
    /// for block types: what it takes in memory.
    package func packedBytes(rows: Int, columns: Int) -> Int {
        precondition(isLegal(rows: rows, columns: columns), "the shape must be legal")
        return switch self {
        case .float16: R16Layout(float16Rows: rows, columns: columns).byteCount
        case .grid(let format): R16Layout(format, rows: rows, columns: columns).byteCount
        case .block(let format): rows * format.tensorType.bytes(columns: columns)
        }
    }

    /// Bytes of a matrix of a legal shape in a file, exactly (headers apart): the packed bytes, or fewer where indices are coded.
    package func storedBytes(rows: Int, columns: Int) -> Int {
        guard case .grid(let format) = self, let coded = CodedLayout(format, rows: rows, columns: columns) else {
            return packedBytes(rows: rows, columns: columns)
        }
        return coded.byteCount
    }

    /// Whether indices take another form in a file than in memory.
    package var isCoded: Bool { self != resident }

    /// The format in memory: without the code that indices have in a file.
    package var resident: Format {
        guard case .grid(let format) = self else { return self }
        return .grid(format.resident)
    }

    /// Bits that a weight takes on average in memory in a matrix of a legal shape, everything counted.
    package func bitsPerWeight(rows: Int, columns: Int) -> Double {
        8 * Double(packedBytes(rows: rows, columns: columns)) / (Double(rows) * Double(columns))
    }

    /// The activation of a SPEC that names none: int8 per 32 inputs for grids, llama.cpp's own for block types.
    package var defaultActivation: Activation {
        switch self {
        case .float16: .float
        case .grid: .int8g32
        case .block(let format): format.activation
        }
    }

    /// The activations that a SPEC may name beside this format.
    package var legalActivations: [Activation] {
        switch self {
        case .float16: [.float]
        case .grid: [.float, .int16, .int8, .int8g32, .int8g64, .static]
        case .block(let format): [.float, format.activation]
        }
    }
}
