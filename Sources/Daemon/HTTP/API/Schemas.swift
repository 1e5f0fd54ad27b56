internal import DeviceProfiles

/// The JSON Schemas of what the interface takes and gives.
enum Schemas {
    /// Each by the name that `reference` takes.
    static let components: [String: CanonicalJSON] = [
        "Problem": object(
            ["type": text, "title": text, "status": integer, "detail": text], required: ["title", "status", "detail"]),
        "Job": object(
            [
                "id": integer, "model": text, "model_digest": text, "profile": text, "profile_digest": text,
                "settings_digest": text, "state": word(JobState.allCases.map(\.rawValue)), "priority": integer,
                "attempts": integer, "not_before": time, "stage": text, "fraction": number, "seconds_left": number,
                "message": text, "created": time, "started": time, "finished": time, "bundle": text, "kl": number,
                "stored_bytes": integer,
            ],
            required: [
                "id", "model", "model_digest", "profile", "profile_digest", "settings_digest", "state", "priority",
                "attempts", "created",
            ]),
        "Jobs": object(
            ["jobs": list(reference("Job")), "next": integer, "counts": object([:], required: [], open: true)],
            required: ["jobs", "counts"]),
        "Submission": object(
            ["model": text, "profile": text, "priority": integer], required: ["model", "profile"]),
        "Log": object(["lines": list(text)], required: ["lines"]),
        "Models": object(["models": list(reference("Model"))], required: ["models"]),
        "Model": object(
            [
                "name": text, "state": word(["settling", "incomplete", "unreadable", "ready"]), "reason": text,
                "bytes": integer, "digest": text,
            ], required: ["name", "state", "bytes"]),
        "Profiles": object(["profiles": list(reference("Profile"))], required: ["profiles"]),
        "Profile": object(
            ["name": text, "source": text, "digest": text, "error": text], required: ["name", "source"]),
        "Bundles": object(["bundles": list(reference("Bundle"))], required: ["bundles"]),
        "Bundle": object(
            [
                "name": text, "model": text, "profile": text, "runtime": text, "created": time, "latest": flag,
                "kl": number, "stored_bytes": integer, "met": flag, "verdicts": list(reference("Verdict")),
                "files": list(reference("File")),
            ],
            required: [
                "name", "model", "profile", "runtime", "created", "latest", "kl", "stored_bytes", "met", "verdicts",
                "files",
            ]),
        "Verdict": object(
            [
                "constraint": text, "goal": number, "predicted": number, "measured": number, "unmeasured": text,
                "unit": text, "met": flag,
            ],
            required: ["constraint", "goal", "predicted", "unit", "met"]),
        "File": object(["name": text, "bytes": integer, "sha256": text], required: ["name", "bytes"]),
        "Health": object(["status": text], required: ["status"]),
        "Manifest": object([:], required: [], open: true),
    ]

    static let text = CanonicalJSON.map(["type": .text("string")])
    static let integer = CanonicalJSON.map(["type": .text("integer")])
    static let number = CanonicalJSON.map(["type": .text("number")])
    static let flag = CanonicalJSON.map(["type": .text("boolean")])
    static let time = CanonicalJSON.map(["type": .text("string"), "format": .text("date-time")])

    /// One of `words`.
    static func word(_ words: [String]) -> CanonicalJSON {
        .map(["type": .text("string"), "enum": .list(words.map { .text($0) })])
    }

    /// A whole number within `range`.
    static func integer(_ range: ClosedRange<Int>) -> CanonicalJSON {
        .map(["type": .text("integer"), "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)])
    }

    /// The component `name`.
    static func reference(_ name: String) -> CanonicalJSON { .map(["$ref": .text("#/components/schemas/\(name)")]) }

    private static func list(_ items: CanonicalJSON) -> CanonicalJSON {
        .map(["type": .text("array"), "items": items])
    }

    /// - Parameter open: Whether other members may come.
    private static func object(
        _ properties: [String: CanonicalJSON], required: [String], open: Bool = false
    ) -> CanonicalJSON {
        var entries: [String: CanonicalJSON] = [
            "type": .text("object"), "properties": .map(properties), "additionalProperties": .flag(open),
        ]
        if !required.isEmpty { entries["required"] = .list(required.map { .text($0) }) }
        return .map(entries)
    }
}
