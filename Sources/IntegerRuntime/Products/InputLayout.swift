internal import CKernels
internal import Quantization

/// How the input of a product lies in memory: what one activation makes of rows of `columns` numbers.
///
/// Matrices with equal input layouts share one quantization of their common input.
struct InputLayout: Hashable {
    let kind: fettle_input_kind.RawValue
    let columns: Int
    /// Columns that share a scale.
    let scaleColumns: Int
    /// Columns of one of the sums that the quantizer keeps.
    let sumColumns: Int
    /// The scale that calibration froze; 0 where each token has its own.
    let frozenScale: Float

    /// The layout of `activation`, with the scale that calibration froze for a static one. Throws for an activation that the
    /// runtime does not have, or that cannot divide the row, and for a scale that is missing or none.
    init(_ activation: Activation, columns: Int, frozenScale: Float? = nil) throws(RuntimeError) {
        let kind: fettle_input_kind
        self.frozenScale = activation == .static ? frozenScale ?? 0 : 0
        switch activation {
        case .float: (kind, scaleColumns, sumColumns) = (FETTLE_INPUT_FLOAT, columns, columns)
        case .int8: (kind, scaleColumns, sumColumns) = (FETTLE_INPUT_INT8, columns, 32)
        case .int8g32: (kind, scaleColumns, sumColumns) = (FETTLE_INPUT_INT8, 32, 32)
        case .int8g64: (kind, scaleColumns, sumColumns) = (FETTLE_INPUT_INT8, 64, 32)
        case .q8_0: (kind, scaleColumns, sumColumns) = (FETTLE_INPUT_Q8_0, 32, 32)
        case .q8_k: (kind, scaleColumns, sumColumns) = (FETTLE_INPUT_Q8_K, 256, 16)
        case .static:
            guard let frozenScale, frozenScale.isFinite, frozenScale >= 0x1p-100 else {
                throw RuntimeError(
                    .unsupported, place: activation.rawValue,
                    "the input has no frozen scale; fettle tune measures one")
            }
            (kind, scaleColumns, sumColumns) = (FETTLE_INPUT_INT8, columns, 32)
        case .int16: (kind, scaleColumns, sumColumns) = (FETTLE_INPUT_INT16, columns, 32)
        }
        guard columns > 0, columns.isMultiple(of: 32), columns.isMultiple(of: scaleColumns) else {
            throw RuntimeError(
                .unsupported, place: activation.rawValue,
                "rows of \(columns) are not whole groups of \(scaleColumns) and tiles of 32; choose another activation"
            )
        }
        self.kind = kind.rawValue
        self.columns = columns
    }

    /// Places of a panel that a row takes.
    var placesPerToken: Int { Int(fettle_places_per_token(fettle_input_kind(kind))) }

    /// Whether products read the rows themselves.
    var isFloat: Bool { kind == FETTLE_INPUT_FLOAT.rawValue }

    /// The input of `tokens` rows at `rows`, to be quantized into `buffers`. The first row is that of `position`; a sequence begins
    /// at every multiple of `sequence`.
    func input(
        tokens: Int, rows: UnsafeMutablePointer<Float>, buffers: InputBuffers, instructionSet: fettle_isa,
        position: Int, sequence: Int = Int(Int32.max)
    ) -> fettle_input {
        fettle_input(
            values: buffers.values, scales: buffers.scales, sums: buffers.sums, floats: rows,
            kind: fettle_input_kind(kind), tokens: Int32(tokens), columns: Int32(columns),
            scale_columns: Int32(scaleColumns), sum_columns: Int32(sumColumns),
            panel: fettle_panel(instructionSet, Int32(tokens * placesPerToken)), frozen_scale: frozenScale,
            position: Int32(position), sequence: Int32(sequence))
    }
}

/// Where a quantized input is kept.
struct InputBuffers {
    let values: UnsafeMutablePointer<Int8>
    let scales: UnsafeMutablePointer<Float>
    let sums: UnsafeMutablePointer<Int32>
    /// The most columns that a row may have.
    private let columns: Int

    /// Places of whole panels on any instruction set where tokens take `count`.
    static func wholePanels(_ count: Int) -> Int { count <= 1 ? 1 : count + Int(FETTLE_WIDEST_PANEL) - 1 }

    /// Buffers at `base`, as `plan` reserved them.
    init(plan: Plan, base: UnsafeMutableRawPointer) {
        values = (base + plan.values).assumingMemoryBound(to: Int8.self)
        scales = (base + plan.scales).assumingMemoryBound(to: Float.self)
        sums = (base + plan.sums).assumingMemoryBound(to: Int32.self)
        columns = plan.columns
    }

    /// Room for a single row of any activation, apart from that of every other `index`.
    func single(_ index: Int) -> InputBuffers {
        let place = index * Int(FETTLE_WIDEST_PANEL)
        return InputBuffers(
            values: values + place * columns, scales: scales + place * (columns / 32),
            sums: sums + place * (columns / 16), columns: columns)
    }

    private init(
        values: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Int32>,
        columns: Int
    ) {
        self.values = values
        self.scales = scales
        self.sums = sums
        self.columns = columns
    }

    /// Where the buffers lie in a region.
    struct Plan {
        let values: Int
        let scales: Int
        let sums: Int
        let columns: Int

        /// Room for so many places of rows of up to `columns` numbers.
        init(places: Int, columns: Int, in region: inout RegionPlan) {
            self.columns = columns
            values = region.reserve(places * columns)
            scales = region.reserve(places * (columns / 32) * MemoryLayout<Float>.stride)
            sums = region.reserve(places * (columns / 16) * MemoryLayout<Int32>.stride)
        }
    }
}
