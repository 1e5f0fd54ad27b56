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

    /// The same for some row blocks.
    func sampled(blocks: Int) -> Self {
        guard problem.rowBlocks > blocks else { return self }
        let slots = problem.columns / group
        return Self(
            problem: problem.sample(blocks: blocks),
            scales: problem.sampledRows(blocks: blocks).flatMap { scales[$0 * slots..<($0 + 1) * slots] }, group: group,
            isTensor: isTensor)
    }

    /// The same with larger or smaller scales.
    func scaled(by factor: Float) -> Self { with(scales.scaled(by: factor)) }

    /// The factor of all scales that suits codes of different lengths best: where rare entries cost long codes and not levels, outliers
    /// need not be cut off.
    func bestFactor(rate: Double, limit: Int) -> Float {
        func merit(_ factor: Float) -> Double {
            scaled(by: factor).solver(coarse: true).merit(rate: rate, limit: limit)
        }
        var best = (factor: Float(1), merit: merit(1))
        // In steps of half an octave as long as that helps.
        for step: Float in [1.414, 0.707] where step > 1 || best.factor == 1 {
            for _ in 0..<6 {
                let own = merit(best.factor * step)
                guard own < best.merit else { break }
                best = (best.factor * step, own)
            }
        }
        return best.factor
    }

    /// The codebook that suits the histogram.
    func book(rate: Double, limit: Int) -> SharedBook {
        let best = solver(coarse: false).solve(rate: rate, limit: limit)
        return SharedBook(points: best.cells.points, lengths: best.cells.lengths, lambda: best.lambda)
    }

    /// The solver for the histogram, or for one of half as many intervals.
    private func solver(coarse: Bool) -> SharedSolver {
        let slots = problem.columns / group
        return scales.withUnsafeBufferPointer { scales in
            let sums = problem.sum(width: 4 * PointTable.intervals) { block, sums in
                guard let scales = scales.baseAddress, let sums = sums.baseAddress else { return }
                let own = scales + block.firstRow * slots
                fettle_fit_intervals(
                    block.rows, block.rowImportance, group, own, sums, sums + 3 * PointTable.intervals)
            }
            let width = coarse ? 2 : 1
            let bins = PointTable.intervals / width
            func joined(_ first: Int, _ parts: Int, _ part: Int, _ bin: Int) -> Double {
                (bin * width..<(bin + 1) * width).reduce(0) { $0 + sums[first + parts * $1 + part] }
            }
            return SharedSolver(
                sums: (0..<3 * bins).map { joined(0, 3, $0 % 3, $0 / 3) },
                counts: (0..<bins).map { joined(3 * PointTable.intervals, 1, 0, $0) })
        }
    }

    /// What a round of codes adds up to.
    private struct Sums {
        /// For each code: its number, and the sums of v, v * x and v * x^2.
        var codes: [Double]
        /// For each row and group: the sums of v * x * point and of v * point^2, and the cost.
        var scales: [Double]
    }

    /// Gives each weight a code of `book`. `codes` has room for a code of each weight.
    private func round(_ book: SharedBook, codes: UnsafeMutablePointer<UInt8>? = nil) -> Sums {
        let slots = problem.columns / group
        let nearest = PointTable(points: book.points).nearestCodes()
        let lengths = book.lengths.map { Float($0 * book.lambda) }
        var result = Sums(codes: [], scales: [Double](repeating: 0, count: 3 * scales.count))
        result.codes = result.scales.withUnsafeMutableBytes { fits in
            scales.withUnsafeBufferPointer { scales in
                book.points.withUnsafeBufferPointer { points in
                    lengths.withUnsafeBufferPointer { lengths in
                        nearest.withUnsafeBufferPointer { nearest in
                            let shared = fettle_shared_points(
                                count: Int32(points.count), points: points.baseAddress, lengths: lengths.baseAddress,
                                nearest_codes: nearest.baseAddress)
                            let fits = fits.baseAddress?.assumingMemoryBound(to: (Double, Double, Double).self)
                            return withUnsafePointer(to: shared) { shared in
                                problem.sum(width: 4 * points.count) { block, sums in
                                    guard let scales = scales.baseAddress else { return }
                                    fettle_fit_encode_shared(
                                        problem.instructionSet, block.rows, block.rowImportance, group,
                                        scales + block.firstRow * slots, shared,
                                        codes.map { $0 + block.firstRow * problem.columns }, sums.baseAddress,
                                        fits.map { $0 + block.firstRow * slots })
                                }
                            }
                        }
                    }
                }
            }
        }
        return result
    }

    /// What `book` leads to: points in the middle of what is rounded to them, and lengths that suit. `counts` are those of its own codes,
    /// `stage` the same with the scales of least error for them: short codes lie on the side of zero, all of them together, which a
    /// larger scale makes up for.
    private func next(_ book: SharedBook) -> (book: SharedBook, counts: [Int], stage: Self, error: Double) {
        let sums = round(book)
        let total = Double(problem.rows * problem.columns)
        var counts: [Int] = []
        var points: [Int8] = []
        var numbers: [Double] = []
        var error = 0.0
        for code in book.points.indices {
            let (number, mass) = (sums.codes[4 * code], sums.codes[4 * code + 1])
            let point = Double(book.points[code])
            error += sums.codes[4 * code + 3] - 2 * point * sums.codes[4 * code + 2] + point * point * mass
            counts.append(Int(number))
            guard number > 0 else { continue }
            let mean = mass > 0 ? sums.codes[4 * code + 2] / mass : point
            let middle = min(max(mean.rounded(), -127), 127)
            if points.last == Int8(middle) {
                numbers[numbers.count - 1] += number
            } else {
                points.append(Int8(middle))
                numbers.append(number)
            }
        }
        let lengths = numbers.map { (total / $0).binaryLogarithm }
        return (
            SharedBook(points: points, lengths: lengths, lambda: book.lambda), counts, refitted(sums.scales), error
        )
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
    func searched(_ book: SharedBook) -> Self {
        guard !isTensor else { return self }
        var best = scales
        var least = [Double](repeating: .infinity, count: scales.count)
        for factor in Self.factors {
            let other = scaled(by: factor)
            let sums = other.round(book).scales
            for index in scales.indices where sums[3 * index + 2] < least[index] {
                (best[index], least[index]) = (other.scales[index], sums[3 * index + 2])
            }
        }
        return with(best)
    }

    /// Codes that fit into `room` bytes, with their points and scales, from a book that nearly does.
    ///
    /// The scales keep the pace, for lambda alone may not: all of them larger by a factor, and lambda by its square, save its logarithm in
    /// bits for each weight, whatever the points are.
    func fitted(_ start: SharedBook, room: Int) -> (codes: [UInt8], points: [Int8], scales: [UInt16]) {
        let total = Double(problem.rows * problem.columns)
        var (book, stage) = (start, self)
        var best = (book: book, stage: stage, merit: Double.infinity)
        for number in 0..<Self.rounds {
            if Self.searches.contains(number) { stage = stage.searched(book) }
            let following = stage.next(book)
            let bytes = IndexCode(counts: following.counts).estimatedBytes(counts: following.counts)
            // As if it took no bytes, as in `SharedSolver.merit`.
            let merit =
                max(following.error, .leastNormalMagnitude).binaryLogarithm + Double(16 * bytes) / total
            (book, stage) = following.stage.paced(following.book, excess: Double(8 * (bytes - room)) / total)
            if merit < best.merit { best = (book, stage, merit) }
        }
        return best.stage.encoded(best.book, room: room)
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
        for number in 0..<Self.attempts where number < Self.rounds || best == nil {
            var sums: Sums?
            let codes = [UInt8](unsafeUninitializedCapacity: problem.rows * problem.columns) { codes, count in
                sums = stage.round(book, codes: codes.baseAddress)
                count = problem.rows * problem.columns
            }
            let fit = CodeFit(codes, room: room)
            if let sums, fit.isFitting, best == nil || fit.left < least {
                (best, least) = ((codes, book.points, stage.refitted(sums.scales).scales), fit.left)
            }
            // A thousandth of the room is not worth another attempt.
            if fit.isFitting, fit.left <= room / 1000 { break }
            // What does not fit, whatever the estimate says, is made smaller by more each time, so that one attempt does.
            let excess = Double(-8 * fit.left) / total
            (book, stage) = stage.paced(
                book, excess: fit.isFitting ? excess : max(0, excess) + 0.001 * Double(number + 1))
        }
        // Where not even the shortest codes fit: one code for all takes no words.
        return best ?? ([UInt8](repeating: 0, count: problem.rows * problem.columns), [0], scales)
    }

    /// Rounds of points, lengths and scales, those before which scales are searched, and attempts to meet the bytes after them.
    private static let rounds = 8
    private static let searches: Set = [0, 4]
    private static let attempts = 64
}
