internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Routes of the service itself: health, metrics, what is watched.
struct ServiceRoutes: Sendable {
    let control: any ServiceControl
    let metrics: MetricsPage
    let cache: AnswerCache
    let now: @Sendable () -> Date

    /// A job loop that has not beaten for this long hangs.
    private static let heartbeatLimit = 60.0

    var routes: [Route] {
        [
            Route(
                .get, "/healthz", name: "health", "Whether the job loop is alive.",
                success: Route.Success(schema: Schemas.reference("Health")), problems: [.serviceUnavailable],
                handler: health),
            Route(
                .get, "/readyz", name: "readiness", "Whether scan, store and scheduler are up.",
                success: Route.Success(schema: Schemas.reference("Health")), problems: [.serviceUnavailable],
                handler: readiness),
            Route(
                .get, "/metrics", name: "metrics", "Prometheus metrics, text format 0.0.4.",
                success: Route.Success(.ok, "text/plain"), handler: metricsPage),
            Route(
                .get, "/v1/models", name: "listModels", "Models in the watched directories.",
                success: Route.Success(schema: Schemas.reference("Models")), handler: models),
            Route(
                .get, "/v1/profiles", name: "listProfiles", "Profiles that models are tuned for.",
                success: Route.Success(schema: Schemas.reference("Profiles")), handler: profiles),
        ]
    }

    private struct Models: Encodable {
        struct Model: Encodable {
            let name: String
            let state: WatchedModel.State
            let reason: String?
            let bytes: Int
            let digest: String?
        }
        let models: [Model]
    }

    private struct Profiles: Encodable {
        let profiles: [WatchedProfile]
    }

    private func health(_ request: APIRequest) async throws -> Response {
        let silence = now().timeIntervalSince(await control.heartbeat())
        guard silence < Self.heartbeatLimit else {
            throw Problem(.serviceUnavailable, "The job loop has not beaten for \(Int(silence)) s.")
        }
        return try JSONAnswer.response(["status": "ok"])
    }

    private func readiness(_ request: APIRequest) async throws -> Response {
        guard await control.isReady() else {
            throw Problem(.serviceUnavailable, "Starting: scan, store and scheduler are not all up yet.")
        }
        return try JSONAnswer.response(["status": "ready"])
    }

    private func metricsPage(_ request: APIRequest) async throws -> Response {
        Response(
            status: .ok, headers: [.contentType: PrometheusText.mediaType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: try await metrics.text())))
    }

    private func models(_ request: APIRequest) async throws -> Response {
        let bytes = try await cache.answer("models") {
            let models = await control.models().map {
                Models.Model(name: $0.name, state: $0.state, reason: $0.reason, bytes: $0.bytes, digest: $0.digest)
            }
            return try JSONAnswer.bytes(Models(models: models))
        }
        return JSONAnswer.response(bytes: bytes)
    }

    private func profiles(_ request: APIRequest) async throws -> Response {
        let bytes = try await cache.answer("profiles") {
            try JSONAnswer.bytes(Profiles(profiles: await control.profiles()))
        }
        return JSONAnswer.response(bytes: bytes)
    }
}
