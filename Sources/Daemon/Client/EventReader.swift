/// Takes a stream of bytes apart into server-sent events (WHATWG HTML, section 9.2.6).
struct EventReader {
    private var line: [UInt8] = []
    private var event = DaemonClient.Event()
    private var hasData = false

    /// The events that `bytes` complete. Comments and fields that are not known are passed over.
    mutating func events(adding bytes: [UInt8]) -> [DaemonClient.Event] {
        var events: [DaemonClient.Event] = []
        for byte in bytes {
            guard byte == 0x0A else {
                line.append(byte)
                continue
            }
            if line.last == 0x0D { line.removeLast() }
            if line.isEmpty {
                if hasData { events.append(event) }
                event = DaemonClient.Event(id: event.id)
                hasData = false
            } else {
                take(String(decoding: line, as: UTF8.self))
            }
            line.removeAll(keepingCapacity: true)
        }
        return events
    }

    private mutating func take(_ line: String) {
        let name = line.prefix { $0 != ":" }
        let value = line.dropFirst(name.count + 1)
        let text = String(value.hasPrefix(" ") ? value.dropFirst() : value)
        switch name {
        case "event": event.name = text
        case "id": event.id = text
        case "data":
            event.data += hasData ? "\n\(text)" : text
            hasData = true
        default: break
        }
    }
}
