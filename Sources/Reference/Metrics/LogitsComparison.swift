internal import CKernels
package import Compute

/// How far one row of candidate logits is from the reference's.
package struct LogitsComparison: Sendable, Equatable {
    /// KL(reference || candidate) in nats, summed in double.
    package let divergence: Double
    /// log p(target) under the reference.
    package let referenceLogProbability: Double
    /// log p(target) under the candidate.
    package let candidateLogProbability: Double
    /// The most likely token; the lowest id where several are.
    package let referenceTop: Int32
    package let candidateTop: Int32
}

extension ThreadPool {
    /// Compares logits row by row: `reference` and `candidate` are positions x vocabulary, `targets` holds the token
    /// that came next at each position.
    package func compareLogits(
        reference: Matrix, candidate: Matrix, targets: [Int32]
    ) throws(ReferenceError) -> [LogitsComparison] {
        guard reference.rows == candidate.rows, reference.columns == candidate.columns,
            targets.count == reference.rows
        else {
            throw ReferenceError(
                "logits",
                "\(reference.rows) x \(reference.columns), \(candidate.rows) x \(candidate.columns) and "
                    + "\(targets.count) targets cannot be compared; there must be as many of each")
        }
        try TokenBatch.check(targets, vocabulary: reference.columns, place: "targets")
        let columns = reference.columns
        var result = [LogitsComparison?](repeating: nil, count: targets.count)
        reference.withPointer { reference in
            candidate.withPointer { candidate in
                result.withUnsafeMutableBufferPointer { result in
                    forEach(targets.count) { (row: Int) in
                        let metrics = fettle_compare_rows(
                            instructionSet.cValue, reference + row * columns, candidate + row * columns, columns,
                            Int(targets[row]))
                        result[row] = LogitsComparison(metrics)
                    }
                }
            }
        }
        return result.compactMap(\.self)
    }

    /// log p(target) for each row of `logits`, positions x vocabulary.
    package func logProbabilities(of targets: [Int32], logits: Matrix) throws(ReferenceError) -> [Double] {
        guard targets.count == logits.rows else {
            throw ReferenceError("logits", "\(logits.rows) rows for \(targets.count) targets; there must be one each")
        }
        try TokenBatch.check(targets, vocabulary: logits.columns, place: "targets")
        let columns = logits.columns
        var result = [Double](repeating: 0, count: targets.count)
        logits.withPointer { source in
            result.withUnsafeMutableBufferPointer { result in
                forEach(targets.count) { (row: Int) in
                    let logits = source + row * columns
                    result[row] =
                        Double(logits[Int(targets[row])])
                        - fettle_log_sum_exp(instructionSet.cValue, logits, columns)
                }
            }
        }
        return result
    }
}

extension LogitsComparison {
    fileprivate init(_ metrics: fettle_row_metrics) {
        divergence = metrics.divergence
        referenceLogProbability = metrics.reference_log_probability
        candidateLogProbability = metrics.candidate_log_probability
        referenceTop = Int32(metrics.reference_top)
        candidateTop = Int32(metrics.candidate_top)
    }
}
