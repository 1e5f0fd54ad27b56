internal import DeviceProfiles
internal import HTTPTypes

/// The OpenAPI 3.1 document of a route table.
struct OpenAPIDocument: Sendable {
    let version: String

    /// The document of `routes`.
    func document(_ routes: [Route]) -> CanonicalJSON {
        var paths: [String: CanonicalJSON] = [:]
        for (path, routes) in Dictionary(grouping: routes, by: \.path) {
            var operations: [String: CanonicalJSON] = [:]
            for route in routes { operations[route.method.rawValue.lowercased()] = operation(route) }
            paths[path] = .map(operations)
        }
        let token = CanonicalJSON.map(["type": .text("http"), "scheme": .text("bearer")])
        return .map([
            "openapi": .text("3.1.0"),
            "info": .map([
                "title": .text("Fettle daemon"), "version": .text(version),
                "description": .text(
                    "Jobs, bundles and their progress. Reads need no token on a loopback address; everything else does."
                ),
            ]),
            "paths": .map(paths),
            "components": .map([
                "schemas": .map(Schemas.components), "securitySchemes": .map(["token": token]),
            ]),
        ])
    }

    private func operation(_ route: Route) -> CanonicalJSON {
        var entries: [String: CanonicalJSON] = [
            "operationId": .text(route.name), "summary": .text(route.summary), "responses": .map(responses(route)),
        ]
        if !route.parameters.isEmpty {
            entries["parameters"] = .list(
                route.parameters.map { parameter in
                    .map([
                        "name": .text(parameter.name), "in": .text(parameter.place.rawValue),
                        "required": .flag(parameter.place == .path), "schema": parameter.schema,
                        "description": .text(parameter.summary),
                    ])
                })
        }
        if let body = route.body {
            entries["requestBody"] = .map(["required": .flag(true), "content": content("application/json", body)])
        }
        if route.access == .change { entries["security"] = .list([.map(["token": .list([])])]) }
        return .map(entries)
    }

    private func responses(_ route: Route) -> [String: CanonicalJSON] {
        var responses = [
            String(route.success.status.code): CanonicalJSON.map([
                "description": .text(route.success.status.reasonPhrase),
                "content": content(route.success.mediaType, route.success.schema),
            ])
        ]
        // Any request may have a foreign Host, or need the token where the address is not loopback.
        let common: [HTTPResponse.Status] = route.access == .page ? [.forbidden] : [.unauthorized, .forbidden]
        for status in common + route.problems {
            responses[String(status.code)] = .map([
                "description": .text(status.reasonPhrase),
                "content": content(Problem.mediaType, Schemas.reference("Problem")),
            ])
        }
        return responses
    }

    private func content(_ mediaType: String, _ schema: CanonicalJSON?) -> CanonicalJSON {
        .map([mediaType: .map(schema.map { ["schema": $0] } ?? [:])])
    }
}
