internal import Compute
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization
internal import Reference

/// Refines the weights of a whole plan with `gptq` on sequential calibration: matrix after matrix in the order of execution,
/// each for the inputs that the refined ones before it leave on the integer runtime, and so that it makes up for part of what
/// they changed.
struct PlanRefiner: SequentialVisitor {
    let model: Model
    let scores: Scores
    let plan: Plan
    /// Whether every matrix is refined, or only those whose choice asks for it.
    let isOpen: Bool
    /// Tokens from the first of one sequence to that of the next.
    let sequence: Int
    let pool: ThreadPool
    /// Called with the share of the groups that are done.
    let progress: (_ fraction: Double) throws -> Void

    /// The refined tensors by canonical name.
    private(set) var refined: [String: PlannedWeights.Stored] = [:]
    private let quantizer: MatrixQuantizer
    private let choices: [String: Choice]
    private var visits = 0

    /// Of the mean second moment, added to each input's own: as in the paper.
    static let damping: Float = 0.01
    /// The same for a head that is the embedding too. What a row's error does as a look-up is not among the moments of the head's inputs,
    /// so that it must not grow much. SmolLM2-135M at 3.5 bits, the head in k5ce36: divergence of the head's own logits 0.0590 nats before
    /// and an embedding that is off by 0.98 % of its square; 0.0199 and 1.78 % with 0.01, 0.0234 and 1.06 % with 0.5, 0.0327 and 0.93 %
    /// with 5.
    private static let tiedDamping: Float = 0.5

    init(
        model: Model, scores: Scores, plan: Plan, isOpen: Bool, sequence: Int, pool: ThreadPool,
        progress: @escaping (_ fraction: Double) throws -> Void
    ) {
        self.model = model
        self.scores = scores
        self.plan = plan
        self.isOpen = isOpen
        self.sequence = sequence
        self.pool = pool
        self.progress = progress
        quantizer = MatrixQuantizer(model: model, pool: pool)
        choices = plan.choices
    }

    /// Whether `choice` names the refinement.
    static func isAsked(for choice: Choice) -> Bool { choice.refinement.contains(Refinement.gptq.rawValue) }

    /// Whether there is something to gain from refining `tensor` in `choice`. Weights in the source's own GGUF type are exact, and unless it
    /// is asked for a head of 8 bits is left alone, which is so near that there is nothing to gain.
    static func isWorthwhile(_ choice: Choice, isHead: Bool, _ tensor: ModelTensor) -> Bool {
        if case .block(let format) = choice.format, tensor.isStored(as: format) { return false }
        return choice.format != .float16 && (!isHead || choice.format.bits < 8 || isAsked(for: choice))
    }

    /// Refines the head for `hidden`, what the source's last layer says: positions x width. Before the layers, which read it where it is
    /// the embedding too.
    mutating func refineHead(_ hidden: () throws -> Matrix) throws {
        let head = TensorName.head(of: model.configuration)
        guard let choice = choices[head], isOpen || Self.isAsked(for: choice),
            Self.isWorthwhile(choice, isHead: true, try model.tensor(head))
        else { return }
        let factor = InverseFactor(
            moments: pool.gram(try hidden()), damping: Self.headDamping(model.configuration), pool: pool)
        _ = try stored(head, choice, ErrorCompensation(factor: factor, pool: pool), nil)
        try progress(0)
    }

    /// What is added to the second moments of a head's inputs.
    static func headDamping(_ configuration: ModelConfiguration) -> Float {
        configuration.tiedEmbedding ? tiedDamping : damping
    }

    mutating func visit(
        layer: Int, group: LayerGroup, inputs: Matrix, aim: SequentialAim?, into outputs: inout Matrix
    ) throws {
        let factor = InverseFactor(moments: pool.gram(inputs), damping: Self.damping, pool: pool)
        let compensation = ErrorCompensation(factor: factor, pool: pool)
        let correction: OutputCorrection? =
            switch aim {
            case .inputs(let source): OutputCorrection(inputs: inputs, source: source, factor: factor, pool: pool)
            case .outputs(let outputs): OutputCorrection(inputs: inputs, outputs: outputs, factor: factor, pool: pool)
            case nil: nil
            }
        var column = 0
        for part in group.parts {
            let name = TensorName.layer(layer, part)
            guard let choice = choices[name] else {
                throw TuningError(.badInput, place: name, "is not in the plan that is to be refined")
            }
            let stored = try stored(name, choice, compensation, correction)
            let matrix = try quantizer.executable(
                stored, activation: choice.activation, frozenScale: scores.importances[name]?.frozenScale)
            try matrix.multiply(
                inputs, into: &outputs, column: column, position: 0, sequence: sequence, pool: pool)
            column += matrix.rows
        }
        visits += 1
        try progress(Double(visits) / Double(4 * model.configuration.layers))
    }

    /// The weights of `name`, refined unless the choice leaves that out.
    private mutating func stored(
        _ name: String, _ choice: Choice, _ compensation: ErrorCompensation, _ correction: OutputCorrection?
    ) throws -> PlannedWeights.Stored {
        let weights = try quantizer.weights(name)
        guard let importance = scores.importances[name] else {
            throw TuningError(.badInput, place: name, "has no importances; remove the score store and tune again")
        }
        guard choice.format != .float16, isOpen || Self.isAsked(for: choice) else {
            let tensor = ChoiceGroup.Tensor(name: name, rows: weights.rows, columns: weights.columns)
            return try quantizer.quantize(tensor, weights: weights, as: choice, importance: importance)
        }
        let result = try quantizer.compensate(
            correction?.corrected(weights) ?? weights, as: choice.format, compensation, importance: importance)
        refined[name] = result
        return result
    }

    /// The plan with the refinement named in the choices of the groups that it was applied to.
    var refinedPlan: Plan {
        var result = plan
        for index in result.groups.indices where result.groups[index].tensors.allSatisfy({ refined[$0] != nil }) {
            let choice = result.groups[index].choice
            guard !Self.isAsked(for: choice) else { continue }
            let names = [choice.refinement, Refinement.gptq.rawValue]
            result.groups[index].choice.refinement = names.filter { !$0.isEmpty }.joined(separator: "+")
        }
        return result
    }
}

extension Plan {
    /// Whether a group's choice names the refinement.
    var asksForRefinement: Bool { groups.contains { PlanRefiner.isAsked(for: $0.choice) } }
}
