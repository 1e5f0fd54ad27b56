internal import DeviceProfiles
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// An answer that refuses, as `application/problem+json` (RFC 9457). Its texts are ours: nothing of a request or of a path on
/// disk gets into them.
struct Problem: Error, Sendable, Equatable {
    var status: HTTPResponse.Status
    /// What is wrong, and what to do about it.
    var detail: String
    /// Headers that belong to the status, such as `Allow`.
    var headers: HTTPFields

    init(_ status: HTTPResponse.Status, _ detail: String, headers: HTTPFields = [:]) {
        self.status = status
        self.detail = detail
        self.headers = headers
    }

    /// The media type.
    static let mediaType = "application/problem+json"

    /// The answer to send.
    var response: Response {
        let document = CanonicalJSON.map([
            "type": .text("about:blank"), "title": .text(status.reasonPhrase), "status": .integer(status.code),
            "detail": .text(detail),
        ])
        var headers = headers
        headers[.contentType] = Self.mediaType
        headers[.cacheControl] = "no-store"
        return Response(
            status: status, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: document.encoded + "\n")))
    }
}
