internal import Compute
internal import DeviceProfiles
internal import IntegerRuntime
internal import ModelFiles
internal import Quantization
internal import Reference

/// The part of tuning that is a profile's own: knapsack, verification, verdicts.
struct ProfileRun {
    let model: Model
    let profile: DeviceProfile
    let catalog: ChoiceCatalog
    let scores: Scores
    let text: TextPlan
    let options: TuningOptions
    let pool: ThreadPool
    let timer: StageTimer
    let reference: LazyReference
    let texts: Texts
    let store: ScoreStore
    let budget: TimeBudget
    /// Bundles that are written after the last profile's run.
    let bundles: Int

    /// Measurements on each of the texts.
    struct Texts {
        let evaluation: LazyEvaluation
        let exchange: LazyEvaluation
        /// Nil where there is no such text.
        let unseen: LazyEvaluation?
    }

    /// Rounds in which a quality limit is corrected by what was measured.
    private static let rounds = 3
    /// Points of the Pareto front.
    private static let frontSteps = 12

    /// Everything that was found out for the profile.
    func result() throws -> TuningResult {
        let cost = CostModel(
            profile: profile, configuration: model.configuration, tokenizerBytes: model.tokenizer.residentBytes)
        let knapsack = try PlanProblem(
            profile: profile, model: model, catalog: catalog, scores: scores, cost: cost)
        var state = State(
            knapsack: knapsack, plain: knapsack, packer: PlanPacker(model: model, scores: scores, pool: pool))
        state.solution = try solve(state.knapsack.problem)
        state.first = state.solution.chosen
        var chosen = state.first
        if state.knapsack.problem.objective == .sensitivity, state.knapsack.problem.isFeasible(chosen) {
            // Under a time limit what must be measured comes first; it tells how long measuring takes, too.
            if budget.isLimited, !state.knapsack.plan(chosen).asksForRefinement {
                _ = try verify(chosen, isRefined: false, &state)
            }
            reserveBundle(chosen, state)
            chosen = try exchange(&state)
        }
        var outcome = try verify(chosen, isRefined: true, &state)
        if state.knapsack.problem.objective != .sensitivity { try seekGoal(&state, &outcome) }
        try refuse(outcome)
        try predict(&outcome, &state)
        return try result(state, outcome)
    }

    /// What a run works on.
    struct State {
        var knapsack: PlanProblem
        /// The knapsack with scores as they were measured, before exchanges correct them.
        var plain: PlanProblem
        var packer: PlanPacker
        var solution = Solution(chosen: [], value: 0, bound: 0, prices: Costs())
        /// The plan of the plain scores, before exchanges.
        var first: [Int] = []
        /// Whether baselines were measured, and are to be told.
        var hasBaselines = false
        var exchanges: [String] = []
    }

    /// Where quality is missed and the nearest plan is not asked for, there is no result.
    private func refuse(_ outcome: Verifier.Outcome) throws {
        guard !options.nearest, let goal = profile.quality.goal else { return }
        let metric = profile.quality.metric
        let measured = Verdicts.measured(metric, outcome.quality)
        guard !Verdicts.isMet(metric, measured, goal: goal) else { return }
        throw TuningError(
            .infeasible, place: profile.name,
            QualityShortfall(metric: metric, goal: goal, measured: measured).explanation)
    }

    /// Corrects the scores and moves bits between kinds of groups by what plans do on text apart from the evaluation. Returns
    /// the best plan's choices.
    private func exchange(_ state: inout State) throws -> [Int] {
        let exchangeText = try text.exchange
        // An exchange that is kept is verified, and its prediction measured.
        let after =
            budget.seconds(chunks: text.evaluation.chunks.count, isPacked: true)
            + budget.seconds(chunks: text.unseen?.chunks.count ?? 0, isPacked: true)
        let search = ExchangeSearch(
            knapsack: state.knapsack, measurement: measurement(exchangeText, texts.exchange, "exchange"),
            steps: options.exchanges(
                for: model, isTextWritten: text.calibration.source == TextPlan.selfWritten), seed: options.seed,
            isStopped: { !budget.allows(budget.seconds(chunks: exchangeText.chunks.count) + after) })
        let outcome = try timer.run("exchange") { try search.run(state.solution, packer: &state.packer) }
        state.knapsack = outcome.knapsack
        state.solution = outcome.solution
        state.exchanges = outcome.exchanges
        return outcome.chosen
    }

    private func measurement(
        _ text: EvaluationText, _ evaluation: LazyEvaluation, _ stage: String
    ) -> PlanMeasurement {
        PlanMeasurement(
            text: text, execution: ExecutionMode(profile), evaluation: evaluation.evaluation,
            store: store,
            context: ScoreContext(
                model: model, calibration: self.text.calibration, seed: options.seed, observer: options.observer),
            budget: budget, clock: timer.elapsed,
            progress: { fraction throws(TuningError) in try timer.progress(stage, fraction, profile.name) })
    }

    /// What writing the bundle will take.
    private func reserveBundle(_ chosen: [Int], _ state: State) {
        budget.reserve(
            bundles: bundles, bytes: Int(state.knapsack.problem.totals(of: chosen).stored),
            positions: state.knapsack.cost.context, chunkLength: text.evaluation.context, threads: pool.threads)
    }

    /// Brings the plan's scores to what it does, refined as it ships, on text that nothing was chosen or refined on: their sum is
    /// the prediction that the evaluation text, which has no part in it, then judges.
    private func predict(_ outcome: inout Verifier.Outcome, _ state: inout State) throws {
        guard let text = text.unseen, let evaluation = texts.unseen,
            budget.allows(budget.seconds(chunks: text.chunks.count, isPacked: true))
        else { return }
        let scores = try timer.run("predict") {
            try measurement(text, evaluation, "predict").scores(of: [outcome.plan], packer: &state.packer)[0]
        }
        outcome.plan.correct(toPredict: scores.mean)
        outcome.quality.predictedKL = outcome.plan.predictedKL
    }

    func solve(_ problem: Problem) throws -> Solution {
        try timer.run("solve") {
            do throws(Infeasibility) {
                return try Solver().solve(problem)
            } catch {
                guard options.nearest else {
                    throw TuningError(
                        .infeasible, place: profile.name,
                        error.explanation(of: problem, reserved: profile.memory.runtime))
                }
                let value = zip(problem.groups, error.nearestChosen).reduce(0.0) {
                    $0 + $1.0.choices[$1.1].costs[problem.objective]
                }
                return Solution(chosen: error.nearestChosen, value: value, bound: value, prices: Costs())
            }
        }
    }

    /// Measures the plan of `chosen` and its baselines, and, where `isRefined` and there is time, what wins once more with its
    /// weights refined.
    private func verify(_ chosen: [Int], isRefined: Bool, _ state: inout State) throws -> Verifier.Outcome {
        state.hasBaselines = state.hasBaselines || budget.allows()
        let verifier = Verifier(
            knapsack: state.knapsack, plain: state.plain,
            measurement: measurement(text.evaluation, texts.evaluation, "verify"),
            measuresBaselines: state.hasBaselines, seed: options.seed)
        let plan = state.knapsack.plan(chosen)
        if plan.asksForRefinement {
            _ = try refine(plan, isOpen: false, &state.packer)
        }
        var outcome = try timer.run("verify") {
            try verifier.verify(chosen, before: state.first, packer: &state.packer)
        }
        // Refined on less, weights suit the calibration and nothing else: the second moments of the longest input must be known.
        guard isRefined, options.isRefinementOpen, text.refinement.count >= 2 * longestInput else { return outcome }
        let next = try refinedSolution(of: outcome, state)
        guard let refined = try refineInTime(next.knapsack.plan(next.solution.chosen), &state.packer) else {
            return outcome
        }
        let isBetter = try timer.run("verify") {
            try verifier.verify(refined, choosing: next.solution.chosen, after: &outcome, packer: &state.packer)
        }
        if isBetter { (state.knapsack, state.solution) = next }
        return outcome
    }

    /// Where quality is a limit and another cost is minimised: tightens the limit on predicted KL until the measured quality
    /// meets the goal, or no plan is left.
    private func seekGoal(
        _ state: inout State, _ outcome: inout Verifier.Outcome
    ) throws {
        guard let goal = profile.quality.goal else { return }
        let metric = profile.quality.metric
        for _ in 0..<Self.rounds {
            let measured = Verdicts.measured(metric, outcome.quality)
            if Verdicts.isMet(metric, measured, goal: goal) { return }
            let ratio = metric == .top1 ? (1 - goal) / (1 - measured) : goal / measured
            let limit = (state.knapsack.problem.limits[.sensitivity] ?? 0) * 0.95 * min(1, ratio)
            state.knapsack.limitSensitivity(to: limit)
            guard let next = try? Solver().solve(state.knapsack.problem) else { return }
            state.solution = next
            state.first = next.chosen
            outcome = try verify(next.chosen, isRefined: true, &state)
        }
    }

    private func result(_ state: State, _ outcome: Verifier.Outcome) throws -> TuningResult {
        var state = state
        let problem = state.knapsack.problem
        let solution = state.solution
        let plan = outcome.plan
        var totals = problem.totals(of: outcome.chosen)
        totals.stored = Double(try state.knapsack.storedBytes(outcome.chosen))
        var prices = TuningResult.ShadowPrices()
        prices.memory = solution.prices.resident
        prices.storage = solution.prices.stored
        prices.prefill = solution.prices.prefill
        prices.decode = solution.prices.decode
        prices.energy = solution.prices.energy
        let weights = try timer.run("pack") { try state.packer.weights(of: plan) }
        return TuningResult(
            profile: profile, plan: plan, weights: weights,
            verdicts: Verdicts(
                profile: profile, totals: totals, quality: outcome.quality, predictedKL: plan.predictedKL
            ).all,
            quality: outcome.quality, uniform: outcome.uniform, rule: outcome.rule,
            certificate: TuningResult.Certificate(
                objective: problem.objective.rawValue, value: solution.value, bound: solution.bound, gap: solution.gap),
            shadowPrices: prices, paretoFront: front(problem, over: .stored),
            fronts: TuningResult.Fronts(
                memory: front(problem, over: .resident), latency: front(problem, over: .decode)),
            exchanges: state.exchanges, missingParameters: state.knapsack.cost.missingParameters,
            losslessFormats: try LosslessFormats(model: model, pool: pool).names(among: catalog),
            calibration: CalibrationSummary(
                source: text.calibration.source, digest: text.calibration.digest, tokens: text.calibration.count),
            stages: timer.stages, cutShort: budget.isCut, totals: totals, scoreCorrection: outcome.correction,
            instance: SolvedProblem(problem, solution))
    }

    /// Quality against one cost, with the other limits lifted.
    private func front(_ problem: Problem, over key: CostKey) -> [TuningResult.ParetoPoint] {
        var relaxed = problem
        relaxed.objective = .sensitivity
        return ParetoSweep(steps: Self.frontSteps).front(of: relaxed, over: key).map { solution in
            let totals = problem.totals(of: solution.chosen)
            return TuningResult.ParetoPoint(
                storedBytes: Int(totals.stored), residentBytes: Int(totals.resident), decodeSeconds: totals.decode,
                predictedKL: totals.sensitivity)
        }
    }
}
