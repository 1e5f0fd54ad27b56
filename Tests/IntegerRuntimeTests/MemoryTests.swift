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

    @Test("tensors that move into an arena keep their bytes, and their file's pages leave the process")
    func movingIn() throws {
        let path = NSTemporaryDirectory() + "fettle-arena-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let block = WeightsArena.blockBytes
        let count = 4 * block + 4160
        let bytes = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) })
        try bytes.write(to: URL(filePath: path))
        let file = try MappedFile(path: path)
        let sizes = [3 * block + 64, 100, count - 3 * block - 164]
        let arena = try WeightsArena(holding: sizes)
        var offset = 0
        for size in sizes {
            let moved = try arena.move(try #require(file.bytes.slice(offset: offset, count: size)))
            #expect(moved.withUnsafeBytes { $0.elementsEqual(bytes[offset..<offset + size]) })
            #expect(Int(bitPattern: moved.bytes.baseAddress).isMultiple(of: AlignedBytes.alignment))
            offset += size
        }
        #expect(try Self.residentBytes(of: path) < block)
        #expect(file.bytes.withUnsafeBytes { $0.elementsEqual(bytes) })
        #expect(throws: RuntimeError.self) { try arena.move(file.bytes) }
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
