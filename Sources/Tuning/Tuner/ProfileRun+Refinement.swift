internal import Compute
internal import DeviceProfiles
internal import ModelFiles
internal import Quantization
internal import Reference

/// Plans whose weights are refined.
extension ProfileRun {
    /// The knapsack with the scores that choices have once they are refined, and its solution. Where there is nothing to choose, or no
    /// time to find out, what `outcome` chose in its own.
    func refinedSolution(of outcome: Verifier.Outcome, _ state: State) throws -> (
        knapsack: PlanProblem, solution: Solution
    ) {
        var result = (knapsack: state.knapsack, solution: state.solution)
        result.solution.chosen = outcome.chosen
        let scorer = RefinedScorer(
            quantizer: MatrixQuantizer(model: model, pool: pool), scores: scores, store: store,
            context: ScoreContext(
                model: model, calibration: text.calibration, seed: options.seed, observer: options.observer
            ).refinedKey(text.refinement))
        guard state.knapsack.problem.objective == .sensitivity, state.knapsack.problem.isFeasible(outcome.chosen),
            catalog.groups.contains(where: { $0.choices.count > 1 }),
            try !budget.isLimited || scorer.knowsAll(of: catalog)
        else { return result }
        let shares = try timer.run("scores") {
            try scorer.shares(of: catalog, inputs: try inputs(of: reference.model())) {
                try timer.progress("scores", $0, profile.name)
            }
        }
        result.knapsack.mapSensitivities { name, score in score * (shares[name] ?? 1) }
        result.solution = try solve(result.knapsack.problem)
        return result
    }

    /// Inputs of the longest row that is refined.
    var longestInput: Int { max(model.configuration.width, model.configuration.feedForward) }

    /// `plan` with all of its weights refined; nil where the first layers show that there is not the time for all.
    func refineInTime(_ plan: Plan, _ packer: inout PlanPacker) throws -> Plan? {
        struct OutOfTime: Error {}
        let after = budget.seconds(chunks: text.evaluation.chunks.count)
        var start = timer.elapsed()
        guard budget.allows(after) else { return nil }
        do {
            return try refine(plan, isOpen: true, &packer) { fraction in
                let layers = fraction * Double(model.configuration.layers)
                guard abs(layers - layers.rounded()) < 1e-6 else { return }
                // The head is done before the first layer. A layer has matrices of every kind, and takes as long as the next one.
                if fraction == 0 { start = timer.elapsed() }
                let rest = fraction == 0 ? 0 : (timer.elapsed() - start) / .seconds(1) * (1 - fraction) / fraction
                if !budget.allows(rest + after) { throw OutOfTime() }
            }
        } catch is OutOfTime {
            return nil
        }
    }

    /// `plan` with its weights refined on the calibration text, all of them or those whose choice asks for it. The packer has
    /// the weights afterwards. What `check` throws ends it.
    func refine(
        _ plan: Plan, isOpen: Bool, _ packer: inout PlanPacker,
        check: @escaping (_ fraction: Double) throws -> Void = { _ in }
    ) throws -> Plan {
        let model = try reference.model()
        return try timer.run("refine") {
            var refiner = PlanRefiner(
                model: self.model, scores: scores, plan: plan, isOpen: isOpen, sequence: text.refinement.period,
                pool: pool,
                progress: {
                    try timer.progress("refine", $0, profile.name)
                    try check($0)
                })
            // Of fewer tokens the correction would fit what is chance in them. SmolLM2 in Q4_1 for demo-llama-cpp, on 3,072 tokens of
            // its own (two for each input of the longest row): 0.0263 nats corrected, 0.0231 not.
            let isCorrected = text.refinement.count >= 4 * longestInput
            try refiner.refineHead { try inputs(of: model).head() }
            try SequentialSweep(model: model, sequences: text.refinement.sequences).run(
                embedding: try refiner.refined[TensorName.embedding]?.dequantized(pool: pool)
                    ?? packer.dequantized(TensorName.embedding, in: plan), isAimed: isCorrected,
                visitor: &refiner)
            let refined = refiner.refinedPlan
            for (name, choice) in refined.choices {
                if let stored = refiner.refined[name] { packer.adopt(stored, for: name, choice) }
            }
            return refined
        }
    }

    private func inputs(of reference: ReferenceModel) throws -> RefinementInputs {
        try RefinementInputs(
            model: reference, text: text.refinement, other: text.exchange,
            memory: EvaluationMemory(store: store, model: model), pool: pool)
    }
}
