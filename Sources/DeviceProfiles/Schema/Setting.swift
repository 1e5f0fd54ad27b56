/// A value that has passed the table: its type is right, its units are gone, its place is known.
package struct Setting: Sendable {
    /// The value in base units.
    package enum Content: Sendable {
        case text(String)
        case flag(Bool)
        case integer(Int)
        case real(Double)
        case list([Setting])
        case map([String: Setting])
    }

    package var content: Content
    /// Where the value is written.
    package var place: Place

    /// The setting at a key path such as `memory.budget`; nil where it is not written.
    package subscript(keyPath: String) -> Setting? {
        var setting = self
        for key in keyPath.split(separator: ".") {
            guard case .map(let entries) = setting.content, let next = entries[String(key)] else { return nil }
            setting = next
        }
        return setting
    }

    /// The items of a list; one item for a single value.
    package var items: [Setting] {
        if case .list(let items) = content { items } else { [self] }
    }

    package var text: String? { if case .text(let text) = content { text } else { nil } }
    package var flag: Bool? { if case .flag(let flag) = content { flag } else { nil } }
    package var integer: Int? { if case .integer(let integer) = content { integer } else { nil } }

    /// A number, whole or not.
    package var real: Double? {
        switch content {
        case .real(let real): real
        case .integer(let integer): Double(integer)
        default: nil
        }
    }

    /// The value as one of an enumeration's words.
    package func word<Word: RawRepresentable>(as type: Word.Type) -> Word? where Word.RawValue == String {
        text.flatMap(Word.init(rawValue:))
    }

    /// This setting, extended by what `child` writes: maps merge, everything else is replaced.
    package func merging(_ child: Setting) -> Setting {
        guard case .map(let old) = content, case .map(let new) = child.content else { return child }
        return Setting(content: .map(old.merging(new) { $0.merging($1) }), place: child.place)
    }

    /// The place of every value that is not a map, by key path.
    package var places: [String: Place] {
        guard case .map(let entries) = content else { return [:] }
        var places: [String: Place] = [:]
        for (key, setting) in entries {
            guard case .map = setting.content else {
                places[key] = setting.place
                continue
            }
            for (rest, place) in setting.places { places["\(key).\(rest)"] = place }
        }
        return places
    }
}
