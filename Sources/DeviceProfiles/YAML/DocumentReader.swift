/// Composes libyaml's events into nodes: one document, plain maps, lists and scalars, within limits.
struct DocumentReader: ~Copyable {
    private let events: EventReader
    private let file: String
    private let limits: DocumentLimits
    private var nodes = 0

    /// Parses one document.
    ///
    /// - Throws: `syntax`, `tooLarge`, `refusedFeature` or `duplicateKey`, at the place.
    static func read(_ bytes: [UInt8], file: String, limits: DocumentLimits = .profile) throws(ProfileError) -> Node {
        guard bytes.count <= limits.bytes else {
            throw ProfileError(
                .tooLarge, at: Place(file: file, line: 1, column: 1),
                "the file has more than \(limits.bytes) bytes, the most that is read")
        }
        // A byte order mark is no part of the text; libyaml takes it for content once the encoding is given.
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        try TextScan.check(text, file: file)
        var reader = DocumentReader(events: try EventReader(text, file: file), file: file, limits: limits)
        return try reader.document()
    }

    private init(events: consuming EventReader, file: String, limits: DocumentLimits) {
        self.events = events
        self.file = file
        self.limits = limits
    }

    private mutating func document() throws(ProfileError) -> Node {
        _ = try events.next()
        let start = try events.next()
        guard case .documentStart = start.kind else {
            throw ProfileError(.syntax, at: Place(file: file, line: 1, column: 1), "the file is empty")
        }
        let root = try node(try events.next(), path: "", depth: 0)
        _ = try events.next()
        let end = try events.next()
        guard case .streamEnd = end.kind else {
            throw ProfileError(
                .syntax, at: end.place, "a second document begins here; the file must hold one: remove the ---")
        }
        return root
    }

    private mutating func node(
        _ event: EventReader.Event, path: String, depth: Int
    ) throws(ProfileError) -> Node {
        try refuse(event, path: path)
        try count(event, path: path, depth: depth)
        switch event.kind {
        case .scalar(let text, let isPlain):
            return Node(content: .scalar(text, isPlain: isPlain), place: event.place)
        case .listStart:
            var items: [Node] = []
            while true {
                let next = try events.next()
                if case .listEnd = next.kind { return Node(content: .list(items), place: event.place) }
                items.append(try node(next, path: "\(path)[\(items.count)]", depth: depth + 1))
            }
        case .mapStart:
            return Node(content: .map(try entries(path: path, depth: depth)), place: event.place)
        default:
            throw ProfileError(.syntax, at: event.place, keyPath: path, "a value is missing here")
        }
    }

    private mutating func entries(path: String, depth: Int) throws(ProfileError) -> [(key: Node.Key, value: Node)] {
        var entries: [(key: Node.Key, value: Node)] = []
        var places: [String: Place] = [:]
        while true {
            let event = try events.next()
            if case .mapEnd = event.kind { return entries }
            try refuse(event, path: path)
            guard case .scalar(let name, let isPlain) = event.kind else {
                throw ProfileError(
                    .wrongType, at: event.place, keyPath: path, "a key must be a word, not a list or map")
            }
            if isPlain, name == "<<" {
                throw ProfileError(
                    .refusedFeature, at: event.place, keyPath: path, "merge keys (<<) are refused; use extends")
            }
            let keyPath = path.isEmpty ? name : "\(path).\(name)"
            if let first = places.updateValue(event.place, forKey: name) {
                throw ProfileError(
                    .duplicateKey, at: event.place, keyPath: shown(keyPath),
                    "this key stands here twice, first at line \(first.line), column \(first.column); remove one")
            }
            try count(event, path: path, depth: depth)
            let value = try node(try events.next(), path: shown(keyPath), depth: depth + 1)
            entries.append((Node.Key(name: name, place: event.place), value))
        }
    }

    private func refuse(_ event: EventReader.Event, path: String) throws(ProfileError) {
        if case .alias = event.kind {
            throw ProfileError(
                .refusedFeature, at: event.place, keyPath: path, "aliases (*) are refused; write the value out")
        }
        if event.hasAnchor {
            throw ProfileError(
                .refusedFeature, at: event.place, keyPath: path, "anchors (&) are refused; write the value without one")
        }
        if event.hasTag {
            throw ProfileError(
                .refusedFeature, at: event.place, keyPath: path, "tags (!) are refused; write the value without one")
        }
    }

    private mutating func count(_ event: EventReader.Event, path: String, depth: Int) throws(ProfileError) {
        guard depth < limits.depth else {
            throw ProfileError(
                .tooLarge, at: event.place, "nested more than \(limits.depth) deep; nothing here needs more than 4")
        }
        nodes += 1
        guard nodes <= limits.nodes else {
            throw ProfileError(.tooLarge, at: event.place, "more than \(limits.nodes) values, the most that is read")
        }
    }

    /// A key path for messages; the keys come from the file and may be hostile.
    private func shown(_ path: String) -> String {
        path.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value < 0x7F }) && path.utf8.count <= 120
            ? path : String(quoted(path).dropFirst().dropLast())
    }
}
