internal import CKernels
internal import Compute

/// Points with the lengths of their codes, and what a bit costs.
struct SharedBook {
    /// Ascending.
    var points: [Int8]
    /// Bits.
    var lengths: [Double]
    var lambda: Double
}

/// Some rows with given scales.
struct SharedStage {
    let problem: FitProblem
    /// Of each row and group.
    let scales: [UInt16]
    let group: Int
    /// Whether all scales are one.
    let isTensor: Bool

    /// The same with other scales.
    private func with(_ scales: [UInt16]) -> Self {
        Self(problem: problem, scales: scales, group: group, isTensor: isTensor)
    }

    /// Row blocks of the sample that books are found on.
    private static let sampleBlocks = 32

    /// The same for some row blocks.
    private var sample: Self {
        guard problem.rowBlocks > Self.sampleBlocks else { return self }
        let slots = problem.columns / group
        return Self(
            problem: problem.sample(blocks: Self.sampleBlocks),
            scales: problem.sampledRows(blocks: Self.sampleBlocks).flatMap { scales[$0 * slots..<($0 + 1) * slots] },
            group: group, isTensor: isTensor)
    }

    /// The same with larger or smaller scales.
    func scaled(by factor: Float) -> Self { with(scales.scaled(by: factor)) }

    /// Factors of all scales that are tried, in steps of half an octave, and those of a scale that is not searched for each row.
    private static let wholeFactors: [Double] = [0.5, 0.707, 1, 1.414, 2, 2.828, 4]
    private static let tensorFactors = wholeFactors + [5.657, 8]

    /// The factor of all scales that suits codes of different lengths best: where rare entries cost long codes and not levels, outliers
    /// need not be cut off.
    func bestFactor(rate: Double, limit: Int) -> Float {
        // Scales twice as large show what lies beyond the outermost interval.
        let best = scaled(by: 2).spread.bestFactor(
            of: (isTensor ? Self.tensorFactors : Self.wholeFactors).map { $0 / 2 }, rate: rate, limit: limit,
            pool: problem.pool)
        return Float(2 * best)
    }

    /// The histogram of the weights.
    private var spread: SharedSpread {
        let slots = problem.columns / group
        let width = 3 * PointTable.intervals
        let sums = scales.withUnsafeBufferPointer { scales in
            problem.sum(width: width + PointTable.intervals) { block, sums in
                guard let scales = scales.baseAddress, let sums = sums.baseAddress else { return }
                fettle_fit_intervals(
                    block.rows, block.rowImportance, group, scales + block.firstRow * slots, sums, sums + width)
            }
        }
        return SharedSpread(sums: Array(sums[..<width]), counts: Array(sums[width...]))
    }

    /// What a round of codes adds up to.
    private struct Sums {
        /// For each code: its number, and the sums of v and v * x.
        var codes: [Double]
        /// For each row and group: the sums of v * x * point, of v * point^2 and of the error.
        var scales: [Double]

        /// How often each code is used.
        var counts: [Int] { stride(from: 0, to: codes.count, by: 3).map { Int(codes[$0]) } }
        var error: Double { stride(from: 2, to: scales.count, by: 3).reduce(0) { $0 + scales[$1] } }
    }

    /// Calls `body` with `book` as the kernels take it, and the scales.
    private func withPoints<Result>(
        _ book: SharedBook, _ body: (UnsafePointer<fettle_shared_points>, UnsafePointer<UInt16>) -> Result?
    ) -> Result? {
        let nearest = PointTable(points: book.points).nearestCodes()
        let lengths = book.lengths.map { Float($0 * book.lambda) }
        return scales.withUnsafeBufferPointer { scales in
            book.points.withUnsafeBufferPointer { points in
                lengths.withUnsafeBufferPointer { lengths in
                    nearest.withUnsafeBufferPointer { nearest in
                        guard let scales = scales.baseAddress else { return nil }
                        let shared = fettle_shared_points(
                            count: Int32(points.count), points: points.baseAddress, lengths: lengths.baseAddress,
                            nearest_codes: nearest.baseAddress)
                        return withUnsafePointer(to: shared) { body($0, scales) }
                    }
                }
            }
        }
    }

    /// Gives each weight a code of `book`. `codes` has room for a code of each weight.
    private func round(_ book: SharedBook, codes: UnsafeMutablePointer<UInt8>? = nil) -> Sums {
        let slots = problem.columns / group
        var result = Sums(codes: [], scales: [Double](repeating: 0, count: 3 * scales.count))
        result.scales.withUnsafeMutableBytes { fits in
            let fits = fits.baseAddress?.assumingMemoryBound(to: (Double, Double, Double).self)
            result.codes =
                withPoints(book) { points, scales in
                    problem.sum(width: 3 * book.points.count) { block, sums in
                        fettle_fit_encode_shared(
                            problem.instructionSet, block.rows, block.rowImportance, group,
                            scales + block.firstRow * slots, points,
                            codes.map { $0 + block.firstRow * problem.columns }, sums.baseAddress,
                            fits.map { $0 + block.firstRow * slots })
                    }
                } ?? []
        }
        return result
    }

    /// What each row and group costs with `book`, lengths included.
    private func costs(_ book: SharedBook) -> [Double] {
        let slots = problem.columns / group
        var result = [Double](repeating: 0, count: scales.count)
        result.withUnsafeMutableBufferPointer { result in
            guard let costs = result.baseAddress else { return }
            withPoints(book) { points, scales in
                problem.forEachBlock { block in
                    fettle_fit_shared_costs(
                        problem.instructionSet, block.rows, block.rowImportance, group,
                        scales + block.firstRow * slots, points, costs + block.firstRow * slots)
                }
            }
        }
        return result
    }

    /// What a round of `book` leads to, paced for indices of `rate` bits: points in the middle of what is rounded to them, lengths that
    /// suit, and scales of least error: short codes lie on the side of zero, all of them together, which a larger scale makes up for. And
    /// the bits of an index in that round, and its error.
    private func followed(
        _ book: SharedBook, rate: Double
    ) -> (next: (book: SharedBook, stage: Self), bits: Double, error: Double) {
        let sums = round(book)
        let total = Double(problem.rows * problem.columns)
        var points: [Int8] = []
        var numbers: [Double] = []
        for code in book.points.indices {
            let (number, mass) = (sums.codes[3 * code], sums.codes[3 * code + 1])
            guard number > 0 else { continue }
            let mean = mass > 0 ? sums.codes[3 * code + 2] / mass : Double(book.points[code])
            let middle = min(max(mean.rounded(), -127), 127)
            if points.last == Int8(middle) {
                numbers[numbers.count - 1] += number
            } else {
                points.append(Int8(middle))
                numbers.append(number)
            }
        }
        let lengths = numbers.map { (total / $0).binaryLogarithm }
        let counts = sums.counts
        let bits = IndexCode(counts: counts).bits(counts: counts) / total
        let following = SharedBook(points: points, lengths: lengths, lambda: book.lambda)
        return (refitted(sums.scales).paced(following, excess: bits - rate), bits, sums.error)
    }

    /// The same with the scales that these sums ask for.
    private func refitted(_ sums: [Double]) -> Self {
        var fits = scales.indices.map { (lean: sums[3 * $0], square: sums[3 * $0 + 1]) }
        if isTensor {
            let all = fits.reduce((lean: 0.0, square: 0.0)) { ($0.lean + $1.lean, $0.square + $1.square) }
            fits = [(lean: Double, square: Double)](repeating: all, count: fits.count)
        }
        return with(
            zip(scales, fits).map { bits, fit in
                guard fit.square > 0 else { return bits }
                let own = Double(Float16(bitPattern: bits))
                let scale = Float16(min(max(own * fit.lean / fit.square, -65504), 65504))
                return scale == 0 ? bits : scale.bitPattern
            })
    }

    /// Factors of a scale that are tried: where a row has outliers that matter, they decide.
    private static let factors: [Float] = [0.71, 0.84, 1, 1.19, 1.41, 2, 2.83, 4, 5.66, 8]

    /// The same with the scale of each row and group, of several, that costs least with `book`.
    private func searched(_ book: SharedBook) -> Self {
        guard !isTensor else { return self }
        var best = scales
        var least = [Double](repeating: .infinity, count: scales.count)
        for factor in Self.factors {
            let other = scaled(by: factor)
            let costs = other.costs(book)
            for index in scales.indices where costs[index] < least[index] {
                (best[index], least[index]) = (other.scales[index], costs[index])
            }
        }
        return with(best)
    }

    /// Codes that fit into `room` bytes, of `rate` bits each, with at most `limit` points and their scales.
    func fitted(
        rate: Double, limit: Int, room: Int
    ) -> (codes: [UInt8], points: [Int8], scales: [UInt16]) {
        let sample = sample
        let start = sample.spread.book(rate: rate, limit: limit)
        if isTensor {
            let (book, stage) = settled(start, rate: rate, rounds: Self.tensorRounds)
            return stage.encoded(book, room: room)
        }
        let (book, settled) = sample.settled(start, rate: rate, rounds: Self.sampleRounds)
        let ratios = zip(settled.scales, sample.scales).map { own, old in
            Float(Float16(bitPattern: own)) / Float(Float16(bitPattern: old))
        }
        var last = (book: book, stage: scaled(by: ratios.sorted()[ratios.count / 2]).searched(book))
        for _ in 0..<Self.rounds { last = last.stage.followed(last.book, rate: rate).next }
        return last.stage.encoded(last.book, room: room)
    }

    /// The best of what rounds of points, lengths and scales lead to, of indices that take about `rate` bits.
    ///
    /// The scales keep the pace, for lambda alone may not: all of them larger by a factor, and lambda by its square, save its logarithm in
    /// bits for each weight, whatever the points are.
    private func settled(_ start: SharedBook, rate: Double, rounds: Int) -> (book: SharedBook, stage: Self) {
        var (book, stage) = (start, searched(start))
        var best = (book: book, stage: stage, merit: Double.infinity)
        for _ in 0..<rounds {
            let (following, bits, error) = stage.followed(book, rate: rate)
            // As if it took no bytes, as in `SharedSolver.merit`.
            let merit = max(error, .leastNormalMagnitude).binaryLogarithm + 2 * bits
            (book, stage) = following
            if merit < best.merit { best = (book, stage, merit) }
        }
        return (best.book, best.stage)
    }

    /// The same with scales and lambda that save about `excess` bits for each weight.
    private func paced(_ book: SharedBook, excess: Double) -> (book: SharedBook, stage: Self) {
        let factor = CodeFit.pace(excess: excess)
        var book = book
        book.lambda *= factor * factor
        return (book, scaled(by: Float(factor)))
    }

    /// The codes of `book`, at the pace at which they just fit into `room` bytes.
    private func encoded(_ book: SharedBook, room: Int) -> (codes: [UInt8], points: [Int8], scales: [UInt16]) {
        let total = Double(problem.rows * problem.columns)
        var (book, stage) = (book, self)
        var best: (codes: [UInt8], points: [Int8], scales: [UInt16])?
        var least = room
        for number in 0..<Self.attempts where number < Self.usualAttempts || best == nil {
            var sums: Sums?
            let codes = [UInt8](unsafeUninitializedCapacity: problem.rows * problem.columns) { codes, count in
                sums = stage.round(book, codes: codes.baseAddress)
                count = problem.rows * problem.columns
            }
            guard let sums else { break }
            let fit = CodeFit(counts: sums.counts, room: room)
            let isFitting = fit.takes(codes)
            if isFitting, best == nil || fit.left < least {
                (best, least) = ((codes, book.points, stage.refitted(sums.scales).scales), fit.left)
            }
            // A thousandth of the room is not worth another attempt.
            if isFitting, fit.left <= room / 1000 { break }
            // What does not fit, whatever the estimate says, is made smaller by more each time, so that one attempt does.
            let excess = Double(-8 * fit.left) / total
            (book, stage) = stage.paced(
                book, excess: isFitting ? excess : max(0, excess) + 0.001 * Double(number + 1))
        }
        // Where not even the shortest codes fit: one code for all takes no words.
        return best ?? ([UInt8](repeating: 0, count: problem.rows * problem.columns), [0], scales)
    }

    /// Rounds of points, lengths and scales on the sample and on all rows, and attempts to meet the bytes after them.
    private static let sampleRounds = 4
    /// Of all rows where one scale, which is not searched, serves them all.
    private static let tensorRounds = 8
    private static let rounds = 3
    private static let attempts = 64
    /// As long as none has met them, there are more.
    private static let usualAttempts = 8
}
