internal import CLibYAML

/// libyaml's event stream over bytes in memory.
struct EventReader: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>
    private let file: String

    init(_ bytes: [UInt8], file: String) throws(ProfileError) {
        self.file = file
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        input = .allocate(capacity: bytes.count)
        _ = input.initialize(fromContentsOf: bytes)
        guard yaml_parser_initialize(parser) == 1 else {
            throw ProfileError(.tooLarge, at: Place(file: file), "out of memory")
        }
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    /// One step of the document.
    struct Event {
        enum Kind {
            case scalar(String, isPlain: Bool)
            case alias
            case listStart, listEnd, mapStart, mapEnd
            case documentStart, documentEnd, streamStart, streamEnd
        }
        var kind: Kind
        var place: Place
        /// Whether the value carries an anchor (`&name`) or a tag (`!name`).
        var hasAnchor = false
        var hasTag = false
    }

    /// - Throws: `syntax` with libyaml's own words.
    func next() throws(ProfileError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            let problem = parser.pointee.problem.map { String(cString: $0) } ?? "syntax error"
            let context = parser.pointee.context.map { " " + String(cString: $0) } ?? ""
            throw ProfileError(.syntax, at: place(parser.pointee.problem_mark), "not YAML: \(problem)\(context)")
        }
        defer { yaml_event_delete(&event) }
        let start = place(event.start_mark)
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            // The non-specific tag "!" arrives as a tag too; a plain scalar without one is "plain implicit".
            return Event(
                kind: .scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE), place: start,
                hasAnchor: scalar.anchor != nil, hasTag: scalar.tag != nil)
        case YAML_ALIAS_EVENT: return Event(kind: .alias, place: start)
        case YAML_SEQUENCE_START_EVENT:
            let list = event.data.sequence_start
            return Event(kind: .listStart, place: start, hasAnchor: list.anchor != nil, hasTag: list.tag != nil)
        case YAML_MAPPING_START_EVENT:
            let map = event.data.mapping_start
            return Event(kind: .mapStart, place: start, hasAnchor: map.anchor != nil, hasTag: map.tag != nil)
        case YAML_SEQUENCE_END_EVENT: return Event(kind: .listEnd, place: start)
        case YAML_MAPPING_END_EVENT: return Event(kind: .mapEnd, place: start)
        case YAML_DOCUMENT_START_EVENT: return Event(kind: .documentStart, place: start)
        case YAML_DOCUMENT_END_EVENT: return Event(kind: .documentEnd, place: start)
        case YAML_STREAM_START_EVENT: return Event(kind: .streamStart, place: start)
        default: return Event(kind: .streamEnd, place: start)
        }
    }

    private func place(_ mark: yaml_mark_t) -> Place {
        Place(file: file, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}
