internal import CKernels
internal import Compute

/// What one call of the block-fit kernel works on: 16 blocks of 32 weights, or 2 super-blocks of 256, with room for the
/// result.
final class BlockTile {
    /// Weights of a tile.
    static let length = FETTLE_BLOCK_TILE

    private let format: BlockFormat
    private let layout: BlockLayout
    private let levels: BlockLevels?
    private let instructionSet: InstructionSet
    // Buffers of its own rather than arrays: each access to an array that a class holds is checked for exclusivity.
    private let weights = Buffer<Float>.allocate(capacity: length)
    private let importance = Buffer<Float>.allocate(capacity: length)
    private let codes = Buffer<UInt8>.allocate(capacity: length)
    private let scales = Buffer<UInt16>.allocate(capacity: 16)
    private let minimums = Buffer<UInt16>.allocate(capacity: 16)
    private let scaleLevels = Buffer<Int8>.allocate(capacity: 32)
    private let minimumLevels = Buffer<UInt8>.allocate(capacity: 32)

    private typealias Buffer = UnsafeMutableBufferPointer

    /// A tile for blocks of `format`, fitted by the kernel of `instructionSet`.
    init(_ format: BlockFormat, _ instructionSet: InstructionSet) {
        self.format = format
        self.layout = BlockLayout(format)
        self.levels = BlockLevels(format)
        self.instructionSet = instructionSet
        codes.initialize(repeating: 0)
        scales.initialize(repeating: 0)
        minimums.initialize(repeating: 0)
        scaleLevels.initialize(repeating: 0)
        minimumLevels.initialize(repeating: 0)
    }

    deinit {
        weights.deallocate()
        importance.deallocate()
        codes.deallocate()
        scales.deallocate()
        minimums.deallocate()
        scaleLevels.deallocate()
        minimumLevels.deallocate()
    }

    /// Fits the weights from `first` on; columns repeat with the length of `columnImportance`. Past the end of the
    /// weights stand zeros.
    func fit(_ source: UnsafeBufferPointer<Float>, _ columnImportance: UnsafeBufferPointer<Float>, first: Int) {
        var column = first % columnImportance.count
        for index in 0..<Self.length {
            let isInside = first + index < source.count
            weights[index] = isInside ? source[first + index] : 0
            importance[index] = isInside ? columnImportance[column] : 1
            column += 1
            if column == columnImportance.count { column = 0 }
        }
        fettle_fit_blocks(
            instructionSet.cValue, format.kernelType, weights.baseAddress, importance.baseAddress,
            fettle_block_fit(
                codes: codes.baseAddress, scales: scales.baseAddress, minimums: minimums.baseAddress,
                scale_levels: scaleLevels.baseAddress, minimum_levels: minimumLevels.baseAddress))
    }

    /// Writes the blocks that were fitted to weights from `first` on, as far as `target` reaches.
    func write(into target: UnsafeMutableBufferPointer<UInt8>, first: Int) {
        let (length, byteCount) = (format.blockLength, format.blockBytes)
        let firstBlock = first / length
        let count = min(Self.length / length, target.count / byteCount - firstBlock)
        let groups = length / format.group
        for block in 0..<count {
            let start = (firstBlock + block) * byteCount
            let bytes = UnsafeMutableBufferPointer(rebasing: target[start..<start + byteCount])
            let blockCodes = UnsafeBufferPointer(rebasing: codes[block * length..<(block + 1) * length])
            layout.writeCodes(blockCodes, into: bytes)
            layout.writeScale(scales[block], minimum: minimums[block], into: bytes)
            guard let levels else { continue }
            let run = block * groups..<(block + 1) * groups
            levels.write(
                scales: UnsafeBufferPointer(rebasing: scaleLevels[run]),
                minimums: UnsafeBufferPointer(rebasing: minimumLevels[run]), into: bytes)
        }
    }
}

extension BlockFormat {
    fileprivate var kernelType: fettle_block_type {
        switch self {
        case .q8_0: FETTLE_BLOCK_Q8_0
        case .q4_0: FETTLE_BLOCK_Q4_0
        case .q5_0: FETTLE_BLOCK_Q5_0
        case .iq4_nl: FETTLE_BLOCK_IQ4_NL
        case .q4_1: FETTLE_BLOCK_Q4_1
        case .q5_1: FETTLE_BLOCK_Q5_1
        case .q6_k: FETTLE_BLOCK_Q6_K
        case .q3_k: FETTLE_BLOCK_Q3_K
        case .q4_k: FETTLE_BLOCK_Q4_K
        case .q5_k: FETTLE_BLOCK_Q5_K
        case .q2_k: FETTLE_BLOCK_Q2_K
        }
    }
}
