/// How much a document may hold: a profile is a page of text, whatever claims to be one.
struct DocumentLimits: Sendable {
    /// Bytes of the file.
    var bytes: Int
    /// Maps and lists inside each other.
    var depth: Int
    /// Scalars, keys, maps and lists together.
    var nodes: Int

    /// The limits of profiles and of the daemon's configuration.
    static let profile = DocumentLimits(bytes: 1 << 20, depth: 64, nodes: 20_000)
}
