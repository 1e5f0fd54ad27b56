internal import CKernels
package import ModelFiles

/// How keys and values are cached.
package enum KVFormat: String, Hashable, Sendable, CaseIterable {
    /// Half precision.
    case float16 = "f16"
    /// int8 with a float32 scale for each position and head.
    case int8
    /// int4, heads rotated by the Walsh-Hadamard transform, with a float32 scale for each position and head.
    case int4

    /// Whether heads of `headWidth` columns can be cached so: int4 joins columns by four.
    package func fits(headWidth: Int) -> Bool {
        switch self {
        case .float16: true
        case .int8: headWidth.isMultiple(of: 2)
        case .int4: headWidth.isMultiple(of: 4)
        }
    }

    fileprivate var cValue: fettle_kv_format {
        switch self {
        case .float16: FETTLE_KV_FLOAT16
        case .int8: FETTLE_KV_INT8
        case .int4: FETTLE_KV_INT4
        }
    }
}

/// Keys and values of the positions that a model has seen.
package final class KVCache {
    package let format: KVFormat
    /// Positions that it has room for.
    package let capacity: Int
    /// Positions that it holds.
    package internal(set) var count = 0

    /// Positions in whole blocks of 16.
    var positions: Int { plan.positions }

    private let region: MappedRegion
    private let plan: Plan

    /// An empty cache for `capacity` positions of a model. Throws where the system has no memory for it.
    package init(configuration: ModelConfiguration, format: KVFormat, capacity: Int) throws(RuntimeError) {
        guard let plan = Plan(configuration, format: format, capacity: capacity) else {
            throw RuntimeError(
                .contextOverflow, place: "context of \(capacity)",
                "no \(format.rawValue) cache has this size for heads of \(configuration.headWidth); choose from 1 to "
                    + "\(1 << 24), or f16"
            )
        }
        self.format = format
        self.capacity = capacity
        self.plan = plan
        region = try MappedRegion(byteCount: plan.byteCount, for: "KV cache")
    }

    /// Bytes that a cache takes. Nil for sizes that no cache has.
    static func bytes(_ configuration: ModelConfiguration, format: KVFormat, capacity: Int) -> Int? {
        Plan(configuration, format: format, capacity: capacity).map { MappedRegion.wholePages($0.byteCount) }
    }

    /// Forgets every position from `count` on.
    package func truncate(to count: Int) {
        self.count = min(self.count, max(0, count))
    }

    /// The keys and values of one layer, as kernels see them.
    func layer(_ index: Int) -> fettle_kv { plan.layer(index, base: region.base) }

    /// Whether it was made for a model of this shape.
    func fits(_ configuration: ModelConfiguration) -> Bool {
        plan.layers == configuration.layers && plan.heads == configuration.keyValueHeads
            && plan.headWidth == configuration.headWidth && plan.window == configuration.window ?? 0
    }

    /// Where the parts of each layer lie.
    private struct Plan {
        let format: KVFormat
        let layers: Int
        let heads: Int
        let headWidth: Int
        /// Positions in whole blocks of 16.
        let positions: Int
        let valueStride: Int
        /// Positions that a token sees at most, 0 for all.
        let window: Int
        private let keyBytes: Int
        private let valueBytes: Int
        private let scaleBytes: Int

        init?(_ configuration: ModelConfiguration, format: KVFormat, capacity: Int) {
            guard (1...1 << 24).contains(capacity), (1...1024).contains(configuration.headWidth),
                format.fits(headWidth: configuration.headWidth)
            else { return nil }
            self.format = format
            layers = configuration.layers
            heads = configuration.keyValueHeads
            headWidth = configuration.headWidth
            window = configuration.window ?? 0
            positions = (capacity + 15) / 16 * 16
            let unit = format == .int4 ? 32 : 16
            valueStride = (headWidth + unit - 1) / unit * unit
            keyBytes = fettle_kv_bytes(format.cValue, heads * positions * headWidth)
            valueBytes = fettle_kv_bytes(format.cValue, heads * positions * valueStride)
            scaleBytes = format == .float16 ? 0 : heads * positions * MemoryLayout<Float>.stride
        }

        private var layerBytes: Int { keyBytes + valueBytes + 2 * scaleBytes }
        var byteCount: Int { layers * layerBytes }

        func layer(_ index: Int, base: UnsafeMutableRawPointer) -> fettle_kv {
            let start = base + index * layerBytes
            let scales = (start + keyBytes + valueBytes).assumingMemoryBound(to: Float.self)
            return fettle_kv(
                keys: start.assumingMemoryBound(to: UInt8.self),
                values: (start + keyBytes).assumingMemoryBound(to: UInt8.self),
                key_scales: scales, value_scales: scales + heads * (scaleBytes == 0 ? 0 : positions),
                capacity: Int32(positions), heads: Int32(heads), head_width: Int32(headWidth),
                value_stride: Int32(valueStride), window: Int32(window), format: format.cValue)
        }
    }
}
