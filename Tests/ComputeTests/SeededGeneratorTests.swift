import Compute
import Testing

@Suite struct SeededGeneratorTests {
    /// First outputs of xoshiro256** whose state is SplitMix64's from 0, as published with other implementations.
    @Test func followsThePublishedSequence() {
        var generator = SeededGenerator(seed: 0)
        let first = (0..<4).map { _ in generator.next() }
        #expect(first == [0x99EC_5F36_CB75_F2B4, 0xBF6E_1F78_4956_452A, 0x1A5F_849D_4933_E6E0, 0x6AA5_94F1_262D_2D2C])
    }

    @Test func unitIsUniform() {
        var generator = SeededGenerator(seed: 7)
        let count = 100_000
        let values = (0..<count).map { _ in generator.unit() }
        #expect(values.allSatisfy { (0..<1).contains($0) })
        // The mean of n uniform numbers has standard deviation 1 / sqrt(12 n): five of them are 0.0046.
        #expect(abs(values.reduce(0, +) / Double(count) - 0.5) < 0.0046)
    }
}
