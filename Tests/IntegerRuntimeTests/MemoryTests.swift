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
