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

        init(heads: Int, width: Int, positions: Int, format: fettle_kv_format, window: Int = 0) {
            let unit = format == FETTLE_KV_INT4 ? 32 : 16
            let padded = (width + unit - 1) / unit * unit
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
                head_width: Int32(width), value_stride: Int32(padded), window: Int32(window), format: format)
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

    /// A head's numbers as the cache holds them.
    private struct StoredHead {
        /// Numbers in the cache's own basis, integers where it is quantized.
        var numbers: [Double]
        var scale: Float = 1

        init(_ head: [Float], _ format: fettle_kv_format) {
            switch format {
            case FETTLE_KV_INT8:
                let row = QuantizedRow(head, .int8)
                numbers = row.values.map(Double.init)
                scale = row.scales[0]
            case FETTLE_KV_INT4:
                let rotated = AttentionTests.rotated(head)
                let extreme = rotated.max { abs($0) < abs($1) } ?? 0
                numbers = rotated.map { max(-8, min(7, (Double($0) * -8 / Double(extreme)).rounded())) }
                scale = extreme / -8
            default:
                numbers = head.map { Double(Float16($0)) }
            }
        }
    }

    /// The Walsh-Hadamard transform by its definition: entry (i, j) is -1 to the number of bits that i and j share.
    private static func rotated(_ head: [Float]) -> [Float] {
        let run = 1 << head.count.trailingZeroBitCount
        return head.indices.map { i in
            let first = i / run * run
            let sum = (0..<run).reduce(0.0) { sum, j in
                sum + Double(head[first + j]) * (((i - first) & j).nonzeroBitCount.isMultiple(of: 2) ? 1 : -1)
            }
            return Float(sum / Double(run).squareRoot())
        }
    }

    /// A query as scores have it: for quantized caches in 14 bits and a sign, int4 after the rotation.
    private func scoring(_ query: [Float], _ format: fettle_kv_format) -> [Double] {
        let root = 1 / Float(query.count).squareRoot()
        let scaled = query.map { $0 * root }
        if format == FETTLE_KV_FLOAT16 { return scaled.map(Double.init) }
        let row = format == FETTLE_KV_INT4 ? Self.rotated(scaled) : scaled
        let largest = row.map(abs).max() ?? 0
        return row.map { Double(($0 * (16383 / largest)).rounded(.toNearestOrEven)) * Double(largest) / 16383 }
    }

    /// A cache of `filled` positions, and how many of them a row sees at most (0: all).
    struct Case {
        let width: Int
        let format: fettle_kv_format
        let window: Int
        let filled: Int

        init(_ width: Int, _ format: fettle_kv_format, window: Int = 0, filled: Int = 100) {
            self.width = width
            self.format = format
            self.window = window
            self.filled = filled
        }
    }

    @Test(
        "equals softmax in double precision; rows alone equal rows together; same bits everywhere",
        arguments: [
            Case(64, FETTLE_KV_FLOAT16), Case(64, FETTLE_KV_INT8), Case(64, FETTLE_KV_INT4), Case(8, FETTLE_KV_FLOAT16),
            Case(24, FETTLE_KV_INT8), Case(24, FETTLE_KV_INT4), Case(40, FETTLE_KV_INT4), Case(128, FETTLE_KV_FLOAT16),
            Case(128, FETTLE_KV_INT4), Case(64, FETTLE_KV_FLOAT16, window: 37), Case(64, FETTLE_KV_INT8, window: 37),
            Case(64, FETTLE_KV_INT4, window: 16), Case(24, FETTLE_KV_INT8, window: 1),
            // The window ends behind the first run of values that is summed in 32 bits.
            Case(64, FETTLE_KV_FLOAT16, window: 570, filled: 1100), Case(64, FETTLE_KV_INT8, window: 570, filled: 1100),
            Case(64, FETTLE_KV_INT4, window: 570, filled: 1100),
        ])
    func againstDouble(_ given: Case) {
        let (width, format, window, filled) = (given.width, given.format, given.window, given.filled)
        var source = RandomMatrices(seed: UInt64(width))
        let (heads, positions) = (2, (filled + 15) / 16 * 16)
        let keys = (0..<filled).map { _ in (0..<heads * width).map { _ in source.number(-2...2) } }
        let values = (0..<filled).map { _ in (0..<heads * width).map { _ in source.number(-2...2) } }
        let rows = (0..<8).map { _ in (0..<width).map { _ in source.number(-3...3) } }
        let limits = [filled - 3, filled - 2, filled - 1, filled, filled, 17, 1, filled - 4]
        var all: [[[Float]]] = []
        for set in Self.sets {
            let cache = Cache(heads: heads, width: width, positions: positions, format: format, window: window)
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
        let storedKeys = keys.map { StoredHead(Array($0[head]), format) }
        let storedValues = values.map { StoredHead(Array($0[head]), format) }
        for (row, limit) in zip(rows.indices, limits) {
            let query = scoring(rows[row], format)
            let seen = (window == 0 ? 0 : max(0, limit - window))..<limit
            let scores = storedKeys[seen].map { key in
                zip(query, key.numbers).reduce(0.0) { $0 + $1.0 * $1.1 } * Double(key.scale)
            }
            let most = scores.max() ?? 0
            let weights = scores.map { exp($0 - most) }
            let sum = weights.reduce(0, +)
            let exact = (0..<width).map { column in
                seen.reduce(0.0) {
                    $0 + weights[$1 - seen.lowerBound] / sum * storedValues[$1].numbers[column]
                        * Double(storedValues[$1].scale)
                }
            }
            let expected = format == FETTLE_KV_INT4 ? Self.rotated(exact.map { Float($0) }).map(Double.init) : exact
            // Float32 over 100 terms of size 2, after scores of size 10 known to 2^-20.
            var tolerance = 2e-5 * Double(filled) / 100
            if format != FETTLE_KV_FLOAT16 {
                // A weight, the value's scale in it, is rounded to a part of the largest; int4's rotation back adds up a
                // run's errors over its root.
                let largest = zip(weights, storedValues[seen]).map { $0 * Double(abs($1.scale)) }.max() ?? 0
                let rounding = Double(seen.count) * largest / 16383 / 2 * (format == FETTLE_KV_INT4 ? 8 : 127) / sum
                let run = Double(1 << width.trailingZeroBitCount)
                tolerance += rounding * (format == FETTLE_KV_INT4 ? run.squareRoot() : 1)
            }
            for column in 0..<width {
                #expect(abs(Double(all[0][row][column]) - expected[column]) < tolerance)
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
            let cache = Cache(heads: numbers.count / 64, width: 64, positions: 16, format: FETTLE_KV_FLOAT16)
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
