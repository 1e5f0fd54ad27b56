internal import DeviceProfiles
internal import Foundation
internal import HTTPTypes
internal import Logging
internal import NIOCore

/// The whole interface over one running service: its routes and what they share.
struct API: Sendable {
    let ring: EventRing
    let documents: JobDocuments
    let table: RouteTable
    let responder: Responder
    let refusals: RefusalLog

    /// - Parameters:
    ///   - listening: The host that is listened on.
    ///   - run: Differs from run to run of the service.
    init(
        control: any ServiceControl, bundles: String, listening: String, tokenFile: String?, version: String,
        run: String,
        logger: Logger
    ) {
        let ring = EventRing(run: run)
        let documents = JobDocuments(bundles: bundles)
        let refusals = RefusalLog(logger: logger)
        let requests = RequestMetrics()
        let catalog = BundleCatalog(root: bundles)
        let metrics = MetricsPage(
            control: control, catalog: catalog, ring: ring, requests: requests, refusals: refusals, version: version)
        let cache = AnswerCache { ring.generation }
        var routes = PageRoutes().routes
        routes += ServiceRoutes(control: control, metrics: metrics, cache: cache, now: { Date() }).routes
        routes +=
            JobRoutes(
                control: control, documents: documents, cache: cache,
                events: EventStream(ring: ring, refusals: refusals)
            ).routes
        routes += BundleRoutes(catalog: catalog, ring: ring).routes
        routes.append(Self.openAPI(of: routes, version))
        table = RouteTable(routes)
        responder = Responder(
            table: table,
            access: AccessControl(
                hosts: HostRule(listening: listening), token: TokenFile(path: tokenFile, logger: logger),
                refusals: refusals),
            requests: requests, refusals: refusals)
        self.ring = ring
        self.documents = documents
        self.refusals = refusals
    }

    /// The route that describes `routes` and itself.
    private static func openAPI(of routes: [Route], _ version: String) -> Route {
        func route(_ document: ByteBuffer) -> Route {
            Route(
                .get, "/v1/openapi.json", name: "openAPI", "This document.",
                success: Route.Success(schema: Schemas.reference("Manifest"))
            ) { _ in JSONAnswer.response(bytes: document) }
        }
        let document = OpenAPIDocument(version: version).document(routes + [route(ByteBuffer())])
        return route(ByteBuffer(string: document.encoded))
    }
}
