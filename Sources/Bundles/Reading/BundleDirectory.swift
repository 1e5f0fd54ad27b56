internal import CLinux
package import Compute
internal import Foundation
package import IntegerRuntime
package import ModelFiles
internal import Quantization
internal import Tuning

/// A bundle on disk, read as a device would read it.
package struct BundleDirectory: Sendable {
    package let path: String
    package let manifest: BundleManifest
    package let configuration: ModelConfiguration
    package let tokenizer: Tokenizer

    /// Whether `path` is a bundle and not a model.
    package static func isBundle(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(path)/bundle.json")
    }

    /// Reads the bundle's manifest, shape and tokenizer; weights are read by `model`.
    ///
    /// - Throws: `BundleError` or `ModelError`, naming the file.
    package init(path: String) throws {
        manifest = try BundleManifest(path: "\(path)/bundle.json")
        self.path = path
        var description = try ModelDescription(directory: path)
        let weights = "\(path)/model.safetensors"
        if FileManager.default.fileExists(atPath: weights) {
            let divisors = try SafetensorsReader(path: weights).tensors.first {
                $0.name == WeightsFileLayout.rotaryDivisors
            }
            description.configuration.rotaryDivisors = divisors.map(Self.floats)
        }
        configuration = description.configuration
        tokenizer = description.tokenizer
        // What parsing has left would lie beside the weights, which do not come from the heap.
        fettle_trim_heap()
    }

    /// Path of the weights file.
    package var weightsPath: String {
        "\(path)/\(manifest.profile.runtime == "llama.cpp" ? "model.gguf" : "model.safetensors")"
    }

    /// Size of the weights file.
    package var storedBytes: Int {
        get throws(BundleError) {
            guard let size = try? FileManager.default.attributesOfItem(atPath: weightsPath)[.size] as? Int else {
                throw BundleError(.malformed, file: weightsPath, "is missing; copy or make the bundle again")
            }
            return size
        }
    }

    /// Positions that the bundle's device serves: the profile's context, or the model's own.
    package var servedContext: Int {
        let asked = manifest.profile.resolved["memory"]?["context"]?.integer ?? configuration.context
        return max(1, min(asked, configuration.context))
    }

    /// Name of the execution mode that the bundle is meant for.
    package var mode: String { manifest.quality.mode }

    /// The weights in the bundle's own formats and the runtime that runs them.
    ///
    /// - Parameter context: Positions that caches may have; the model's own where nil.
    package func model(context: Int? = nil, pool: ThreadPool) throws -> IntegerModel {
        guard let kv = KVFormat(rawValue: manifest.plan.kv.format) else {
            throw BundleError(
                .malformed, file: "\(path)/bundle.json",
                "plan.kv.format \"\(manifest.plan.kv.format)\" is not one this version runs; make the bundle again")
        }
        return try IntegerModel(
            configuration: configuration, weights: try weights(pool: pool), kv: kv, context: context,
            mode: ExecutionMode(rawValue: mode) ?? .dynamic, pool: pool)
    }

    /// The weights file, every tensor in the form that the runtime multiplies with.
    package func weights(pool: ThreadPool) throws -> RuntimeWeights {
        if manifest.profile.runtime == "llama.cpp" {
            return try RuntimeWeights(model: try Model.open(weightsPath), pool: pool)
        }
        let stored = try storedWeights()
        // What the header took would lie beside the weights while they move in.
        fettle_trim_heap()
        var weights = RuntimeWeights(matrices: [:], norms: stored.norms)
        let arena = try WeightsArena(holding: stored.matrices.map(\.layout), threads: pool.threads)
        for matrix in stored.matrices {
            weights.matrices[matrix.name] = try RuntimeMatrix(
                format: matrix.spec.format, layout: matrix.layout, placed: try place(matrix, in: arena),
                activation: matrix.spec.activation, frozenScale: matrix.frozenScale)
        }
        return weights
    }

    /// What the weights file holds, checked against the configuration: norms as they are, and matrices in the order of execution,
    /// so that a token reads the arena from one end to the other.
    private func storedWeights() throws -> (norms: [String: [Float]], matrices: [StoredMatrix]) {
        let reader = try SafetensorsReader(path: weightsPath)
        let metadata = Dictionary(reader.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        guard metadata[WeightsFileLayout.layoutKey] == WeightsFileLayout.layoutVersion else {
            throw BundleError(
                .malformed, file: weightsPath,
                "is not in layout \(WeightsFileLayout.layoutVersion); make the bundle again with this version")
        }
        let stored = Dictionary(reader.tensors.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var norms: [String: [Float]] = [:]
        var matrices: [StoredMatrix] = []
        for tensor in TensorName.all(of: configuration).compactMap({ stored[$0] }) {
            guard let shape = TensorName.shape(of: tensor.name, in: configuration) else { continue }
            if shape.rows == 1 {
                guard tensor.type == .f32, tensor.shape == [shape.columns] else { throw damaged(tensor.name) }
                norms[tensor.name] = Self.floats(tensor)
                continue
            }
            guard let text = metadata[WeightsFileLayout.specKey(tensor.name)] else { throw damaged(tensor.name) }
            let spec = try Spec(parsing: text)
            guard spec.format.storedBytes(rows: shape.rows, columns: shape.columns) == tensor.bytes.count else {
                throw damaged(tensor.name)
            }
            matrices.append(
                StoredMatrix(
                    name: tensor.name, bytes: tensor.bytes, spec: spec,
                    layout: try R16Layout(storing: spec.format, rows: shape.rows, columns: shape.columns),
                    frozenScale: metadata[WeightsFileLayout.frozenScaleKey(tensor.name)]
                        .flatMap { UInt32($0, radix: 16) }.map(Float.init(bitPattern:))))
        }
        reader.bytes.drop(0..<reader.bytes.count)
        return (norms, matrices)
    }

    /// Moves a matrix into `arena`, decoding indices on the way where its format has them coded.
    private func place(_ matrix: StoredMatrix, in arena: WeightsArena) throws -> PlacedBlocks {
        guard matrix.spec.format.isCoded else { return try arena.move(matrix.bytes, layout: matrix.layout) }
        do {
            return try arena.decode(matrix.bytes, format: matrix.spec.format, layout: matrix.layout)
        } catch is QuantizationError { throw damaged(matrix.name) }
    }

    private func damaged(_ tensor: String) -> BundleError {
        BundleError(
            .malformed, file: weightsPath, "tensor \(tensor) is not as the configuration says; make the bundle again")
    }

    private static func floats(_ tensor: SafetensorsTensor) -> [Float] {
        tensor.bytes.withUnsafeBytes { raw in
            (0..<raw.count / 4).map { Float(bitPattern: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
        }
    }
}

/// A packed matrix in the weights file.
private struct StoredMatrix {
    let name: String
    /// The matrix as it is stored.
    let bytes: MappedBytes
    let spec: Spec
    let layout: R16Layout
    /// Scale of its static inputs, where it has them.
    let frozenScale: Float?
}
