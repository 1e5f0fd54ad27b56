internal import Compute
internal import ModelFiles
internal import Reference

/// What the source's matrices read on the text that plans are refined on, and on other text: those of one layer, by which refinement is
/// scored, and the head.
final class RefinementInputs {
    private let model: ReferenceModel
    private let text: TokenSequences
    private let other: [[Int32]]
    private let memory: EvaluationMemory
    private let pool: ThreadPool
    private var known: [String: RefinedScorer.Inputs] = [:]

    /// Positions for each column that the head is refined for.
    private static let headPositions = 4
    /// Sequences of the other text.
    private static let others = 2

    /// - `text`: what plans are refined on.
    /// - `unseen`: text that nothing is fitted to. Where there is none, what fits `text` is measured on it too.
    init(
        model: ReferenceModel, text: TokenSequences, unseen: EvaluationText?, memory: EvaluationMemory, pool: ThreadPool
    ) {
        self.model = model
        self.text = text
        self.memory = memory
        self.pool = pool
        other = Array((unseen?.chunks ?? text.sequences).prefix(Self.others))
    }

    /// The inputs of `tensor`; nil where it is neither the head nor of the layer.
    func inputs(of tensor: String) throws -> RefinedScorer.Inputs? {
        let configuration = model.configuration
        if let inputs = known[tensor] { return inputs }
        // At a third of the depth. In the middle attention's outputs gain more than anywhere else: SmolLM2-135M in `k3g64` is left with
        // 0.21 of their error in layer 15, with 0.29 to 0.40 in layers 4, 10 and 22.
        let layer = configuration.layers / 3
        if tensor == TensorName.head(of: configuration) {
            known[tensor] = RefinedScorer.Inputs(
                try head(), other: try states(other), damping: PlanRefiner.headDamping(configuration), pool: pool)
        } else if LayerGroup.allCases.contains(where: { ScoringUnit.tensors(layer: layer, $0).contains(tensor) }) {
            let measured = try model.inputs(ofLayer: layer, sequences: other)
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
        return try states(
            text.sequences.prefix { sequence in
                defer { count += sequence.count }
                return count < Self.headPositions * model.configuration.width
            })
    }

    private func states(_ sequences: some Sequence<[Int32]>) throws -> Matrix {
        let values = try sequences.flatMap { try memory.states($0, 0..<$0.count, of: model).values }
        let width = model.configuration.width
        return Matrix(rows: values.count / width, columns: width, values: values)
    }
}
