import Compute
import Foundation
import IntegerRuntime
import ModelFiles
import Quantization
import Testing

@Suite("Memory of the runtime")
struct MemoryTests {

    @Test("the cache takes keys and values in whole blocks of 16 positions")
    func cacheBytes() throws {
        let configuration = try Bard.model().configuration
        // 4 layers x 2 heads x 64 columns x (keys and values), 100 positions in 7 blocks; float32 scales for int8.
        let numbers = 4 * 2 * 64 * 2 * 112
        func pages(_ bytes: Int) -> Int { (bytes + 4095) / 4096 * 4096 }
        func memory(_ kv: KVFormat) -> RuntimeMemory {
            RuntimeMemory(configuration: configuration, kv: kv, context: 100)
        }
        #expect(memory(.float16).cacheBytes == pages(2 * numbers))
        #expect(memory(.int8).cacheBytes == pages(numbers + 4 * 2 * 112 * 2 * 4))
    }

    @Test("matrices that move into an arena multiply as before, and their file's pages leave the process")
    func movingIn() throws {
        var source = RandomMatrices(seed: 5)
        // 40 row blocks divide among 2 threads, 3 do not; codebooks and tensor scales lie before the row blocks.
        let matrices = [
            source.matrix(rows: 640, columns: 1536, bits: 4, group: 32, kind: .uniform),
            source.matrix(rows: 48, columns: 576, bits: 5, group: 64, kind: .zeroPoints),
            source.matrix(rows: 640, columns: 576, bits: 4, group: 32, kind: .blockCodebooks),
            source.matrix(rows: 33, columns: 64, bits: 3, group: 32, kind: .codebook),
            source.matrix(rows: 32, columns: 64, bits: 8, group: 64, kind: .tensorScale),
        ]
        let packed = try matrices.map { try PackedMatrix(packing: $0) }
        let path = NSTemporaryDirectory() + "fettle-arena-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(packed.flatMap { $0.bytes.withUnsafeBytes { [UInt8]($0) } }).write(to: URL(filePath: path))
        let file = try MappedFile(path: path)
        for threads in 1...3 {
            let arena = try WeightsArena(holding: packed.map(\.layout), threads: threads)
            var offset = 0
            for matrix in packed {
                let bytes = try #require(file.bytes.slice(offset: offset, count: matrix.bytes.count))
                offset += matrix.bytes.count
                let moved = try RuntimeMatrix(
                    format: matrix.format, layout: matrix.layout,
                    placed: try arena.move(bytes, layout: matrix.layout), activation: .int8g32)
                let before = try RuntimeMatrix(packed: matrix, activation: .int8g32)
                for tokens in [1, 9] {
                    let inputs = source.inputs(rows: tokens, columns: matrix.columns)
                    for pool in [threads, 2].map({ ThreadPool(threads: $0) }) {
                        #expect(
                            try moved.multiply(inputs, pool: pool) == before.multiply(inputs, pool: pool),
                            "\(matrix.rows) rows, arena for \(threads), \(pool.threads) threads, \(tokens) tokens")
                    }
                }
            }
            #expect(try Self.residentBytes(of: path) == 0, "the file's pages were mapped")
            #expect(throws: RuntimeError.self) { try arena.move(file.bytes, layout: packed[0].layout) }
            let first = try #require(file.bytes.slice(offset: 0, count: packed[0].bytes.count))
            #expect(throws: RuntimeError.self) { try arena.move(first, layout: packed[0].layout) }
        }
    }

    /// A file that somebody shortens is an error, not the end of the process.
    @Test func aFileThatShrinksIsAnError() throws {
        var source = RandomMatrices(seed: 5)
        let packed = try PackedMatrix(
            packing: source.matrix(rows: 64, columns: 64, bits: 4, group: 32, kind: .uniform))
        let path = NSTemporaryDirectory() + "fettle-shrinks-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(packed.bytes.withUnsafeBytes { [UInt8]($0) }).write(to: URL(filePath: path))
        let file = try MappedFile(path: path)
        let arena = try WeightsArena(holding: [packed.layout], threads: 2)
        #expect(truncate(path, off_t(packed.bytes.count / 2)) == 0)
        #expect(throws: ModelError.self) { try arena.move(file.bytes, layout: packed.layout) }
    }

    @Test("coded indices become, block by block, the matrix that was coded")
    func decodingIntoTheArena() throws {
        var source = RandomMatrices(seed: 6)
        let pool = ThreadPool(threads: 2)
        let weights = Matrix(rows: 640, columns: 576, values: (0..<640 * 576).map { _ in source.number(-1...1) })
        let path = NSTemporaryDirectory() + "fettle-coded-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for name in ["k5ce30", "k4g64e30", "k8te36"] {
            guard case .grid(let format) = try Format(parsing: name) else { continue }
            let packed = try PackedMatrix(
                packing: GridQuantizer.quantize(weights, as: format, clip: false, pool: pool), pool: pool)
            try Data(packed.coded()).write(to: URL(filePath: path))
            let file = try MappedFile(path: path)
            for threads in 1...3 {
                let arena = try WeightsArena(holding: [packed.layout], threads: threads)
                let decoded = try RuntimeMatrix(
                    format: packed.format, layout: packed.layout,
                    placed: try arena.decode(file.bytes, format: packed.format, layout: packed.layout),
                    activation: .int8g32)
                let before = try RuntimeMatrix(packed: packed, activation: .int8g32)
                let inputs = source.inputs(rows: 9, columns: 576)
                #expect(try decoded.multiply(inputs, pool: pool) == before.multiply(inputs, pool: pool))
            }
            #expect(try Self.residentBytes(of: path) < WeightsArena.blockBytes)
            let other = try R16Layout(storing: packed.format, rows: 656, columns: 576)
            let arena = try WeightsArena(holding: [other], threads: 1)
            #expect(throws: QuantizationError.self) {
                try arena.decode(file.bytes, format: packed.format, layout: other)
            }
        }
    }

    /// Resident bytes of this process's mappings of a file.
    private static func residentBytes(of path: String) throws -> Int {
        let name = URL(filePath: path).lastPathComponent
        var total = 0
        var isFile = false
        for line in try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8).split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.first?.contains("-") == true { isFile = line.hasSuffix(name) }
            if isFile, words.first == "Rss:", words.count > 1 { total += (Int(words[1]) ?? 0) * 1024 }
        }
        return total
    }

    @Test("a longer context, a larger chunk and more threads cost more; the same bytes are asked of the system")
    func arenaBytes() throws {
        let configuration = try Bard.model().configuration
        func bytes(_ context: Int, _ chunk: Int, _ threads: Int) -> Int {
            RuntimeMemory.bytes(
                configuration: configuration, kv: .int8, context: context, prefillChunk: chunk, threads: threads)
        }
        #expect(bytes(256, 96, 2) > bytes(128, 96, 2))
        #expect(bytes(256, 96, 2) > bytes(256, 48, 2))
        #expect(bytes(256, 96, 2) > bytes(256, 96, 1))
        #expect(bytes(32, 96, 2) == bytes(32, 32, 2))

        let weights = try Bard.weights(GridFormat(.uniform, bits: 4, .group(32)), .int8g32)
        let model = try Bard.integer(weights, kv: .int8, threads: 2, context: 100, chunk: 24)
        let expected = RuntimeMemory.bytes(
            configuration: configuration, kv: .int8, context: 100, prefillChunk: 24, threads: 2)
        #expect(model.residentBytes(context: 100) == weights.packedBytes + expected)
    }
}
