/// Adds up what a region of memory must hold, before it exists: each part begins on a cache line.
struct RegionPlan {
    private static let lineBytes = 64

    /// Bytes reserved so far.
    private(set) var byteCount = 0

    /// Reserves `bytes` and returns where they begin.
    mutating func reserve(_ bytes: Int) -> Int {
        defer { byteCount += (bytes + Self.lineBytes - 1) / Self.lineBytes * Self.lineBytes }
        return byteCount
    }

    /// Reserves room for `count` values of a type.
    mutating func reserve<Value>(_ count: Int, of type: Value.Type) -> Int {
        reserve(count * MemoryLayout<Value>.stride)
    }
}
