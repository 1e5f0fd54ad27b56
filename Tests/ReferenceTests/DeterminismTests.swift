import Compute
import Reference
import Testing

@Suite struct DeterminismTests {
    @Test func sweepIsTheSameBitsOnEveryInstructionSetAndThreadCount() throws {
        let expected = try sweep(ThreadPool(threads: 1, instructionSet: .scalar))
        for instructionSet in InstructionSet.allCases where instructionSet.isSupported {
            for threads in [1, 2] {
                let found = try sweep(ThreadPool(threads: threads, instructionSet: instructionSet))
                #expect(found.embedding == expected.embedding)
                #expect(found.sites.map(\.inputs) == expected.sites.map(\.inputs))
                #expect(found.sites.map(\.outputGradients) == expected.sites.map(\.outputGradients))
            }
        }
    }

    @Test func sequencesDoNotTouchEachOther() throws {
        let weights = try GoldenFile("weights")
        let model = try weights.model(GoldenFile.configuration(tied: true))
        let together = try model.hidden(sequences: weights.sequences)
        let apart = try weights.sequences.map { try model.hidden(tokens: $0).values }
        #expect(together.values == apart.flatMap(\.self))
    }

    @Test(arguments: [1, 3]) func decoderIsTheForwardPass(sequences: Int) throws {
        let model = try GoldenFile("weights").model(GoldenFile.configuration(tied: true))
        var generator = SeededGenerator(seed: 4)
        let length = 70
        let texts = (0..<sequences).map { _ in (0..<length).map { _ in Int32(generator.next() % 96) } }
        let expected = try texts.map { try model.logits(tokens: $0, rows: 0..<length) }
        var decoder = try ReferenceDecoder(model: model, sequences: sequences, capacity: length)
        for position in 0..<length {
            let logits = try decoder.step(tokens: texts.map { $0[position] })
            for sequence in 0..<sequences {
                #expect(Array(logits[row: sequence]) == Array(expected[sequence][row: position]))
            }
        }
        #expect(throws: ReferenceError.self) { try decoder.step(tokens: texts.map { $0[0] }) }
    }

    private func sweep(_ pool: ThreadPool) throws -> Recorder {
        let weights = try GoldenFile("weights")
        let model = try weights.model(GoldenFile.configuration(tied: true), pool: pool)
        var recorder = Recorder()
        try FisherSweep(model: model, sequences: weights.sequences).run(labels: .sampled(seed: 9), visitor: &recorder)
        return recorder
    }
}
