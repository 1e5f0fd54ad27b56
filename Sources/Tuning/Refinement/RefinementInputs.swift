internal import Compute
internal import ModelFiles
internal import Reference

/// What the source's matrices read on the text that plans are refined on, and on other text: those of one layer, by which refinement is
/// scored, and the head.
final class RefinementInputs {
    private let model: ReferenceModel
    private let text: TokenSequences
    private let other: EvaluationText
    private let memory: EvaluationMemory
    private let pool: ThreadPool
    private var known: [String: RefinedScorer.Inputs] = [:]

    /// Positions for each column that the head is refined for.
    private static let headPositions = 4
    /// Chunks of the other text. The head's inputs at their scored positions are known from exchanges.
    private static let layerChunks = 2
    private static let headChunks = 4

    /// - `text`: what plans are refined on.
    /// - `other`: what exchanges are measured on, to which nothing is fitted if there is such text.
    init(
        model: ReferenceModel, text: TokenSequences, other: EvaluationText, memory: EvaluationMemory, pool: ThreadPool
    ) {
        self.model = model
        self.text = text
        self.memory = memory
        self.pool = pool
        self.other = other
    }

    /// The inputs of `tensor`; nil where it is neither the head nor of the layer.
    func inputs(of tensor: String) throws -> RefinedScorer.Inputs? {
        let configuration = model.configuration
        if let inputs = known[tensor] { return inputs }
        // At a third of the depth. In the middle attention's outputs gain more than anywhere else: SmolLM2-135M in `k3g64` is left with
        // 0.21 of their error in layer 15, with 0.29 to 0.40 in layers 4, 10 and 22.
        let layer = configuration.layers / 3
        if tensor == TensorName.head(of: configuration) {
            let measured = try other.chunks.prefix(Self.headChunks).map {
                try memory.states($0, other.scored, of: model)
            }
            known[tensor] = RefinedScorer.Inputs(
                try head(), other: stacked(measured), damping: PlanRefiner.headDamping(configuration), pool: pool)
        } else if LayerGroup.allCases.contains(where: { ScoringUnit.tensors(layer: layer, $0).contains(tensor) }) {
            let measured = try model.inputs(ofLayer: layer, sequences: Array(other.chunks.prefix(Self.layerChunks)))
            for (group, matrix) in try model.inputs(ofLayer: layer, sequences: text.sequences) {
                let inputs = RefinedScorer.Inputs(
                    matrix, other: measured[group] ?? matrix, damping: PlanRefiner.damping, pool: pool)
                for name in ScoringUnit.tensors(layer: layer, group) { known[name] = inputs }
            }
        }
        return known[tensor]
    }

    /// What the source's last layer says, at positions enough to refine the head for them.
    func head() throws -> Matrix {
        var count = 0
        let sequences = text.sequences.prefix { sequence in
            defer { count += sequence.count }
            return count < Self.headPositions * model.configuration.width
        }
        return stacked(try sequences.map { try memory.states($0, 0..<$0.count, of: model) })
    }

    private func stacked(_ states: [Matrix]) -> Matrix {
        Matrix(
            rows: states.reduce(0) { $0 + $1.rows }, columns: model.configuration.width,
            values: states.flatMap(\.values))
    }
}
