import Compute
import Foundation
import Quantization
import Testing

/// The entropy code of indices: what comes back, how many bytes it takes, and what damage does.
@Suite struct IndexCodeTests {
    /// Indices of one kind, a multiple of 32.
    struct Sample: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let indices: [UInt8]

        /// `count` indices, index s with a probability in proportion to weights[s].
        init(_ name: String, count: Int = 576 * 192, weights: [Double]) {
            testDescription = name
            var generator = SeededGenerator(seed: 31)
            let total = weights.reduce(0, +)
            var indices: [UInt8] = []
            for _ in 0..<count {
                var rest = generator.unit() * total
                var index = 0
                while index < weights.count - 1, rest >= weights[index] {
                    rest -= weights[index]
                    index += 1
                }
                indices.append(UInt8(index))
            }
            self.indices = indices
        }

        var counts: [Int] {
            var counts = [Int](repeating: 0, count: 256)
            for index in indices { counts[Int(index)] += 1 }
            return counts
        }

        /// Bytes at the entropy of the indices as they are.
        var entropyBytes: Double {
            let total = Double(indices.count)
            var bits = 0.0
            for count in counts where count > 0 { bits -= Double(count) * log2(Double(count) / total) }
            return bits / 8
        }

        /// Weights of a bell over `count` indices.
        static func bell(_ count: Int, width: Double) -> [Double] {
            (0..<count).map { index in
                let distance = (Double(index) - Double(count - 1) / 2) / width
                return exp(-distance * distance)
            }
        }

        /// Weights that fall with the square of the distance.
        static func heavyTails(_ count: Int) -> [Double] {
            (0..<count).map { index in
                let distance = Double(index - count / 2)
                return 1 / (1 + distance * distance)
            }
        }

        /// `count` times the same weight.
        static func alike(_ count: Int, _ weight: Double = 1) -> [Double] { [Double](repeating: weight, count: count) }
    }

    static let samples: [Sample] = [
        Sample("a bell of 16", weights: Sample.bell(16, width: 3)),
        Sample("a bell of 256", weights: Sample.bell(256, width: 12)),
        Sample("16 alike", weights: Sample.alike(16)),
        Sample("256 alike", weights: Sample.alike(256)),
        Sample("two alike", weights: Sample.alike(2)),
        Sample("two far apart", weights: Sample.alike(200, 0) + [1] + Sample.alike(54, 0) + [3]),
        Sample("heavy tails", weights: Sample.heavyTails(32)),
    ]

    /// Few symbols or few indices, where the head is a large part.
    static let extremes: [Sample] = [
        Sample("one", weights: [1]), Sample("one, the last of all", weights: Sample.alike(255, 0) + [1]),
        Sample("very skewed", weights: [1e6] + Sample.alike(255)),
        Sample("a tile's row", count: 32, weights: Sample.alike(16)),
    ]

    private func decoded(_ bytes: [UInt8], count: Int) -> (indices: [UInt8], isComplete: Bool)? {
        bytes.withUnsafeBytes { bytes in
            guard let decoder = IndexDecoder(bytes) else { return nil }
            var indices = [UInt8](repeating: 255, count: count)
            let isWhole = indices.withUnsafeMutableBufferPointer { indices in
                // In runs, as row blocks come.
                stride(from: 0, to: count, by: 32).allSatisfy {
                    decoder.decode(into: UnsafeMutableBufferPointer(rebasing: indices[$0..<$0 + 32]))
                }
            }
            return (indices, isWhole && decoder.isComplete)
        }
    }

    @Test(arguments: samples + extremes)
    func whatIsCodedComesBack(sample: Sample) throws {
        let code = IndexCode(counts: sample.counts)
        #expect(code.frequencies.reduce(0) { $0 + Int($1) } == 1 << 14)
        let bytes = try #require(code.encoded(sample.indices, capacity: 2 * sample.indices.count + 1024))
        let found = try #require(decoded(bytes, count: sample.indices.count))
        #expect(found.indices == sample.indices && found.isComplete)
        // As many bytes are enough, one less is not, and zeros behind them do no harm.
        #expect(code.encoded(sample.indices, capacity: bytes.count) == bytes)
        #expect(code.encoded(sample.indices, capacity: bytes.count - 1) == nil)
        #expect(CodeFit(counts: sample.counts, room: bytes.count).takes(sample.indices))
        #expect(!CodeFit(counts: sample.counts, room: bytes.count - 1).takes(sample.indices))
        #expect(decoded(bytes + [0, 0, 0], count: sample.indices.count)?.isComplete == true)
        #expect(decoded(bytes + [0, 1], count: sample.indices.count)?.isComplete == false)
    }

    @Test(arguments: samples)
    func bytesAreWithinOnePercentOfTheEntropy(sample: Sample) throws {
        let bytes = try #require(IndexCode(counts: sample.counts).encoded(sample.indices, capacity: 1 << 20))
        #expect(Double(bytes.count) <= 1.01 * sample.entropyBytes, "\(bytes.count) for \(sample.entropyBytes)")
        #expect(Double(bytes.count) >= sample.entropyBytes)
    }

    @Test func damageIsNoticedOrDecodesToAsManyIndices() throws {
        let sample = Sample("a bell", count: 1024, weights: Sample.bell(16, width: 3))
        let bytes = try #require(IndexCode(counts: sample.counts).encoded(sample.indices, capacity: 4096))
        var unnoticed = 0
        for position in bytes.indices {
            for flip: UInt8 in [1, 0x80, 0xff] {
                var damaged = bytes
                damaged[position] ^= flip
                if let found = decoded(damaged, count: 1024), found.isComplete { unnoticed += 1 }
            }
        }
        // Every lane must come back to where it began; a flip in one of the last words may happen to be another valid code.
        #expect(unnoticed * 100 < bytes.count, "\(unnoticed) of \(3 * bytes.count)")
        for count in 0..<bytes.count {
            #expect(decoded(Array(bytes[..<count]), count: 1024)?.isComplete != true, "cut after \(count)")
        }
        var generator = SeededGenerator(seed: 32)
        for length in [0, 1, 2, 33, 64, 700] {
            for _ in 0..<200 {
                let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
                #expect(decoded(noise, count: 1024)?.isComplete != true)
            }
        }
    }
}
