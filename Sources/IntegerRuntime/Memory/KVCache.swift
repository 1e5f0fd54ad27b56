internal import CKernels
package import ModelFiles

/// How keys and values are cached.
package enum KVFormat: String, Hashable, Sendable, CaseIterable {
    /// Half precision.
    case float16 = "f16"
    /// int8 with a float32 scale for each position and head.
    case int8
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
                "no cache has this size for heads of \(configuration.headWidth); choose from 1 to \(1 << 24)"
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
            && plan.headWidth == configuration.headWidth
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
        private let keyBytes: Int
        private let valueBytes: Int
        private let scaleBytes: Int

        init?(_ configuration: ModelConfiguration, format: KVFormat, capacity: Int) {
            guard (1...1 << 24).contains(capacity), (1...1024).contains(configuration.headWidth) else { return nil }
            self.format = format
            layers = configuration.layers
            heads = configuration.keyValueHeads
            headWidth = configuration.headWidth
            positions = (capacity + 15) / 16 * 16
            valueStride = (headWidth + 15) / 16 * 16
            let element = format == .int8 ? 1 : 2
            keyBytes = heads * positions * headWidth * element
            valueBytes = heads * positions * valueStride * element
            scaleBytes = format == .int8 ? heads * positions * MemoryLayout<Float>.stride : 0
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
                value_stride: Int32(valueStride), int8: format == .int8)
        }
    }
}
