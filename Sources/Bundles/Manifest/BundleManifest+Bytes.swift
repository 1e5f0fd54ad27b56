internal import Foundation

extension BundleManifest {
    /// The manifest as it stands in bundle.json: sorted keys, indented, a newline at the end.
    package func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }

    /// Reads bundle.json at `path`.
    package init(path: String) throws(BundleError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw BundleError(.malformed, file: path, "cannot be read; this is not a bundle, or not a whole one")
        }
        do {
            self = try JSONDecoder().decode(BundleManifest.self, from: data)
        } catch {
            throw BundleError(
                .malformed, file: path, "is not a manifest that this version reads; make the bundle again")
        }
        guard schema == Self.currentSchema else {
            throw BundleError(
                .malformed, file: path, "has schema \(schema), but this version reads schema \(Self.currentSchema)")
        }
    }
}
