internal import CKernels
internal import Compute
internal import ModelFiles

/// Where heads lie in a row of stacked queries, keys and values, and attention over such rows.
struct Attention {
    let heads: Int
    let keyValueHeads: Int
    let headWidth: Int
    let pairing: ModelConfiguration.RotaryPairing
    /// Keys that a query sees at most, 0 for all before it.
    let window: Int
    let pool: ThreadPool

    init(_ configuration: ModelConfiguration, pool: ThreadPool) {
        heads = configuration.heads
        keyValueHeads = configuration.keyValueHeads
        headWidth = configuration.headWidth
        pairing = configuration.rotaryPairing
        window = configuration.window ?? 0
        self.pool = pool
    }

    /// Query heads that share one head of keys and values.
    var group: Int { heads / keyValueHeads }
    /// Columns of queries, keys and values together.
    var columns: Int { (heads + 2 * keyValueHeads) * headWidth }
    /// The first column of the keys and of the values.
    var keyColumn: Int { heads * headWidth }
    var valueColumn: Int { (heads + keyValueHeads) * headWidth }
    var scale: Float { 1 / Float(headWidth).squareRoot() }

    /// Rotates queries and keys of each row by the angle of its position; backwards, gradients by its negative.
    func rotate(_ rows: inout Matrix, positions: [Int], rotary: RotaryTable, backward: Bool = false) {
        let count = rows.rows
        rows.withMutablePointer { target in
            rotary.cosines.withPointer { cosines in
                rotary.sines.withPointer { sines in
                    pool.forEachRowBlock(count) { first, count in
                        for row in first..<first + count {
                            let angle = positions[row] * rotary.pairs
                            fettle_rotate(
                                pool.instructionSet.cValue, target + row * columns, cosines + angle, sines + angle,
                                heads + keyValueHeads, headWidth, pairing == .adjacent, backward)
                        }
                    }
                }
            }
        }
    }

    /// Causal attention within each sequence of `batch`: rows x (heads * headWidth).
    func attend(_ queryKeyValue: Matrix, batch: TokenBatch, into output: inout Matrix) {
        queryKeyValue.withPointer { source in
            output.withMutablePointer { target in
                pool.forEach(batch.sequences.count * heads) { (thread: Int, index: Int) in
                    let rows = batch.sequences[index / heads]
                    let head = index % heads
                    var problem = problem(source, rows: rows, head: head)
                    fettle_attend(
                        pool.instructionSet.cValue, &problem,
                        target + rows.lowerBound * heads * headWidth + head * headWidth,
                        pool.scratch(thread: thread, floats: fettle_attention_workspace(rows.count)))
                }
            }
        }
    }

    /// The gradient of `attend` by queries, keys and values. Heads of a group follow each other on one thread, because
    /// they add to the same keys and values.
    func attendBackward(
        _ queryKeyValue: Matrix, batch: TokenBatch, outputGradient: Matrix, into gradient: inout Matrix
    ) {
        queryKeyValue.withPointer { source in
            outputGradient.withPointer { outputGradient in
                gradient.withMutablePointer { target in
                    pool.forEach(batch.sequences.count * keyValueHeads) { (thread: Int, index: Int) in
                        let rows = batch.sequences[index / keyValueHeads]
                        let keyValueHead = index % keyValueHeads
                        let first = target + rows.lowerBound * columns
                        let keys = first + keyColumn + keyValueHead * headWidth
                        let values = first + valueColumn + keyValueHead * headWidth
                        for row in 0..<rows.count {
                            (keys + row * columns).update(repeating: 0, count: headWidth)
                            (values + row * columns).update(repeating: 0, count: headWidth)
                        }
                        for head in keyValueHead * group..<(keyValueHead + 1) * group {
                            var problem = problem(source, rows: rows, head: head)
                            fettle_attend_backward(
                                pool.instructionSet.cValue, &problem,
                                outputGradient + rows.lowerBound * heads * headWidth + head * headWidth,
                                first + head * headWidth, keys, values,
                                pool.scratch(thread: thread, floats: fettle_attention_workspace(rows.count)))
                        }
                    }
                }
            }
        }
    }

    private func problem(_ source: UnsafePointer<Float>, rows: Range<Int>, head: Int) -> fettle_attention {
        let first = source + rows.lowerBound * columns
        let keyValueHead = head / group
        return fettle_attention(
            query: first + head * headWidth, key: first + keyColumn + keyValueHead * headWidth,
            value: first + valueColumn + keyValueHead * headWidth, rows: rows.count, head_width: headWidth,
            query_row: columns, key_row: columns, output_row: heads * headWidth, visible: 1, visible_step: 1,
            window: window, scale: scale)
    }
}
