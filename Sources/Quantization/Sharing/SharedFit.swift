internal import CKernels
internal import Compute

/// The fit of a codebook whose indices are entropy-coded: the least error + lambda * code length, with the lambda at which the indices
/// just fit their bytes. Codebook, code lengths and indices are found in turn (Chou, Lookabaugh and Gray, 1989), from the exact
/// solution for the histogram of a sample; each weight counts by its own importance, so that what matters less takes shorter codes.
struct SharedFit {
    let format: GridFormat
    let problem: FitProblem
    let clip: Bool

    /// Of the mean importance, added to each one's share of the rest: what the calibration never saw still keeps most of its bits.
    private static let floor = 0.1
    /// Row blocks of the sample.
    private static let sample = 32
    /// Rounds on the sample, and at most on the whole.
    private static let rounds = 4
    private static let wholeRounds = 8

    func quantized() -> QuantizedMatrix {
        var result = TableFit(format: format.resident, problem: problem, clip: clip).quantized()
        result.format = .grid(format)
        guard let room = CodedLayout(format, rows: problem.rows, columns: problem.columns)?.indexBytes,
            IndexCode(counts: result.codes.counts).encoded(result.codes, capacity: room) == nil
        else { return result }
        guard case .float16(var scales) = result.scales else { return result }
        let isTensor = scales.count == 1
        if isTensor { scales = [UInt16](repeating: scales[0], count: problem.rows) }
        let whole = Stage(problem: damped, scales: scales, group: result.group)
        let count = Double(problem.rows * problem.columns)
        // What is left for words, with a code of as many symbols as there may be.
        let head = 2 * (1 << min(format.bits, 6)) + 2 + 4 * IndexCode.lanes + 2 * IndexCode.lanes
        let rate = max(0.01, Double(8 * (room - head)) / count)

        let part = whole.sampled(blocks: Self.sample)
        var (widening, book) = part.widest(rate: rate, limit: 1 << format.bits)
        for _ in 0..<Self.rounds {
            book = part.widened(by: widening).next(book, rate: rate).book
        }
        let stage = whole.widened(by: widening)
        let codes = stage.fitted(book, rate: rate, room: room, rounds: Self.wholeRounds)
        result.codes = codes.codes
        result.codebooks = codes.points + [Int8](repeating: codes.points.last ?? 0, count: (1 << format.bits) - codes.points.count)
        result.scales = .float16(isTensor ? [stage.scales[0]] : stage.scales)
        return result
    }

    /// The problem with importances of mean 1, none of them near 0.
    private var damped: FitProblem {
        func damped(_ importance: [Float]?) -> [Float]? {
            guard let importance else { return nil }
            let mean = importance.reduce(0.0) { $0 + Double($1) } / Double(importance.count)
            guard mean > 0 else { return nil }
            return importance.map { Float(Self.floor + (1 - Self.floor) * Double($0) / mean) }
        }
        return FitProblem(
            weights: problem.weights, importance: damped(problem.importance),
            rowImportance: damped(problem.rowImportance), pool: problem.pool)
    }
}

/// Points with the lengths of their codes, and what a bit costs.
struct SharedBook {
    /// Ascending.
    var points: [Int8]
    /// Bits.
    var lengths: [Double]
    var lambda: Double
}

/// Some rows with given scales.
private struct Stage {
    let problem: FitProblem
    /// Of each row and group.
    let scales: [UInt16]
    let group: Int

    /// The same for some row blocks.
    func sampled(blocks: Int) -> Stage {
        guard problem.rowBlocks > blocks else { return self }
        let slots = problem.columns / group
        return Stage(
            problem: problem.sample(blocks: blocks),
            scales: problem.sampledRows(blocks: blocks).flatMap { scales[$0 * slots..<($0 + 1) * slots] }, group: group)
    }

    /// The same with larger scales.
    func widened(by factor: Float) -> Stage {
        guard factor != 1 else { return self }
        let wider = scales.map { Float16(min(max(Float(Float16(bitPattern: $0)) * factor, -65504), 65504)).bitPattern }
        return Stage(problem: problem, scales: wider, group: group)
    }

    /// How much wider than for packed indices scales are best, and the histogram's codebook for them: where rare entries cost long
    /// codes and not levels, outliers need not be cut off.
    func widest(rate: Double, limit: Int) -> (factor: Float, book: SharedBook) {
        let found = [1, 1.25, 1.6].map { (factor: Float) in
            (factor, widened(by: factor).solver.solve(rate: rate, limit: limit))
        }
        var best = found[0]
        for other in found where other.1.cells.error < best.1.cells.error { best = other }
        return (
            best.0, SharedBook(points: best.1.cells.points, lengths: best.1.cells.lengths, lambda: best.1.lambda)
        )
    }

    private var solver: SharedSolver {
        let slots = problem.columns / group
        return scales.withUnsafeBufferPointer { scales in
            let sums = problem.sum(width: 4 * PointTable.intervals) { block, sums in
                guard let scales = scales.baseAddress, let sums = sums.baseAddress else { return }
                let own = scales + block.firstRow * slots
                fettle_fit_intervals(block.rows, block.rowImportance, group, own, sums)
                fettle_fit_counts(block.rows, group, own, sums + 3 * PointTable.intervals)
            }
            return SharedSolver(
                sums: Array(sums[..<(3 * PointTable.intervals)]), counts: Array(sums[(3 * PointTable.intervals)...]))
        }
    }

    /// Numbers of weights of each code of `book`, and the sums of v, v * x and v * x^2. `codes` has room for a code of each weight.
    private func round(_ book: SharedBook, codes: UnsafeMutablePointer<UInt8>? = nil) -> [Double] {
        let slots = problem.columns / group
        let nearest = PointTable(points: book.points).nearestCodes()
        let lengths = book.lengths.map { Float($0 * book.lambda) }
        return scales.withUnsafeBufferPointer { scales in
            book.points.withUnsafeBufferPointer { points in
                lengths.withUnsafeBufferPointer { lengths in
                    nearest.withUnsafeBufferPointer { nearest in
                        let shared = fettle_shared_points(
                            count: Int32(points.count), points: points.baseAddress, lengths: lengths.baseAddress,
                            nearest_codes: nearest.baseAddress)
                        return withUnsafePointer(to: shared) { shared in
                            problem.sum(width: 4 * points.count) { block, sums in
                                guard let scales = scales.baseAddress else { return }
                                fettle_fit_encode_shared(
                                    block.rows, block.rowImportance, group, scales + block.firstRow * slots, shared,
                                    codes.map { $0 + block.firstRow * problem.columns }, sums.baseAddress)
                            }
                        }
                    }
                }
            }
        }
    }

    /// What `book` leads to: points in the middle of what is rounded to them, lengths that suit, and a lambda nearer to `rate`. `bits`
    /// is what its own indices take on average.
    func next(_ book: SharedBook, rate: Double) -> (book: SharedBook, counts: [Int]) {
        let sums = round(book)
        let total = Double(problem.rows * problem.columns)
        var counts: [Int] = []
        var points: [Int8] = []
        var numbers: [Double] = []
        for code in book.points.indices {
            let (number, mass) = (sums[4 * code], sums[4 * code + 1])
            counts.append(Int(number))
            guard number > 0 else { continue }
            let middle = mass > 0 ? min(max((sums[4 * code + 2] / mass).rounded(), -127), 127) : Double(book.points[code])
            if points.last == Int8(middle) {
                numbers[numbers.count - 1] += number
            } else {
                points.append(Int8(middle))
                numbers.append(number)
            }
        }
        let lengths = numbers.map { (total / $0).binaryLogarithm }
        let bits = zip(numbers, lengths).reduce(0) { $0 + $1.0 * $1.1 } / total
        // Each bit less makes lambda four times as large.
        let factor = min(max(1 + 1.386 * (bits - rate), 0.5), 2)
        return (SharedBook(points: points, lengths: lengths, lambda: book.lambda * factor), counts)
    }

    /// Codes that fit into `room` bytes, with their points, from a book that nearly does.
    func fitted(_ start: SharedBook, rate: Double, room: Int, rounds: Int) -> (codes: [UInt8], points: [Int8]) {
        var book = start
        var best: (book: SharedBook, bytes: Int)?
        for _ in 0..<rounds {
            let (following, counts) = next(book, rate: rate)
            let bytes = IndexCode(counts: counts).estimatedBytes(counts: counts)
            if bytes <= room, bytes > best?.bytes ?? 0 { best = (book, bytes) }
            // A thousandth of the room is not worth another round.
            if let best, room - best.bytes <= room / 1000 { break }
            book = following
        }
        book = best?.book ?? book
        for _ in 0..<64 {
            let codes = [UInt8](unsafeUninitializedCapacity: problem.rows * problem.columns) { codes, count in
                _ = round(book, codes: codes.baseAddress)
                count = problem.rows * problem.columns
            }
            if IndexCode(counts: codes.counts).encoded(codes, capacity: room) != nil { return (codes, book.points) }
            book.lambda *= 1.01
        }
        // Not even the shortest codes fit: one code for all takes no words.
        return ([UInt8](repeating: 0, count: problem.rows * problem.columns), [0])
    }
}
