internal import DeviceProfiles
internal import HTTPTypes
internal import Hummingbird

/// Routes of what was made: bundles, their files, whole archives.
struct BundleRoutes: Sendable {
    let catalog: BundleCatalog
    let ring: EventRing

    private static let name = Route.Parameter(
        "name", in: .path, Schemas.text, "The bundle's name in the list; MODEL@PROFILE is the latest one.")
    private static let file = Route.Parameter("file", in: .path, Schemas.text, "A file's name in the list.")

    var routes: [Route] {
        [
            Route(
                .get, "/v1/bundles", name: "listBundles", "Bundles, newest first, with verdicts and files.",
                success: Route.Success(schema: Schemas.reference("Bundles")), handler: list),
            Route(
                .get, "/v1/bundles/{name}", name: "getBundle", "The bundle's manifest, bundle.json.",
                parameters: [Self.name], success: Route.Success(schema: Schemas.reference("Manifest")),
                problems: [.notFound], handler: manifest),
            Route(
                .get, "/v1/bundles/{name}/files/{file}", name: "getBundleFile",
                "A file of the bundle, or a range of it.",
                parameters: [Self.name, Self.file], success: Route.Success(.ok, "application/octet-stream"),
                problems: [.notFound, .rangeNotSatisfiable], handler: file),
            Route(
                .get, "/v1/bundles/{name}/archive", name: "getBundleArchive", "The whole bundle as a tar archive.",
                parameters: [Self.name], success: Route.Success(.ok, "application/x-tar"), problems: [.notFound],
                handler: archive),
        ]
    }

    private func list(_ request: APIRequest) async throws -> Response {
        JSONAnswer.response(bytes: await catalog.json(finished: ring.finished))
    }

    private func manifest(_ request: APIRequest) async throws -> Response {
        let bundle = try await bundle(of: request)
        guard let file = OpenFile("\(bundle.directory)/bundle.json"),
            let bytes = await file.contents(limit: BundleEntry.manifestLimit)
        else { throw FileAnswer.gone }
        return JSONAnswer.response(bytes: bytes)
    }

    private func file(_ request: APIRequest) async throws -> Response {
        let bundle = try await bundle(of: request)
        guard let file = bundle.files.first(where: { $0.name == request.value("file") }) else { throw FileAnswer.gone }
        return try FileAnswer.response(request, file: file, of: bundle)
    }

    private func archive(_ request: APIRequest) async throws -> Response {
        let bundle = try await bundle(of: request)
        let folder = bundle.name.replacing(":", with: "_")
        guard let tar = TarStream(bundle, folder: folder) else { throw FileAnswer.gone }
        var headers = FileAnswer.baseHeaders(mediaType: "application/x-tar")
        headers[.contentDisposition] = "attachment; filename*=UTF-8''\(RequestTarget.encoded(folder)).tar"
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(contentLength: tar.size) { writer in
                try await tar.send { try await writer.write($0) }
                try await writer.finish(nil)
            })
    }

    private func bundle(of request: APIRequest) async throws(Problem) -> BundleEntry {
        guard let bundle = await catalog.bundle(request.value("name"), finished: ring.finished) else {
            throw Problem(.notFound, "There is no such bundle; /v1/bundles lists what there is.")
        }
        return bundle
    }
}
