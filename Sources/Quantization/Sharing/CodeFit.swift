/// How codes that are to be entropy-coded fit into their bytes.
struct CodeFit {
    /// Bytes of the room that are left by the estimate, below 0 where they are missing.
    let left: Int
    /// Whether the codes fit, whatever the estimate says.
    let isFitting: Bool

    init(_ codes: [UInt8], room: Int) {
        let counts = codes.counts
        let code = IndexCode(counts: counts)
        left = room - code.estimatedBytes(counts: counts)
        isFitting = code.encoded(codes, capacity: room) != nil
    }

    /// The factor of all scales that, with lambda multiplied by its square, saves about `excess` bits of each code.
    static func pace(excess: Double) -> Double { min(max(1 + 0.693 * excess, 0.75), 1.5) }
}

extension [UInt16] {
    /// Half-precision scales, larger or smaller by a factor; none becomes 0 or infinite.
    func scaled(by factor: Float) -> Self {
        map { bits in
            let own = Float16(bitPattern: bits)
            let scale = Float16(Swift.min(Swift.max(Float(own) * factor, -65504), 65504))
            return (scale == 0 ? own : scale).bitPattern
        }
    }
}
