internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Routes of the dashboard: files that hold nothing about this service, so that a browser may have them before the user
/// has entered a token.
struct PageRoutes: Sendable {
    var routes: [Route] {
        [
            file("/", "page", "The dashboard.", "text/html; charset=utf-8", PackageResources.dashboard_html),
            file(
                "/dashboard/style.css", "pageStyle", "Its style.", "text/css; charset=utf-8", PackageResources.style_css
            ),
            script("main", PackageResources.main_js), script("client", PackageResources.client_js),
            script("view", PackageResources.view_js), script("jobs", PackageResources.jobs_js),
            script("bundles", PackageResources.bundles_js), script("front", PackageResources.front_js),
            script("models", PackageResources.models_js),
        ]
    }

    private func script(_ name: String, _ bytes: [UInt8]) -> Route {
        file(
            "/dashboard/\(name).js", "pageScript-\(name)", "A part of its script.", "text/javascript; charset=utf-8",
            bytes)
    }

    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

    private func file(_ path: String, _ name: String, _ summary: String, _ mediaType: String, _ bytes: [UInt8]) -> Route
    {
        let body = ByteBuffer(bytes: bytes)
        return Route(.get, path, access: .page, name: name, summary, success: Route.Success(.ok, mediaType)) { _ in
            Response(
                status: .ok,
                headers: [.contentType: mediaType, .cacheControl: "no-cache", .contentSecurityPolicy: Self.policy],
                body: ResponseBody(byteBuffer: body))
        }
    }
}
