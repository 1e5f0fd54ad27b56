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
    func scaled(by factor: Float) -> Self {
        with(
            scales.map { bits in
                let own = Float16(bitPattern: bits)
                let scale = Float16(min(max(Float(own) * factor, -65504), 65504))
                return (scale == 0 ? own : scale).bitPattern
            })
    }

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
                fettle_fit_intervals(block.rows, block.rowImportance, group, own, sums)
                fettle_fit_counts(block.rows, group, own, sums + 3 * PointTable.intervals)
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
                                        block.rows, block.rowImportance, group, scales + block.firstRow * slots, shared,
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

    /// What `book` leads to: points in the middle of what is rounded to them, lengths that suit, and a lambda nearer to `rate`. `counts`
    /// are those of its own codes, `stage` the same with the scales of least error for them: short codes lie on the side of zero, all
    /// of them together, which a larger scale makes up for.
    func next(_ book: SharedBook, rate: Double) -> (book: SharedBook, counts: [Int], stage: Self) {
        let sums = round(book)
        let total = Double(problem.rows * problem.columns)
        var counts: [Int] = []
        var points: [Int8] = []
        var numbers: [Double] = []
        for code in book.points.indices {
            let (number, mass) = (sums.codes[4 * code], sums.codes[4 * code + 1])
            counts.append(Int(number))
            guard number > 0 else { continue }
            let mean = mass > 0 ? sums.codes[4 * code + 2] / mass : Double(book.points[code])
            let middle = min(max(mean.rounded(), -127), 127)
            if points.last == Int8(middle) {
                numbers[numbers.count - 1] += number
            } else {
                points.append(Int8(middle))
                numbers.append(number)
            }
        }
        let lengths = numbers.map { (total / $0).binaryLogarithm }
        let bits = zip(numbers, lengths).reduce(0) { $0 + $1.0 * $1.1 } / total
        // Each bit less makes lambda four times as large, and more while points lag behind.
        let factor = min(max(1 + 2.2 * (bits - rate), 0.5), 2)
        return (
            SharedBook(points: points, lengths: lengths, lambda: book.lambda * factor), counts, refitted(sums.scales)
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
    func fitted(
        _ start: SharedBook, rate: Double, room: Int, rounds: ClosedRange<Int>
    ) -> (codes: [UInt8], points: [Int8], scales: [UInt16]) {
        var (book, stage) = (start, self)
        var best: (book: SharedBook, stage: Self, bytes: Int)?
        for number in 1...rounds.upperBound {
            if number == 1 || number == rounds.lowerBound - 2 { stage = stage.searched(book) }
            let following = stage.next(book, rate: rate)
            let bytes = IndexCode(counts: following.counts).estimatedBytes(counts: following.counts)
            if bytes <= room, number >= rounds.lowerBound, bytes > best?.bytes ?? 0 { best = (book, stage, bytes) }
            // A thousandth of the room is not worth another round.
            if let best, room - best.bytes <= room / 1000 { break }
            (book, stage) = (following.book, following.stage)
        }
        if let best { (book, stage) = (best.book, best.stage) }
        // What is left of the room is spent on longer codes.
        for _ in 0..<32 {
            var longer = book
            longer.lambda *= 0.97
            let counts = stage.next(longer, rate: rate).counts
            guard IndexCode(counts: counts).estimatedBytes(counts: counts) <= room else { break }
            book = longer
        }
        for _ in 0..<64 {
            var sums: Sums?
            let codes = [UInt8](unsafeUninitializedCapacity: problem.rows * problem.columns) { codes, count in
                sums = stage.round(book, codes: codes.baseAddress)
                count = problem.rows * problem.columns
            }
            if let sums, IndexCode(counts: codes.counts).encoded(codes, capacity: room) != nil {
                return (codes, book.points, stage.refitted(sums.scales).scales)
            }
            book.lambda *= 1.01
        }
        // Not even the shortest codes fit: one code for all takes no words.
        return ([UInt8](repeating: 0, count: problem.rows * problem.columns), [0], scales)
    }
}
