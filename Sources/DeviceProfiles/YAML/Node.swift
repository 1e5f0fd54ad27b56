/// One value of a YAML document, with the place where it was written.
struct Node: Sendable {
    /// The three kinds of value.
    enum Content: Sendable {
        /// `isPlain` is false for a quoted or block scalar, which is always text.
        case scalar(String, isPlain: Bool)
        case list([Node])
        /// In the order of the file; no key appears twice.
        case map([(key: Key, value: Node)])
    }

    /// A key of a map; only scalars are keys.
    struct Key: Sendable {
        var name: String
        var place: Place
    }

    var content: Content
    var place: Place

    /// What was found, for messages: `"text"`, a list, a map.
    var found: String {
        switch content {
        case .scalar(let text, _): quoted(text)
        case .list: "a list"
        case .map: "a map"
        }
    }

    /// Whether nothing was written (an empty plain scalar or YAML's null).
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }
}

/// The text in double quotes, in one line and of bounded length: what a file holds may be hostile to a terminal.
func quoted(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(40) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate:
            shown += "\\u{\(String(scalar.value, radix: 16))}"
        default: shown.unicodeScalars.append(scalar)
        }
    }
    return "\"\(shown)\(text.unicodeScalars.count > 40 ? "..." : "")\""
}
