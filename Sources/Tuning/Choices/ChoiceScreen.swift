package import Compute
package import DeviceProfiles
package import ModelFiles
package import Quantization

/// Drops formats that are not worth a score before anything dear is measured: those for which another one takes no more bytes,
/// in memory and in the file, in every matrix and leaves clearly less error in the weights, on a sample of rows of each kind of matrix.
package struct ChoiceScreen {
    private let model: Model
    private let store: ScoreStore
    private let pool: ThreadPool

    /// Layers and rows of each that are sampled.
    private static let layers = 4
    private static let rows = 16
    /// How much less error counts as clearly less: scores, which see inputs and gradients too, rank formats of one size
    /// like weight errors do to within some percent.
    private static let margin = 1.05

    /// A screen for the weights of `model`; `store` keeps their errors.
    package init(model: Model, store: ScoreStore, pool: ThreadPool) {
        self.model = model
        self.store = store
        self.pool = pool
    }

    /// The formats of `catalog` that are worth a score on `profile`'s device. Where the profile has measured kernels, time does
    /// not follow bytes, and all are.
    package func formats(of catalog: ChoiceCatalog, for profile: DeviceProfile) throws -> Set<Format> {
        var formats: [Format] = []
        for format in catalog.groups.flatMap(\.choices).map(\.format) where !formats.contains(format) {
            formats.append(format)
        }
        guard profile.kernels.isEmpty else { return Set(formats) }
        let samples = try samples()
        let errors = try formats.map { try self.errors(of: $0, on: samples) }
        let kept = formats.indices.filter { index in
            !formats.indices.contains { other in
                other != index && isDominated(index, by: other, formats, samples, errors)
            }
        }
        return Set(kept.map { formats[$0] })
    }

    /// Rows of one kind of matrix.
    private struct Sample {
        var weights: Matrix
        var energy: Double
    }

    private func isDominated(
        _ index: Int, by other: Int, _ formats: [Format], _ samples: [Sample], _ errors: [[Double?]]
    ) -> Bool {
        for (kind, sample) in samples.enumerated() {
            guard let own = errors[index][kind] else { continue }
            guard let others = errors[other][kind] else { return false }
            let (rows, columns) = (sample.weights.rows, sample.weights.columns)
            func takesNoMore(_ bytes: (Format) -> Int) -> Bool { bytes(formats[other]) <= bytes(formats[index]) }
            guard takesNoMore({ $0.packedBytes(rows: rows, columns: columns) }),
                takesNoMore({ $0.storedBytes(rows: rows, columns: columns) }), others * Self.margin <= own
            else { return false }
        }
        return true
    }

    /// For each kind of matrix, rows of some layers, spread evenly.
    private func samples() throws -> [Sample] {
        let configuration = model.configuration
        var kinds = [[TensorName.embedding]]
        let layers = (0..<min(Self.layers, configuration.layers)).map { $0 * configuration.layers / Self.layers }
        for part in TensorName.Part.allCases where !part.isNorm {
            kinds.append(layers.map { TensorName.layer($0, part) })
        }
        return try kinds.map { names in
            var values: [Float] = []
            var columns = 0
            for tensor in try names.map(model.tensor) {
                columns = tensor.columns
                values += tensor.matrix(rows: tensor.spreadRows(Self.rows)).values
            }
            let energy = values.reduce(0.0) { $0 + Double($1) * Double($1) }
            return Sample(
                weights: Matrix(rows: values.count / columns, columns: columns, values: values), energy: energy)
        }
    }

    /// The error of a format on each sample, from the store where it has them; nil where it is not legal.
    private func errors(of format: Format, on samples: [Sample]) throws -> [Double?] {
        let context = ScoreContext.weightsKey(model: model)
        let name = "rounding \(format)"
        if let known: [Double] = try store.vector(name, in: context), known.count == samples.count {
            return known.map { $0.isNaN ? nil : $0 }
        }
        let errors = try samples.map { try error(of: format, on: $0) }
        try store.put([name: errors.map { $0 ?? .nan }], in: context)
        return errors
    }

    /// The share of the weights' energy that rounding loses; nil where the format is not legal.
    private func error(of format: Format, on sample: Sample) throws -> Double? {
        let weights = sample.weights
        guard format.isLegal(rows: weights.rows, columns: weights.columns), sample.energy > 0 else { return nil }
        let quantized: Matrix
        switch format {
        case .float16: return 0
        case .grid(let grid):
            quantized = try GridQuantizer.quantize(weights, as: grid, clip: true, pool: pool).dequantized()
        case .block(let block): quantized = try BlockQuantizer.quantize(weights, as: block, pool: pool).dequantized()
        }
        let sum = zip(quantized.values, weights.values).reduce(0.0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
        return sum / sample.energy
    }
}
