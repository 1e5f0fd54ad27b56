internal import CKernels
internal import Compute

/// The fit of a codebook whose indices are entropy-coded: the least error + lambda * code length, with the lambda at which the indices
/// just fit their bytes. Codebook, code lengths and indices are found in turn (Chou, Lookabaugh and Gray, 1989), from the exact
/// solution for the histogram of a sample; each weight counts by its column's importance, so that what matters less takes shorter codes.
struct SharedFit {
    let format: GridFormat
    let problem: FitProblem
    let clip: Bool

    /// Of the mean importance, added to each one's share of the rest: what the calibration never saw still keeps most of its bits.
    private static let floor = 0.5
    /// Row blocks of the sample.
    private static let sample = 32
    /// Rounds on the sample, and at most on the whole.
    private static let rounds = 4
    private static let wholeRounds = 8
    /// Times that codes are found anew for scales that fit the ones before.
    private static let refits = 1

    func quantized() -> QuantizedMatrix {
        var result = TableFit(format: format.resident, problem: problem, clip: clip).quantized()
        result.format = .grid(format)
        guard let room = CodedLayout(format, rows: problem.rows, columns: problem.columns)?.indexBytes,
            IndexCode(counts: result.codes.counts).encoded(result.codes, capacity: room) == nil
        else { return result }
        guard case .float16(var scales) = result.scales else { return result }
        let isTensor = scales.count == 1
        if isTensor { scales = [UInt16](repeating: scales[0], count: problem.rows) }
        let whole = Stage(problem: weighted(scales, group: result.group), scales: scales, group: result.group)
        let count = Double(problem.rows * problem.columns)
        // What is left for words, with a code of as many symbols as there may be.
        let head = 2 * (1 << min(format.bits, 6)) + 2 + 4 * IndexCode.lanes + 2 * IndexCode.lanes
        let rate = max(0.01, Double(8 * (room - head)) / count)

        // Of all rows: those of a sample do not tell which others would be cut off.
        var stage = whole.scaled(by: whole.bestFactor(rate: rate, limit: 1 << format.bits))
        let sample = stage.sampled(blocks: Self.sample)
        var book = sample.book(rate: rate, limit: 1 << format.bits)
        for _ in 0..<Self.rounds { book = sample.next(book, rate: rate).book }
        var codes = stage.fitted(book, rate: rate, room: room, rounds: Self.wholeRounds)
        stage = stage.refitted(codes.codes, codes.points, isTensor: isTensor)
        for _ in 0..<Self.refits {
            codes = stage.fitted(codes.book, rate: rate, room: room, rounds: Self.wholeRounds)
            stage = stage.refitted(codes.codes, codes.points, isTensor: isTensor)
        }
        result.codes = codes.codes
        let unused = (1 << format.bits) - codes.points.count
        result.codebooks = codes.points + [Int8](repeating: codes.points.last ?? 0, count: unused)
        result.scales = .float16(isTensor ? [stage.scales[0]] : stage.scales)
        return result
    }

    /// The problem with column importances of mean 1, none of them near 0, and with rows that all count the same, each in the measure of
    /// its own weights: by what calibration says of outputs, rows that hardly ever matter would be rounded away, and SmolLM2, which
    /// needs some of those, with them.
    private func weighted(_ scales: [UInt16], group: Int) -> FitProblem {
        let slots = problem.columns / group
        var columns = [Float](repeating: 1, count: problem.columns)
        if let importance = problem.importance {
            let mean = importance.reduce(0.0) { $0 + Double($1) } / Double(importance.count)
            columns = importance.map { Float(Self.floor + (1 - Self.floor) * Double($0) / mean) }
        }
        let ofSlots = (0..<slots).map { columns[$0 * group..<($0 + 1) * group].reduce(0, +) / Float(group) }
        let rows = (0..<problem.rows).map { row -> Float in
            var sum: Float = 0
            for slot in 0..<slots {
                let scale = Float(Float16(bitPattern: scales[row * slots + slot]))
                sum += ofSlots[slot] * scale * scale
            }
            return sum > 0 ? Float(slots) / sum : 1
        }
        return FitProblem(
            weights: problem.weights, importance: problem.importance == nil ? nil : columns, rowImportance: rows,
            pool: problem.pool)
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

    /// The same with larger or smaller scales.
    func scaled(by factor: Float) -> Stage {
        let scaled = scales.map { bits in
            let own = Float16(bitPattern: bits)
            let scale = Float16(min(max(Float(own) * factor, -65504), 65504))
            return (scale == 0 ? own : scale).bitPattern
        }
        return Stage(problem: problem, scales: scaled, group: group)
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
            for _ in 0..<4 {
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
            let mean = mass > 0 ? sums[4 * code + 2] / mass : Double(book.points[code])
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
        return (SharedBook(points: points, lengths: lengths, lambda: book.lambda * factor), counts)
    }

    /// The same with the scales of least error for these codes: short codes lie on the side of zero, all of them together, which a
    /// larger scale makes up for.
    func refitted(_ codes: [UInt8], _ points: [Int8], isTensor: Bool) -> Stage {
        let (rows, columns, slots) = (problem.rows, problem.columns, problem.columns / group)
        let values = points.map(Float.init)
        // Of each row and group: sums of v * w * point and of v * point^2.
        var lean = [Double](repeating: 0, count: rows * slots)
        var square = lean
        problem.weights.values.withUnsafeBufferPointer { weights in
            codes.withUnsafeBufferPointer { codes in
                for row in 0..<rows {
                    let own = problem.rowImportance?[row] ?? 1
                    for slot in 0..<slots {
                        var sums: (lean: Float, square: Float) = (0, 0)
                        for column in slot * group..<(slot + 1) * group {
                            let point = values[Int(codes[row * columns + column])]
                            let mass = (problem.importance?[column] ?? 1) * point
                            sums.lean += mass * weights[row * columns + column]
                            sums.square += mass * point
                        }
                        lean[row * slots + slot] = Double(own * sums.lean)
                        square[row * slots + slot] = Double(own * sums.square)
                    }
                }
            }
        }
        if isTensor {
            lean = [Double](repeating: lean.reduce(0, +), count: lean.count)
            square = [Double](repeating: square.reduce(0, +), count: square.count)
        }
        let fitted = scales.indices.map { index -> UInt16 in
            guard square[index] > 0 else { return scales[index] }
            let scale = Float16(min(max(lean[index] / square[index], -65504), 65504))
            return scale == 0 ? scales[index] : scale.bitPattern
        }
        return Stage(problem: problem, scales: fitted, group: group)
    }

    /// Codes that fit into `room` bytes, with their points and the book that they are from, from a book that nearly does.
    func fitted(
        _ start: SharedBook, rate: Double, room: Int, rounds: Int
    ) -> (codes: [UInt8], points: [Int8], book: SharedBook) {
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
            if IndexCode(counts: codes.counts).encoded(codes, capacity: room) != nil {
                return (codes, book.points, book)
            }
            book.lambda *= 1.01
        }
        // Not even the shortest codes fit: one code for all takes no words.
        return ([UInt8](repeating: 0, count: problem.rows * problem.columns), [0], book)
    }
}
