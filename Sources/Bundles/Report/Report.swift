internal import Tuning

/// report.html: the manifest for people, in one file that asks the network for nothing.
package struct Report: Sendable {
    private let manifest: BundleManifest

    /// A report on `manifest`.
    package init(_ manifest: BundleManifest) {
        self.manifest = manifest
    }

    /// The page. It is a function of the manifest without its provenance.
    package var html: String {
        let title = "\(HTML.escaped(manifest.model.name)) on \(HTML.escaped(manifest.profile.name))"
        return """
            <!doctype html>
            <html lang=en>
            <head>
            <meta charset=utf-8>
            <meta name=viewport content="width=device-width, initial-scale=1">
            <title>\(title): Fettle report</title>
            <style>\(ReportStyle.css)</style>
            </head>
            <body>
            <header><h1>\(title)</h1>\(summary)</header>
            <main>
            <section><h2>Verdicts</h2>\(verdicts)</section>
            <section><h2>Quality</h2>\(quality)</section>
            <section><h2>Layers</h2>\(HeatMap(groups: manifest.plan.groups).html)</section>
            <section><h2>What more would buy</h2>\(ReportFronts(manifest, storedBytes: storedBytes).html)</section>
            <section><h2>How good the plan is</h2>\(certificate)</section>
            \(notes)
            <section><h2>Groups</h2>\(groups)</section>
            </main>
            </body>
            </html>

            """
    }

    private var storedBytes: Int {
        let stored = manifest.verdicts.first { $0.constraint == "memory.storage" }
        return stored.map { Int($0.measured ?? $0.predicted) }
            ?? manifest.plan.groups.reduce(0) { $0 + $1.storedBytes }
    }

    private var summary: String {
        let met = manifest.verdicts.allSatisfy(\.met)
        return
            "<p class=\(met ? "met" : "missed")>\(met ? "Every goal of the profile is met." : "Not every goal is met.")</p>"
            + "<p>\(HTML.count(manifest.model.parameters)) parameters, source \(HTML.escaped(manifest.model.fileType)); "
            + "runs on \(HTML.escaped(manifest.profile.runtime)); KV cache \(HTML.escaped(manifest.plan.kv.format)).</p>"
    }

    private var verdicts: String {
        guard !manifest.verdicts.isEmpty else { return "<p>The profile sets no goal.</p>" }
        let rows = manifest.verdicts.map { verdict in
            // Resident pages differ by a few from run to run; the report must not.
            let measured =
                verdict.constraint == "memory.budget"
                ? "in bundle.json"
                : verdict.measured.map { HTML.quantity($0, unit: verdict.unit) } ?? "not on this machine"
            return "<tr><th scope=row>\(HTML.escaped(verdict.constraint))</th>"
                + "<td>\(HTML.quantity(verdict.goal, unit: verdict.unit))</td>"
                + "<td>\(HTML.quantity(verdict.predicted, unit: verdict.unit))</td><td>\(measured)</td>"
                + "<td class=\(verdict.met ? "met" : "missed")>\(word(for: verdict))</td></tr>"
        }
        return table(["constraint", "goal", "predicted", "measured", "verdict"], rows)
    }

    private func word(for verdict: Verdict) -> String {
        if let reason = verdict.unmeasured { return "not measured: \(HTML.escaped(reason))" }
        return verdict.met ? "met" : "not met"
    }

    private var quality: String {
        let q = manifest.quality
        let interval = q.klInterval.map { HTML.number($0) }.joined(separator: " to ")
        let goal = manifest.verdicts.first { $0.constraint == "quality.goal" && $0.unit == "nats" }?.goal
        let straddles = goal.map { goal in
            q.klInterval.count == 2 && q.klInterval[0] < goal && goal < q.klInterval[1]
        }
        var rows = [
            row("KL to the source", "\(HTML.number(q.kl)) nats a token (95 % interval \(interval))"),
            row("predicted", q.predictedKL.map { "\(HTML.number($0)) nats" } ?? "-"),
            row(
                "perplexity",
                "\(HTML.number(q.perplexity, digits: 6)), source \(HTML.number(q.referencePerplexity, digits: 6))"),
            row("same first token", "\(HTML.number(100 * q.top1, digits: 4)) %"),
            row("text", "\(HTML.escaped(q.text)), \(HTML.count(q.tokens)) tokens, mode \(HTML.escaped(q.mode))"),
        ]
        for (name, baseline) in [
            ("best one-format plan", manifest.baselines.uniform), ("llama.cpp's rule", manifest.baselines.rule),
        ] {
            guard let baseline else { continue }
            rows.append(
                row(
                    "\(name): \(HTML.escaped(baseline.name))",
                    "\(HTML.number(baseline.kl)) nats in \(HTML.count(baseline.storedBytes)) B\(against(baseline))"))
        }
        return table(["measure", "value"], rows)
            + (straddles == true
                ? "<p class=missed>The interval straddles the goal: another text may decide otherwise.</p>" : "")
    }

    private func against(_ baseline: TuningResult.Baseline) -> String {
        baseline.difference.map { difference in
            "; this bundle less that: \(HTML.number(difference.mean)) nats (95 % "
                + "\(difference.interval.map { HTML.number($0) }.joined(separator: " to ")))"
        } ?? ""
    }

    private var certificate: String {
        let c = manifest.certificate
        let prices = manifest.shadowPrices
        let binding = [
            (prices.memory * 1_048_576, "one MiB of memory more"),
            (prices.storage * 1_048_576, "one MiB of storage more"),
            (prices.prefill * 1e-3, "one ms of prefill more"), (prices.decode * 1e-3, "one ms a token more"),
            (prices.energy * 1e-3, "one mJ a token more"),
        ].filter { $0.0 > 0 }.map { "<li>\($0.1) would buy \(HTML.number($0.0, digits: 3)) nats</li>" }
        return "<p>Minimised: \(HTML.escaped(c.objective)). Value \(HTML.number(c.value)), proven lower bound "
            + "\(HTML.number(c.bound)), gap \(HTML.number(100 * c.gap, digits: 3)) %.</p>"
            + (binding.isEmpty ? "<p>No constraint binds.</p>" : "<ul>\(binding.joined())</ul>")
            + (manifest.exchanges.isEmpty
                ? ""
                : "<p>Exchanges that measurably helped:</p><ul>"
                    + manifest.exchanges.map { "<li>\(HTML.escaped($0))</li>" }.joined() + "</ul>")
    }

    private var notes: String {
        var items: [String] = []
        if !manifest.losslessFormats.isEmpty {
            items.append(
                "The source is already quantized (\(HTML.escaped(manifest.model.fileType))). Formats that reproduce it "
                    + "exactly: \(HTML.escaped(manifest.losslessFormats.joined(separator: ", "))). Quality is measured "
                    + "against the source as it is, not against the model it was made from.")
        }
        if !manifest.missingParameters.isEmpty {
            items.append(
                "The profile does not give \(HTML.escaped(manifest.missingParameters.joined(separator: ", "))): these terms "
                    + "count as zero.")
        }
        guard !items.isEmpty else { return "" }
        return "<section><h2>Notes</h2><ul>\(items.map { "<li>\($0)</li>" }.joined())</ul></section>"
    }

    private var groups: String {
        let rows = manifest.plan.groups.map { group in
            "<tr><th scope=row>\(HTML.escaped(group.name))</th><td>\(HTML.escaped(group.format))</td>"
                + "<td>\(HTML.escaped(group.activation))</td><td>\(HTML.escaped(group.refinement))</td>"
                + "<td>\(HTML.number(group.sensitivity, digits: 3))</td><td>\(HTML.count(group.storedBytes))</td>"
                + "<td>\(HTML.escaped(group.why))</td></tr>"
        }
        return table(["group", "format", "activation", "refinement", "nats", "bytes", "why"], rows)
    }

    private func row(_ name: String, _ value: String) -> String {
        "<tr><th scope=row>\(name)</th><td>\(value)</td></tr>"
    }

    private func table(_ head: [String], _ rows: [String]) -> String {
        let cells = head.map { "<th scope=col>\($0)</th>" }.joined()
        return
            "<div class=wide><table><thead><tr>\(cells)</tr></thead><tbody>\(rows.joined(separator: "\n"))</tbody></table></div>"
    }
}
