internal import Compute
internal import ModelFiles
internal import Reference

/// The float32 model, loaded when it is first needed.
final class LazyReference {
    /// The model's files.
    let source: Model
    private let load: () throws -> ReferenceModel
    private var loaded: ReferenceModel?

    init(model: Model, pool: ThreadPool, timer: StageTimer) {
        source = model
        load = {
            try timer.run("reference") {
                try ReferenceModel(configuration: model.configuration, pool: pool) { name in
                    try model.tensor(name).matrix()
                }
            }
        }
    }

    /// The model.
    func model() throws -> ReferenceModel {
        if let loaded { return loaded }
        let model = try load()
        loaded = model
        return model
    }

    /// Gives the model's memory back; it is loaded again when it is needed again.
    func release() { loaded = nil }
}

/// Measurements on one text, begun when they are first needed.
final class LazyEvaluation {
    private let text: EvaluationText
    private let reference: LazyReference
    private let store: ScoreStore
    private let pool: ThreadPool
    private var made: QualityEvaluation?

    init(text: EvaluationText, reference: LazyReference, store: ScoreStore, pool: ThreadPool) {
        self.store = store
        self.text = text
        self.reference = reference
        self.pool = pool
    }

    /// The evaluation.
    func evaluation() throws -> QualityEvaluation {
        if let made { return made }
        let evaluation = QualityEvaluation(
            reference: try reference.model(), text: text, pool: pool,
            memory: EvaluationMemory(store: store, model: reference.source)
        )
        made = evaluation
        return evaluation
    }
}
