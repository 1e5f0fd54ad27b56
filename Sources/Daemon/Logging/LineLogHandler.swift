internal import Foundation
package import Logging
internal import Synchronization

/// Writes each message as one line to stderr: text for people and journald, or JSON for machines.
package struct LineLogHandler: LogHandler {
    /// How a line looks.
    package enum Format: Sendable {
        /// Time, level, message, key=value.
        case text
        /// `<N>`, message, key=value: journald has its own time, and reads the priority from the prefix (sd-daemon(3)).
        case journal
        case json
    }

    /// What every handler of one process shares, and a new configuration may change.
    package final class Settings: Sendable {
        private let state: Mutex<(level: Logger.Level, format: Format)>
        private let isJournal: Bool

        /// Settings until a configuration is known.
        package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
            isJournal = environment["JOURNAL_STREAM"] != nil
            state = Mutex((.info, isJournal ? .journal : .text))
        }

        /// Takes over what `log` asks for.
        package func adopt(_ log: DaemonConfiguration.Log) {
            let level = Logger.Level(rawValue: log.level.rawValue) ?? .info
            let format: Format = log.format == .json ? .json : isJournal ? .journal : .text
            state.withLock { $0 = (level, format) }
        }

        fileprivate var level: Logger.Level { state.withLock { $0.level } }
        fileprivate var format: Format { state.withLock { $0.format } }
    }

    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let settings: Settings
    private var least = Logger.Level.trace

    /// A handler that looks as `settings` say now.
    package init(_ settings: Settings) { self.settings = settings }

    package var logLevel: Logger.Level {
        get { max(settings.level, least) }
        // The configuration decides; a part of the program may say less, never more.
        set { least = newValue }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let fields = all.map { ($0.key, "\($0.value)") }.sorted { $0.0 < $1.0 }
        let line = Self.line(
            event.level, "\(event.message)", fields: fields, format: settings.format, time: Date())
        FileHandle.standardError.write(Data(line.utf8))
    }

    /// One line with its newline. Control characters in it, which names of files may hold, are spelled out.
    static func line(
        _ level: Logger.Level, _ message: String, fields: [(String, String)], format: Format, time: Date
    ) -> String {
        let stamp = time.formatted(.iso8601)
        switch format {
        case .json:
            let own = [("time", stamp), ("level", level.rawValue), ("message", message)]
            let members = (own + fields).map { "\(quoted($0.0)):\(quoted($0.1))" }
            return "{\(members.joined(separator: ","))}\n"
        case .text, .journal:
            let head = format == .journal ? "<\(priority(level))>" : "\(stamp) \(level.rawValue) "
            let pairs = fields.map { " \($0.0)=\($0.1.contains(" ") || $0.1.isEmpty ? quoted($0.1) : $0.1)" }
            let text = (message + pairs.joined()).unicodeScalars.map { scalar in
                scalar.properties.generalCategory == .control
                    ? "\\u{\(String(scalar.value, radix: 16))}" : String(scalar)
            }
            return "\(head)\(text.joined())\n"
        }
    }

    /// syslog's number of a level.
    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    private static func quoted(_ text: String) -> String {
        (try? String(decoding: JSONEncoder().encode(text), as: UTF8.self)) ?? "\"\""
    }
}
