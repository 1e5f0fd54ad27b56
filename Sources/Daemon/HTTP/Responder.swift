internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

/// Answers every request: lets it in or not, finds its route, counts it, and turns what goes wrong into a problem.
struct Responder: HTTPResponder {
    let table: RouteTable
    let access: AccessControl
    let requests: RequestMetrics
    let refusals: RefusalLog

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        let began = ContinuousClock.now
        var route: Route?
        var response: Response
        do {
            response = try await answer(request, &route)
        } catch let problem as Problem {
            response = problem.response
        } catch let error as ServiceControlError {
            response = Self.problem(error).response
        } catch {
            context.logger.error("HTTP: \(route?.name ?? "a request") failed: \(RefusalLog.harmless("\(error)"))")
            response = Problem(.internalServerError, "The service failed at this; its log says why.").response
        }
        Self.secure(&response)
        let seconds = (.now - began) / .seconds(1)
        requests.add(route: route?.path, method: request.method, status: response.status.code, seconds: seconds)
        return request.method == .head ? response.createHeadResponse() : response
    }

    private func answer(_ request: Request, _ route: inout Route?) async throws -> Response {
        try access.checkOrigin(of: request.head)
        let target = try RequestTarget(request.head.path ?? "")
        let match = try table.match(request.method, target.segments)
        route = match.route
        try access.check(match.route.access, of: request.head)
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > HTTPLimits.body {
            refusals.note(.tooLarge)
            throw APIRequest.tooLarge
        }
        return try await match.route.handler(
            APIRequest(request: request, values: match.values, query: target.query))
    }

    private static func problem(_ error: ServiceControlError) -> Problem {
        switch error {
        case .notFound(let detail): Problem(.notFound, detail)
        case .conflict(let detail): Problem(.conflict, detail)
        case .unavailable(let detail): Problem(.serviceUnavailable, detail)
        }
    }

    /// Headers that no answer goes without.
    private static func secure(_ response: inout Response) {
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.referrerPolicy] = "no-referrer"
        response.headers[.crossOriginResourcePolicy] = "same-origin"
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        }
    }
}
