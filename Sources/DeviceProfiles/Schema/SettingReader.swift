/// Holds a document against a table of fields: unknown keys, wrong types, bad units and values out of range end here.
package struct SettingReader {
    private let fields: [Field]

    package init(_ fields: [Field]) {
        self.fields = fields
    }

    /// Reads a whole document.
    ///
    /// - Parameter file: How the file is called in messages.
    /// - Throws: The first mistake, in the order of the file; missing keys last.
    package func read(_ bytes: [UInt8], file: String) throws(ProfileError) -> Setting {
        let root = try DocumentReader.read(bytes, file: file)
        if root.isNull { throw ProfileError(.syntax, at: Place(file: file, line: 1, column: 1), "the file is empty") }
        return try map(root, fields, path: "")
    }

    /// Reads the file at a path.
    ///
    /// - Throws: `unreadable`, and everything that `read(_:file:)` throws.
    package func read(path: String) throws(ProfileError) -> Setting {
        try read(try RegularFile.read(path, limit: DocumentLimits.profile.bytes), file: path)
    }

    private func map(_ node: Node, _ fields: [Field], path: String) throws(ProfileError) -> Setting {
        guard case .map(let entries) = node.content else {
            let names = fields.map(\.name).joined(separator: ", ")
            throw ProfileError(
                .wrongType, at: node.place, keyPath: path,
                node.isNull ? "is empty; write keys below it: \(names)" : "\(node.found) is not a map of \(names)")
        }
        var settings: [String: Setting] = [:]
        for (key, value) in entries {
            let keyPath = path.isEmpty ? key.name : "\(path).\(key.name)"
            guard let field = fields.first(where: { $0.name == key.name }) else {
                throw unknown(key, fields, path: path)
            }
            settings[key.name] = try setting(value, field.kind, path: keyPath)
        }
        if let missing = fields.first(where: { $0.isRequired && settings[$0.name] == nil }) {
            throw ProfileError(
                .missingKey, at: node.place, keyPath: path,
                "the key \(missing.name) is missing; write \(missing.name): \(Self.example(missing.kind))")
        }
        return Setting(content: .map(settings), place: node.place)
    }

    private func unknown(_ key: Node.Key, _ fields: [Field], path: String) -> ProfileError {
        let names = fields.map(\.name)
        let nearest = NearestWord.find(key.name, among: names).map { "; the nearest is \($0)" } ?? ""
        return ProfileError(
            .unknownKey, at: key.place, keyPath: path,
            "unknown key \(quoted(key.name))\(nearest); allowed are \(names.joined(separator: ", "))")
    }

    private func setting(_ node: Node, _ kind: Field.Kind, path: String) throws(ProfileError) -> Setting {
        switch kind {
        case .map(let fields): return try map(node, fields, path: path)
        case .list(let item): return try list(node, item, path: path)
        case .oneOrMore(let item):
            if case .list = node.content { return try list(node, item, path: path) }
            return try setting(node, item, path: path)
        default:
            guard case .scalar(let text, let isPlain) = node.content, !node.isNull else {
                let found = node.isNull ? "is empty" : "\(node.found) cannot stand here"
                throw ProfileError(
                    .wrongType, at: node.place, keyPath: path, "\(found); write \(Self.example(kind))")
            }
            do throws(Scalar.Failure) {
                return Setting(content: try Scalar(text: text, isPlain: isPlain).content(kind), place: node.place)
            } catch {
                throw ProfileError(error.code, at: node.place, keyPath: path, error.message)
            }
        }
    }

    private func list(_ node: Node, _ item: Field.Kind, path: String) throws(ProfileError) -> Setting {
        guard case .list(let nodes) = node.content, !nodes.isEmpty else {
            let found = if case .list = node.content { "the list is empty" } else { "\(node.found) is not a list" }
            throw ProfileError(
                .wrongType, at: node.place, keyPath: path, "\(found); write [\(Self.example(item))]")
        }
        var items: [Setting] = []
        for (index, node) in nodes.enumerated() {
            let new = try setting(node, item, path: "\(path)[\(index)]")
            if items.contains(where: { $0.isSameScalar(as: new) }) {
                throw ProfileError(
                    .impossible, at: node.place, keyPath: path, "\(node.found) stands here twice; remove one")
            }
            items.append(new)
        }
        return Setting(content: .list(items), place: node.place)
    }

    /// A value of the kind, for messages.
    static func example(_ kind: Field.Kind) -> String {
        switch kind {
        case .text(let rule): rule.described
        case .word(let allowed, _): allowed.joined(separator: " | ")
        case .flag: "true or false"
        case .integer(let range):
            range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "a whole number from \(range.lowerBound)"
        case .oneOf(let values): values.map(String.init).joined(separator: " | ")
        case .number: "a number"
        case .quantity(let dimension, _): "\(dimension.described) such as 1 \(dimension.usualUnits.0)"
        case .list(let item): "[\(example(item))]"
        case .oneOrMore(let item): example(item)
        case .map(let fields): "{\(fields.map { "\($0.name): ..." }.joined(separator: ", "))}"
        }
    }
}

extension Setting {
    /// Whether both are the same word or number.
    fileprivate func isSameScalar(as other: Setting) -> Bool {
        switch (content, other.content) {
        case (.text(let a), .text(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        default: false
        }
    }
}
