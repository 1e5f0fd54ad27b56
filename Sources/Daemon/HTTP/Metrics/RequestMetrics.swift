internal import HTTPTypes
internal import Synchronization

/// Counts and times of answered requests, by route: as many series as there are routes and statuses, whatever is asked.
final class RequestMetrics: Sendable {
    private struct Series: Hashable {
        let route: String
        let method: String
        let status: Int
    }

    private struct State {
        var counts: [Series: Int] = [:]
        var seconds: [String: DurationHistogram] = [:]
    }

    private let state = Mutex(State())
    private static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

    /// Counts an answer.
    ///
    /// - Parameter route: The path of the route with its parameters' names; nil where none matched.
    func add(route: String?, method: HTTPRequest.Method, status: Int, seconds: Double) {
        let known: [HTTPRequest.Method] = [.get, .head, .post]
        let route = route ?? "none"
        let series = Series(route: route, method: known.contains(method) ? method.rawValue : "other", status: status)
        state.withLock { state in
            state.counts[series, default: 0] += 1
            state.seconds[route, default: DurationHistogram(bounds: Self.bounds)].add(seconds)
        }
    }

    /// Writes both families.
    func write(to text: inout PrometheusText) {
        let state = state.withLock { $0 }
        text.family("fettle_http_requests_total", .counter, "Requests answered.")
        let order = state.counts.sorted { first, second in
            (first.key.route, first.key.method, first.key.status) < (
                second.key.route, second.key.method, second.key.status
            )
        }
        for (series, count) in order {
            text.sample(
                "fettle_http_requests_total",
                [("route", series.route), ("method", series.method), ("code", String(series.status))], Double(count))
        }
        text.family("fettle_http_request_duration_seconds", .histogram, "Time until the answer begins.")
        for (route, histogram) in state.seconds.sorted(by: { $0.key < $1.key }) {
            text.histogram("fettle_http_request_duration_seconds", [("route", route)], histogram)
        }
    }
}
