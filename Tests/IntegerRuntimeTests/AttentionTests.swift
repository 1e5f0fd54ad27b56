import CKernels
import Compute
import Foundation
import Quantization
import Testing

@Suite("Attention over cached keys and values")
struct AttentionTests {
    static let sets = InstructionSet.allCases.filter(\.isSupported)

    /// One layer's cache in memory of its own.
    private final class Cache {
        var kv: fettle_kv
        private let bytes: UnsafeMutableRawPointer

        init(heads: Int, width: Int, positions: Int, int8: Bool) {
            let padded = (width + 15) / 16 * 16
            let keyBytes = heads * positions * width * 2
            let valueBytes = heads * positions * padded * 2
            let total = keyBytes + valueBytes + 8 * heads * positions
            bytes = .allocate(byteCount: total, alignment: 64)
            bytes.initializeMemory(as: UInt8.self, repeating: 0xff, count: total)  // NaNs, where nothing is stored
            let scales = (bytes + keyBytes + valueBytes).assumingMemoryBound(to: Float.self)
            kv = fettle_kv(
                keys: bytes.assumingMemoryBound(to: UInt8.self),
                values: (bytes + keyBytes).assumingMemoryBound(to: UInt8.self), key_scales: scales,
                value_scales: scales + heads * positions, capacity: Int32(positions), heads: Int32(heads),
                head_width: Int32(width), value_stride: Int32(padded), int8: int8)
        }

        deinit { bytes.deallocate() }

        /// Attention of rows that share a head, each with its own limit.
        func attend(_ set: InstructionSet, head: Int, rows: [[Float]], limits: [Int]) -> [[Float]] {
            let width = Int(kv.head_width)
            var results = [Float](repeating: 0, count: rows.count * width)
            var scratch = [Float](repeating: 0, count: fettle_attend_cache_scratch(kv.head_width, kv.capacity))
            let flat: [Float] = rows.flatMap(\.self)
            let visible = limits.map { Int32($0) }
            flat.withUnsafeBufferPointer { source in
                results.withUnsafeMutableBufferPointer { target in
                    guard let first = source.baseAddress, let result = target.baseAddress else { return }
                    let queries: [UnsafePointer<Float>?] = rows.indices.map { first + $0 * width }
                    let targets: [UnsafeMutablePointer<Float>?] = rows.indices.map { result + $0 * width }
                    fettle_attend_cache(
                        set.cValue, &kv, Int32(head), queries, visible, Int32(rows.count), &scratch, targets)
                }
            }
            return rows.indices.map { Array(results[$0 * width..<($0 + 1) * width]) }
        }
    }

    /// What the cache gives back of a stored head: halves, or int8 with one scale.
    private func stored(_ numbers: [Float], int8: Bool) -> [Double] {
        if !int8 { return numbers.map { Double(Float16($0)) } }
        let row = QuantizedRow(numbers, .int8)
        return row.values.map { Double($0) * Double(row.scales[0]) }
    }

    @Test(
        "equals softmax in double precision; rows alone equal rows together; same bits everywhere",
        arguments: [(64, false), (64, true), (8, false), (24, true), (128, false)])
    func againstDouble(width: Int, int8: Bool) {
        var source = RandomMatrices(seed: UInt64(width))
        let (heads, positions, filled) = (2, 112, 100)
        let keys = (0..<filled).map { _ in (0..<heads * width).map { _ in source.number(-2...2) } }
        let values = (0..<filled).map { _ in (0..<heads * width).map { _ in source.number(-2...2) } }
        let rows = (0..<8).map { _ in (0..<width).map { _ in source.number(-3...3) } }
        let limits = [97, 98, 99, 100, 100, 17, 1, 96]
        var all: [[[Float]]] = []
        for set in Self.sets {
            let cache = Cache(heads: heads, width: width, positions: positions, int8: int8)
            for position in 0..<filled {
                fettle_kv_store(set.cValue, &cache.kv, Int32(position), keys[position], values[position])
            }
            let together = cache.attend(set, head: 1, rows: rows, limits: limits)
            let alone = (0..<8).map { cache.attend(set, head: 1, rows: [rows[$0]], limits: [limits[$0]])[0] }
            #expect(together == alone)
            // Any number of rows, so that each of the kernel's ways through them is taken.
            for count in 2..<8 {
                let some = cache.attend(set, head: 1, rows: Array(rows[..<count]), limits: Array(limits[..<count]))
                #expect(some == Array(alone[..<count]), "\(count) rows")
            }
            all.append(together)
        }
        #expect(all.allSatisfy { $0 == all[0] })

        let head = width..<2 * width
        for (row, limit) in zip(rows.indices, limits) {
            let scores = (0..<limit).map { position in
                zip(rows[row], stored(Array(keys[position][head]), int8: int8)).reduce(0.0) { $0 + Double($1.0) * $1.1 }
                    / Double(width).squareRoot()
            }
            let most = scores.max() ?? 0
            let weights = scores.map { exp($0 - most) }
            let sum = weights.reduce(0, +)
            for column in 0..<width {
                var exact = 0.0
                for position in 0..<limit {
                    exact += weights[position] / sum * stored(Array(values[position][head]), int8: int8)[column]
                }
                // Float32 over 100 terms of size 2, after scores of size 10 known to 2^-20.
                #expect(abs(Double(all[0][row][column]) - exact) < 2e-5)
            }
        }
    }

    @Test("halves are rounded to the nearest, ties to even, subnormals, overflow and all")
    func halves() {
        var numbers: [Float] = [
            0, -0.0, 65_504, 65_519.996, 65_520, -70_000, .infinity, 0x1p-24, 0x1p-25, 0x1.8p-25, 0x1p-14,
        ]
        var random = SeededGenerator(seed: 3)
        for pattern in 0..<0x7c00 where pattern % 7 == 0 {
            // A half, and the midpoint to the next one.
            let half = Float(Float16(bitPattern: UInt16(pattern)))
            let next = Float(Float16(bitPattern: UInt16(pattern + 1)))
            numbers += [half, next.isFinite ? (half + next) / 2 : half]
        }
        numbers += (0..<2000).map { _ in
            Float(
                sign: .minus, exponent: Int.random(in: -30...16, using: &random), significand: 1 + Float(random.unit()))
        }
        while !numbers.count.isMultiple(of: 64) { numbers.append(1) }
        for set in Self.sets {
            let cache = Cache(heads: numbers.count / 64, width: 64, positions: 16, int8: false)
            fettle_kv_store(set.cValue, &cache.kv, 3, numbers, numbers)
            let found = (0..<numbers.count).map { index in
                let at = (index / 64 * 16 + 3) * 64 + index % 64
                return UnsafeRawPointer(cache.kv.values).loadUnaligned(fromByteOffset: 2 * at, as: UInt16.self)
            }
            #expect(found == numbers.map { Float16($0).bitPattern }, "\(set)")
            let keys = (0..<numbers.count).map { index in
                let at = (index / 64 * 64 + index % 64) * 16 + 3
                return UnsafeRawPointer(cache.kv.keys).loadUnaligned(fromByteOffset: 2 * at, as: UInt16.self)
            }
            #expect(keys == found)
        }
    }
}
