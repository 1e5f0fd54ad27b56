internal import DeviceProfiles
internal import HTTPTypes
internal import Hummingbird

/// One operation of the HTTP interface. The table of routes is what requests are answered by and what the OpenAPI document
/// is generated from, so that neither can say what the other does not.
struct Route: Sendable {
    /// Who may ask.
    enum Access: Sendable {
        /// Anyone: the page's own files, which hold nothing about this service.
        case page
        /// Anyone on a loopback address; elsewhere who has the token.
        case read
        /// Who has the token.
        case change
    }

    /// A value in the path, `{name}`, or in the query.
    struct Parameter: Sendable {
        enum Place: String, Sendable { case path, query, header }
        let name: String
        let place: Place
        let schema: CanonicalJSON
        let summary: String

        init(_ name: String, in place: Place = .query, _ schema: CanonicalJSON, _ summary: String) {
            self.name = name
            self.place = place
            self.schema = schema
            self.summary = summary
        }
    }

    /// What comes back where all is well.
    struct Success: Sendable {
        let status: HTTPResponse.Status
        let mediaType: String
        /// Nil for what is no JSON.
        let schema: CanonicalJSON?

        init(
            _ status: HTTPResponse.Status = .ok, _ mediaType: String = "application/json", schema: CanonicalJSON? = nil
        ) {
            self.status = status
            self.mediaType = mediaType
            self.schema = schema
        }
    }

    typealias Handler = @Sendable (APIRequest) async throws -> Response

    let method: HTTPRequest.Method
    /// For instance `/v1/jobs/{id}`.
    let path: String
    let access: Access
    let name: String
    let summary: String
    let parameters: [Parameter]
    /// The schema of the JSON body that it takes.
    let body: CanonicalJSON?
    let success: Success
    /// Statuses of problems that it answers with, beside those that any route may.
    let problems: [HTTPResponse.Status]
    let handler: Handler
    let segments: [Segment]

    enum Segment: Sendable, Equatable {
        case literal(String)
        case parameter(String)
    }

    init(
        _ method: HTTPRequest.Method, _ path: String, access: Access = .read, name: String, _ summary: String,
        parameters: [Parameter] = [], body: CanonicalJSON? = nil, success: Success,
        problems: [HTTPResponse.Status] = [], handler: @escaping Handler
    ) {
        self.method = method
        self.path = path
        self.access = access
        self.name = name
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.success = success
        self.problems = problems
        self.handler = handler
        segments = path.split(separator: "/").map { part in
            part.hasPrefix("{") ? .parameter(String(part.dropFirst().dropLast())) : .literal(String(part))
        }
    }

    /// The path's parameters where `segments` match it.
    func match(_ segments: [String]) -> [String: String]? {
        guard segments.count == self.segments.count else { return nil }
        var values: [String: String] = [:]
        for (segment, pattern) in zip(segments, self.segments) {
            switch pattern {
            case .literal(let literal): guard segment == literal else { return nil }
            case .parameter(let name):
                guard !segment.isEmpty else { return nil }
                values[name] = segment
            }
        }
        return values
    }
}
