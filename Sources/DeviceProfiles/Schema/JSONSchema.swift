/// The JSON Schema (draft 2020-12) of a table of fields: editors that know YAML check and complete by it.
package struct JSONSchema: Sendable {
    private let title: String
    private let fields: [Field]

    package init(title: String, fields: [Field]) {
        self.title = title
        self.fields = fields
    }

    /// The schema document.
    package var document: CanonicalJSON {
        guard case .map(var entries) = schema(.map(fields)) else { return .map([:]) }
        entries["$schema"] = .text("https://json-schema.org/draft/2020-12/schema")
        entries["title"] = .text(title)
        return .map(entries)
    }

    private func schema(_ kind: Field.Kind) -> CanonicalJSON {
        switch kind {
        case .text(let rule):
            var entries: [String: CanonicalJSON] = ["type": .text("string")]
            entries["pattern"] = rule.pattern.map { .text($0) } ?? .text("^[\\s\\S]+$")
            return .map(entries)
        case .word(let allowed, _): return .map(["enum": .list(allowed.map { .text($0) })])
        case .flag: return .map(["type": .text("boolean")])
        case .integer(let range):
            return .map([
                "type": .text("integer"), "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound),
            ])
        case .oneOf(let values): return .map(["enum": .list(values.map { .integer($0) })])
        case .number(let bound):
            return .map(["type": .text("number"), "exclusiveMinimum": .integer(0), "maximum": .real(bound)])
        case .quantity(let dimension, _):
            let units = dimension.units.map(\.name).joined(separator: "|")
            return .map([
                "type": .text("string"),
                "pattern": .text("^[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)? ?(\(units))$"),
            ])
        case .list(let item):
            return .map([
                "type": .text("array"), "items": schema(item), "minItems": .integer(1), "uniqueItems": .flag(true),
            ])
        case .oneOrMore(let item): return .map(["anyOf": .list([schema(item), schema(.list(item))])])
        case .map(let fields):
            var properties: [String: CanonicalJSON] = [:]
            for field in fields {
                guard case .map(var entries) = schema(field.kind) else { continue }
                entries["description"] = .text(field.summary)
                properties[field.name] = .map(entries)
            }
            var entries: [String: CanonicalJSON] = [
                "type": .text("object"), "properties": .map(properties), "additionalProperties": .flag(false),
            ]
            let required = fields.filter(\.isRequired).map { CanonicalJSON.text($0.name) }
            if !required.isEmpty { entries["required"] = .list(required) }
            return .map(entries)
        }
    }
}
