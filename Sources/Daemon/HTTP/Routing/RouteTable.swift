internal import HTTPTypes

/// Every route, looked up by path and method.
struct RouteTable: Sendable {
    let routes: [Route]
    /// Places in `routes` by number of segments: most tables are small, most paths short.
    private let byLength: [Int: [Int]]

    /// A route that answers, with the values in its path.
    struct Match: Sendable {
        let route: Route
        let values: [String: String]
    }

    init(_ routes: [Route]) {
        self.routes = routes
        byLength = Dictionary(grouping: routes.indices) { routes[$0].segments.count }
    }

    /// The route of `method` and `segments`; HEAD takes the route of GET.
    ///
    /// - Throws: 404, or 405 with the methods that the path has.
    func match(_ method: HTTPRequest.Method, _ segments: [String]) throws(Problem) -> Match {
        let wanted = method == .head ? .get : method
        var allowed: [String] = []
        for index in byLength[segments.count] ?? [] {
            guard let values = routes[index].match(segments) else { continue }
            if routes[index].method == wanted { return Match(route: routes[index], values: values) }
            allowed.append(routes[index].method.rawValue)
            if routes[index].method == .get { allowed.append("HEAD") }
        }
        guard !allowed.isEmpty else {
            throw Problem(.notFound, "There is nothing here; /v1/openapi.json lists what there is.")
        }
        throw Problem(
            .methodNotAllowed, "Allowed here: \(allowed.sorted().joined(separator: ", ")).",
            headers: [.allow: allowed.sorted().joined(separator: ", ")])
    }
}
