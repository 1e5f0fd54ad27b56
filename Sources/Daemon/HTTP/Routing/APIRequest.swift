internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// A request that was let in, with the values of its path and query.
struct APIRequest: Sendable {
    let request: Request
    /// Values of the path's parameters.
    let values: [String: String]
    let query: [String: String]

    /// The header field `name`.
    func header(_ name: HTTPField.Name) -> String? { request.headers[name] }

    /// A parameter of the path.
    func value(_ name: String) -> String { values[name] ?? "" }

    /// The job id in the path.
    ///
    /// - Throws: 404 for what is no number: no job has such an id.
    func jobID() throws(Problem) -> Int64 {
        guard let id = Int64(value("id")), id >= 0 else { throw Problem(.notFound, "There is no such job.") }
        return id
    }

    /// A whole number of the query within `range`; nil where it is absent.
    func integer(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let text = query[name] else { return nil }
        guard let number = Int64(text), range.contains(number) else {
            throw Problem(
                .badRequest, "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    /// The body as a value of `type`.
    ///
    /// - Throws: 415, 413 or 400.
    func body<Value: Decodable>(as type: Value.Type) async throws -> Value {
        let media = header(.contentType)?.split(separator: ";").first?.trimmingCharacters(in: .whitespaces).lowercased()
        guard media == "application/json" else {
            throw Problem(.unsupportedMediaType, "Send the body as Content-Type: application/json.")
        }
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: HTTPLimits.body)
        } catch is NIOTooManyBytesError {
            throw Self.tooLarge
        }
        do {
            return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
        } catch {
            throw Problem(.badRequest, "The body is not the JSON that /v1/openapi.json describes.")
        }
    }

    /// The answer to a body beyond the limit.
    static let tooLarge = Problem(
        .contentTooLarge, "The body is larger than \(HTTPLimits.body) bytes.", headers: [.connection: "close"])
}
