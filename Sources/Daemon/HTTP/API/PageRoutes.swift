internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Routes of the dashboard: three files that hold nothing about this service, so that a browser may have them before the
/// user has entered a token.
struct PageRoutes: Sendable {
    var routes: [Route] {
        [
            file("/", "page", "The dashboard.", "text/html; charset=utf-8", PackageResources.dashboard_html),
            file(
                "/dashboard.css", "pageStyle", "Its style.", "text/css; charset=utf-8", PackageResources.dashboard_css),
            file(
                "/dashboard.js", "pageScript", "Its script.", "text/javascript; charset=utf-8",
                PackageResources.dashboard_js),
        ]
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
