internal import CKernels

/// A product with the layout of its input. Plain data: threads read it without counting references.
struct PlannedProduct {
    var step: ProductStep
    var input: InputLayout

    init(_ matrix: RuntimeMatrix) {
        step = ProductStep(matrix: matrix.kernel, blocks: matrix.rowBlocks)
        input = matrix.inputLayout
    }

    var rows: Int { Int(step.matrix.rows) }
}

/// The products of one layer in order of execution. The head is a layer that has only `output`.
struct LayerSteps {
    var query: PlannedProduct
    var key: PlannedProduct
    var value: PlannedProduct
    var attentionOutput: PlannedProduct
    var gate: PlannedProduct
    var up: PlannedProduct
    var down: PlannedProduct
}
