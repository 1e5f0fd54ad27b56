import Compute
import Reference
import Testing

/// Sweeps that were stopped and go on.
@Suite struct SweepMemoryTests {
    /// Keeps matrices in a dictionary.
    private final class Shelf: SweepMemory {
        var matrices: [String: Matrix] = [:]
        func contains(_ name: String) -> Bool { matrices[name] != nil }
        func matrix(_ name: String, rows: Int, columns: Int) -> Matrix? { matrices[name] }
        func keep(_ matrix: Matrix, _ name: String) { matrices[name] = matrix }
        func forget(_ name: String) { matrices[name] = nil }
    }

    /// Records, and stops before a layer; what is `done` is not needed.
    private struct Stopping: FisherVisitor {
        struct Stop: Error {}
        var recorder = Recorder()
        var stop = -1
        var done: Set<Int> = []

        func needs(layer: Int) -> Bool { !done.contains(layer) }
        mutating func visitHead(hidden: Matrix) { recorder.visitHead(hidden: hidden) }
        mutating func visit(layer: Int, group: LayerGroup, inputs: Matrix, outputGradients: Matrix) throws {
            if layer == stop { throw Stop() }
            recorder.visit(layer: layer, group: group, inputs: inputs, outputGradients: outputGradients)
        }
        mutating func visitEmbedding(outputGradients: Matrix) {
            recorder.visitEmbedding(outputGradients: outputGradients)
        }
    }

    private func sweep() throws -> FisherSweep {
        let weights = try GoldenFile("weights")
        return try FisherSweep(
            model: try weights.model(GoldenFile.configuration(tied: true)), sequences: weights.sequences)
    }

    @Test func goesOnWithTheSameNumbers() throws {
        let sweep = try sweep()
        var whole = Stopping()
        try sweep.run(labels: .sampled(seed: 4), visitor: &whole)
        let shelf = Shelf()
        var first = Stopping(stop: 0)
        #expect(throws: Stopping.Stop.self) {
            try sweep.run(labels: .sampled(seed: 4), visitor: &first, memory: shelf)
        }
        var second = Stopping(done: [1])
        try sweep.run(labels: .sampled(seed: 4), visitor: &second, memory: shelf)
        #expect(second.recorder.sites.map(\.layer) == [0, 0, 0, 0])
        #expect(second.recorder.hidden == whole.recorder.hidden)
        #expect(second.recorder.embedding == whole.recorder.embedding)
        for (found, expected) in zip(first.recorder.sites + second.recorder.sites, whole.recorder.sites) {
            #expect(found.layer == expected.layer && found.group == expected.group)
            #expect(found.inputs == expected.inputs && found.outputGradients == expected.outputGradients)
        }
        #expect(shelf.matrices.isEmpty, "nothing is left of a sweep that is done")
    }

    /// A layer that is needed again is shown again, although the sweep had come farther.
    @Test func showsALayerThatIsNeededAgain() throws {
        let sweep = try sweep()
        let shelf = Shelf()
        var first = Stopping(stop: 0)
        #expect(throws: Stopping.Stop.self) {
            try sweep.run(labels: .sampled(seed: 4), visitor: &first, memory: shelf)
        }
        var second = Stopping()
        try sweep.run(labels: .sampled(seed: 4), visitor: &second, memory: shelf)
        #expect(second.recorder.sites.map(\.layer) == [1, 1, 1, 1, 0, 0, 0, 0])
        #expect(second.recorder.sites[0].outputGradients == first.recorder.sites[0].outputGradients)
    }
}
