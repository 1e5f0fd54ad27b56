/// One key of a GGUF file's metadata with its value.
package struct GGUFEntry: Sendable, Equatable {
    package var key: String
    package var value: GGUFValue

    package init(key: String, value: GGUFValue) {
        self.key = key
        self.value = value
    }
}

extension Sequence where Element == GGUFEntry {
    /// The value of the first entry named `key`.
    package func value(of key: String) -> GGUFValue? {
        first { $0.key == key }?.value
    }
}
