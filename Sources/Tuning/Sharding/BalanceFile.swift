internal import ModelFiles

/// The factors that balance a model's channels, in a file that one of several processes makes for all: for each site their number,
/// 32 bits, and as many float32, in the machine's byte order.
struct BalanceFile {
    /// Names of what matrices read, in the order of the file.
    let sites: [String]
    /// A digest of what the factors depend on.
    let key: String

    /// The factors by site, from the file or from `find`, whose result is written for the others. `wait` is called while another
    /// process finds them.
    func factors(
        _ shared: SharedWork, wait: () throws -> Void, find: () throws -> [String: [Float]]
    ) throws -> [String: [Float]] {
        let paths = try shared.files(["\(key).balance"], wait: wait) { _, path in
            let found = try find()
            let file = try OutputFile(path: path)
            for site in sites {
                let values = found[site] ?? []
                try [Int32(values.count)].withUnsafeBytes { try file.append($0) }
                try values.withUnsafeBytes { try file.append($0) }
            }
            try file.finish()
        }
        let file = try MappedFile(path: paths[0])
        guard let result = file.bytes.withUnsafeBytes(read) else {
            throw TuningError(
                .badInput, place: paths[0], "does not hold this model's factors; remove its directory and run again")
        }
        return result
    }

    /// What the bytes of a file hold; nil where they are not the factors of these sites.
    private func read(_ bytes: UnsafeRawBufferPointer) -> [String: [Float]]? {
        var result: [String: [Float]] = [:]
        var next = 0
        for site in sites {
            guard bytes.count - next >= 4 else { return nil }
            let count = Int(bytes.loadUnaligned(fromByteOffset: next, as: Int32.self))
            next += 4
            guard count >= 0, (bytes.count - next) / 4 >= count else { return nil }
            result[site] = (0..<count).map { bytes.loadUnaligned(fromByteOffset: next + 4 * $0, as: Float.self) }
            next += 4 * count
        }
        return next == bytes.count ? result : nil
    }
}
