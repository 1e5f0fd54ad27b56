internal import Foundation
package import Compute
package import IntegerRuntime
internal import ModelFiles
package import Reference

/// Runs packed models over a text beside their float32 source, by llama-perplexity's protocol. The source runs once over each
/// chunk, for all candidates of all runs.
package final class QualityEvaluation {
    private let reference: ReferenceModel
    private let text: EvaluationText
    private let pool: ThreadPool
    /// The source's inputs of the head at the scored positions, by chunk: a small part of its logits.
    private var hidden: [Int: Matrix] = [:]

    private let memory: EvaluationMemory?

    /// An evaluation of models against `reference` on `text`; `memory` keeps what the source says.
    package init(
        reference: ReferenceModel, text: EvaluationText, pool: ThreadPool, memory: EvaluationMemory? = nil
    ) {
        self.memory = memory
        self.reference = reference
        self.text = text
        self.pool = pool
    }

    /// What one candidate did at every scored position, in the order of the text: so that two can be compared in pairs.
    package struct Scores: Sendable {
        /// KL(source || candidate), nats.
        package var divergences: [Double] = []
        package var referenceLogProbability = 0.0
        package var candidateLogProbability = 0.0
        package var agreements = 0

        package init() {}

        /// Scores as the store keeps them; nil where these are none.
        init?(numbers: [Double]) {
            guard numbers.count > 3 else { return nil }
            referenceLogProbability = numbers[0]
            candidateLogProbability = numbers[1]
            agreements = Int(numbers[2])
            divergences = Array(numbers[3...])
        }

        /// The mean divergence, nats per token.
        package var mean: Double { divergences.reduce(0, +) / Double(max(divergences.count, 1)) }

        /// All of it in one row of numbers, for the store.
        var numbers: [Double] {
            [referenceLogProbability, candidateLogProbability, Double(agreements)] + divergences
        }

        /// The summary; `mode` is how the candidate was run.
        package func measure(text: EvaluationText, mode: String, predictedKL: Double?) -> QualityMeasure {
            let count = Double(max(divergences.count, 1))
            let mean = mean
            let squares = divergences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            // 1.96 standard errors: the normal approximation that llama-perplexity prints as its uncertainty, doubled.
            let half = 1.96 * (squares / (max(count - 1, 1) * count)).squareRoot()
            return QualityMeasure(
                kl: mean, klInterval: [max(0, mean - half), mean + half], predictedKL: predictedKL,
                perplexity: exp(-candidateLogProbability / count),
                referencePerplexity: exp(-referenceLogProbability / count), top1: Double(agreements) / count,
                tokens: divergences.count, text: text.name, textDigest: text.digest, mode: mode)
        }
    }

    /// Scores every candidate on the whole text; `progress` gets the share of chunks done.
    package func run(
        _ candidates: [IntegerModel], progress: (Double) throws(TuningError) -> Void
    ) throws(TuningError) -> [Scores] {
        var scores = [Scores](repeating: Scores(), count: candidates.count)
        for (index, chunk) in text.chunks.enumerated() {
            try progress(Double(index) / Double(text.chunks.count))
            do {
                try compare(index, chunk, candidates, into: &scores)
            } catch let error as TuningError {
                throw error
            } catch {
                throw TuningError(.badInput, place: text.name, "\(error)")
            }
        }
        try progress(1)
        return scores
    }

    /// The source's inputs of the head at the scored positions of a chunk.
    private func states(_ place: Int, _ chunk: [Int32], _ rows: Range<Int>) throws -> Matrix {
        if let known = hidden[place] { return known }
        let states = try memory?.states(chunk, rows, of: reference) ?? reference.hidden(tokens: chunk, rows: rows)
        hidden[place] = states
        return states
    }

    private func compare(_ place: Int, _ chunk: [Int32], _ candidates: [IntegerModel], into scores: inout [Scores])
        throws
    {
        let rows = text.scored
        let targets = Array(chunk[rows.lowerBound + 1..<rows.upperBound + 1])
        let states = try self.states(place, chunk, rows)
        let expected = reference.head(states)
        for (index, candidate) in candidates.enumerated() {
            let cache = try candidate.makeCache(capacity: chunk.count)
            let logits = try candidate.forward(tokens: chunk, cache: cache, logits: .rows(rows))
            for row in try pool.compareLogits(reference: expected, candidate: logits, targets: targets) {
                scores[index].divergences.append(row.divergence)
                scores[index].referenceLogProbability += row.referenceLogProbability
                scores[index].candidateLogProbability += row.candidateLogProbability
                scores[index].agreements += row.referenceTop == row.candidateTop ? 1 : 0
            }
        }
    }
}
