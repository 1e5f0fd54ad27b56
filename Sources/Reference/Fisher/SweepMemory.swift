package import Compute

/// Where a sweep keeps its place, so that one that was stopped goes on where it was: residual inputs of layers, and gradients
/// between them.
package protocol SweepMemory {
    /// Whether a matrix of that name was kept.
    func contains(_ name: String) -> Bool
    /// The matrix of that name; nil where there is none, or it is damaged or of another shape.
    func matrix(_ name: String, rows: Int, columns: Int) -> Matrix?
    /// Keeps a matrix where it can.
    func keep(_ matrix: Matrix, _ name: String)
    /// Lets go of one.
    func forget(_ name: String)
}

/// A sweep's matrices in memory and, where there is one, in a `SweepMemory`.
struct SweepPlace {
    let memory: (any SweepMemory)?
    let rows: Int
    let columns: Int
    /// Residual inputs by layer; the last is what comes out of the last layer.
    private var residuals: [Int: Matrix] = [:]

    /// What was kept cannot be read back: the sweep starts from its beginning.
    struct Damaged: Error {}

    init(memory: (any SweepMemory)?, rows: Int, columns: Int) {
        self.memory = memory
        self.rows = rows
        self.columns = columns
    }

    /// The last layer whose input, and every one before it, is kept; nil where not even the first is.
    func lastResidual(upTo layers: Int) -> Int? {
        guard let memory else { return nil }
        return (0...layers).prefix { memory.contains(Self.residual($0)) }.last
    }

    mutating func keep(residual: Matrix, of layer: Int) {
        residuals[layer] = residual
        memory?.keep(residual, Self.residual(layer))
    }

    /// The input of `layer`, which is not needed again.
    mutating func takeResidual(_ layer: Int) throws -> Matrix {
        if let known = residuals.removeValue(forKey: layer) { return known }
        return try kept(Self.residual(layer))
    }

    /// The input of `layer`.
    mutating func residual(_ layer: Int) throws -> Matrix {
        let matrix = try takeResidual(layer)
        residuals[layer] = matrix
        return matrix
    }

    func containsGradient(_ layer: Int) -> Bool { memory?.contains(Self.gradient(layer)) ?? false }

    /// The gradient of the input of `layer`, as it was kept.
    func gradient(_ layer: Int) throws -> Matrix { try kept(Self.gradient(layer)) }

    /// Keeps the gradient of the input of `layer` in place of the next one's; that of the last layer's output stays, for a sweep
    /// that has to show other layers.
    func keep(gradient: Matrix, of layer: Int, layers: Int) {
        memory?.keep(gradient, Self.gradient(layer))
        if layer + 1 < layers { memory?.forget(Self.gradient(layer + 1)) }
    }

    /// Lets go of everything.
    func forget(layers: Int) {
        for layer in 0...layers {
            memory?.forget(Self.residual(layer))
            memory?.forget(Self.gradient(layer))
        }
    }

    private func kept(_ name: String) throws -> Matrix {
        guard let matrix = memory?.matrix(name, rows: rows, columns: columns) else { throw Damaged() }
        return matrix
    }

    private static func residual(_ layer: Int) -> String { "residual-\(layer)" }
    private static func gradient(_ layer: Int) -> String { "gradient-\(layer)" }
}
