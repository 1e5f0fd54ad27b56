/// How codes that are to be entropy-coded fit into their bytes.
package struct CodeFit {
    /// Bytes of the room that are left by the estimate, below 0 where they are missing.
    let left: Int
    private let code: IndexCode
    private let room: Int

    /// How codes that occur so often fit into `room` bytes.
    package init(counts: [Int], room: Int) {
        code = IndexCode(counts: counts)
        left = room - code.estimatedBytes(counts: counts)
        self.room = room
    }

    /// Whether `codes`, of these counts, fit indeed.
    package func takes(_ codes: [UInt8]) -> Bool { left >= -Self.slack && code.encoded(codes, capacity: room) != nil }

    /// Bytes that may be missing by the estimate where codes fit: the word that it adds for each lane, and another one that a lane's last
    /// state may keep.
    private static let slack = 4 * IndexCode.lanes

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
