package import Compute
package import IntegerRuntime
package import ModelFiles
internal import Quantization

/// Packs plans: the bytes that ship, and the model that the integer runtime runs. Tensors that plans share are packed once.
package struct PlanPacker {
    private let model: Model
    private let pool: ThreadPool
    private let quantizer: MatrixQuantizer
    private let importances: [String: TensorImportance]
    private var packed: [Key: PlannedWeights.Stored] = [:]
    private var executable: [Key: RuntimeMatrix] = [:]

    private struct Key: Hashable {
        var tensor: String
        var choice: Choice
    }

    /// A packer for `model` with the importances that its scores were measured with.
    package init(model: Model, scores: Scores, pool: ThreadPool) {
        self.model = model
        self.pool = pool
        importances = scores.importances
        quantizer = MatrixQuantizer(model: model, pool: pool)
    }

    /// The weights of `plan` in the bytes that ship.
    package mutating func weights(of plan: Plan) throws -> PlannedWeights {
        var result = PlannedWeights(matrices: [:], norms: try norms(), activations: [:])
        for group in plan.groups {
            for name in group.tensors {
                result.matrices[name] = try stored(name, group.choice)
                result.activations[name] = group.choice.activation
                if group.choice.activation == .static { result.frozenScales[name] = importances[name]?.frozenScale }
            }
        }
        return result
    }

    /// A runtime model of `plan` for contexts of `context` positions.
    package mutating func runtimeModel(
        of plan: Plan, context: Int, mode: ExecutionMode = .dynamic
    ) throws -> IntegerModel {
        var matrices: [String: RuntimeMatrix] = [:]
        for group in plan.groups {
            for name in group.tensors {
                let key = Key(tensor: name, choice: group.choice)
                let matrix =
                    try executable[key]
                    ?? quantizer.executable(
                        try stored(name, group.choice), activation: group.choice.activation,
                        frozenScale: importances[name]?.frozenScale)
                executable[key] = matrix
                matrices[name] = matrix
            }
        }
        // llama.cpp's q8_0 cache is int8 with a scale for 32 numbers; the runtime's int8 cache stands for it.
        let kv: KVFormat = KVFormat(rawValue: plan.kv.format) ?? .int8
        return try IntegerModel(
            configuration: model.configuration, weights: RuntimeWeights(matrices: matrices, norms: try norms()), kv: kv,
            context: context, mode: mode, pool: pool)
    }

    /// The weights that `plan` makes of the tensor `name`; nil where it has no such matrix.
    mutating func dequantized(_ name: String, in plan: Plan) throws -> Matrix? {
        try plan.choices[name].map { try stored(name, $0).dequantized(pool: pool) }
    }

    /// Takes `stored` as what `choice` makes of the tensor `name`.
    mutating func adopt(_ stored: PlannedWeights.Stored, for name: String, _ choice: Choice) {
        packed[Key(tensor: name, choice: choice)] = stored
    }

    /// Forgets what was made for running; the bytes that ship stay.
    mutating func releaseExecutables() { executable = [:] }

    private mutating func stored(_ name: String, _ choice: Choice) throws -> PlannedWeights.Stored {
        let key = Key(tensor: name, choice: choice)
        if let known = packed[key] { return known }
        let source = try model.tensor(name)
        guard let importance = importances[name] else {
            throw TuningError(.badInput, place: name, "has no importances; remove the score store and tune again")
        }
        let made = try quantizer.quantize(
            ChoiceGroup.Tensor(name: name, rows: source.rows, columns: source.columns),
            weights: try quantizer.weights(name), as: choice, importance: importance)
        packed[key] = made
        return made
    }

    private func norms() throws -> [String: [Float]] {
        var result: [String: [Float]] = [:]
        for name in TensorName.all(of: model.configuration) {
            let tensor = try model.tensor(name)
            if tensor.rows == 1 { result[name] = tensor.matrix().values }
        }
        return result
    }
}
