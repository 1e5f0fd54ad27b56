import Foundation

/// A second, small reading of JSON Schema: what the documents of this interface use of it, and nothing else.
struct JSONSchemaCheck {
    /// The OpenAPI document that references point into.
    let document: [String: Any]

    /// What is wrong with `value`; empty where it is as `schema` says.
    func faults(_ value: Any, _ schema: [String: Any], at place: String = "$") -> [String] {
        if let reference = schema["$ref"] as? String {
            guard let target = resolve(reference) else { return ["\(place): \(reference) leads nowhere"] }
            return faults(value, target, at: place)
        }
        let known: Set = [
            "type", "properties", "required", "additionalProperties", "items", "enum", "minimum", "maximum", "format",
        ]
        var found = schema.keys.filter { !known.contains($0) }.map { "\(place): keyword \($0) is not checked" }
        if let words = schema["enum"] as? [String] {
            found += words.contains { $0 == value as? String } ? [] : ["\(place): \(value) is not one of \(words)"]
        }
        switch schema["type"] as? String {
        case "object":
            guard let object = value as? [String: Any] else { return found + ["\(place) is no object"] }
            let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
            for name in schema["required"] as? [String] ?? [] where object[name] == nil {
                found.append("\(place).\(name) is missing")
            }
            for (name, member) in object {
                if let property = properties[name] {
                    found += faults(member, property, at: "\(place).\(name)")
                } else if schema["additionalProperties"] as? Bool != true {
                    found.append("\(place).\(name) is not described")
                }
            }
        case "array":
            guard let array = value as? [Any] else { return found + ["\(place) is no array"] }
            let items = schema["items"] as? [String: Any] ?? [:]
            for (index, item) in array.enumerated() { found += faults(item, items, at: "\(place)[\(index)]") }
        case "string":
            guard let text = value as? String else { return found + ["\(place) is no string"] }
            if schema["format"] as? String == "date-time", ISO8601DateFormatter().date(from: text) == nil {
                found.append("\(place): \(text) is no time")
            }
        case "integer":
            let number = value as? Double
            if number == nil || number != number?.rounded() { found.append("\(place): \(value) is no integer") }
        case "number": if value as? Double == nil { found.append("\(place): \(value) is no number") }
        case "boolean": if value as? Bool == nil { found.append("\(place): \(value) is no boolean") }
        default: found.append("\(place) has no type that is checked")
        }
        return found
    }

    private func resolve(_ reference: String) -> [String: Any]? {
        var node: Any? = document
        for name in reference.split(separator: "/").dropFirst() { node = (node as? [String: Any])?[String(name)] }
        return node as? [String: Any]
    }
}
