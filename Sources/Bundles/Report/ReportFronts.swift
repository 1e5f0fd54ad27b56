internal import Tuning

/// Pictures of what a larger budget would buy: quality against storage, memory and latency, with the plan and its baselines.
struct ReportFronts {
    private let manifest: BundleManifest
    private let storedBytes: Int

    init(_ manifest: BundleManifest, storedBytes: Int) {
        self.manifest = manifest
        self.storedBytes = storedBytes
    }

    /// The charts, one after another.
    var html: String {
        var parts = [
            chart(
                "storage", .stored, manifest.paretoFront, at: Double(storedBytes), { Double($0.storedBytes) },
                { Double($0.storedBytes) })
        ]
        if let fronts = manifest.fronts, let totals = manifest.totals {
            parts.append(
                chart(
                    "memory", .resident, fronts.memory, at: totals.resident, { Double($0.residentBytes) },
                    { Double($0.residentBytes) }))
            parts.append(chart("latency", .decode, fronts.latency, at: totals.decode, \.decodeSeconds, { _ in nil }))
        }
        return parts.joined()
            + "<p>The lines are what the scores predict for the best plan of each budget; circles are "
            + "measured.</p>"
    }

    /// `cost` is a point's, `own` a baseline's, nil where it is not known.
    private func chart(
        _ name: String, _ axis: ParetoChart.Axis, _ front: [TuningResult.ParetoPoint], at chosen: Double,
        _ cost: (TuningResult.ParetoPoint) -> Double, _ own: (TuningResult.Baseline) -> Double?
    ) -> String {
        let title = "<h3>Quality against \(name)</h3>"
        guard front.count > 1 else { return "\(title)<p>No choice changes it.</p>" }
        let marks = [manifest.baselines.uniform, manifest.baselines.rule].compactMap { baseline in
            baseline.flatMap { known in own(known).map { ParetoChart.Mark(name: known.name, cost: $0, kl: known.kl) } }
        }
        let chart = ParetoChart(
            axis: axis, front: front.map { (cost($0), $0.predictedKL) },
            chosen: ParetoChart.Mark(name: "this bundle", cost: chosen, kl: manifest.quality.kl), baselines: marks)
        return title + chart.html
    }
}
