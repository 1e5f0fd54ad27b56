internal import DeviceProfiles
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Routes of jobs and their events.
struct JobRoutes: Sendable {
    let control: any ServiceControl
    let documents: JobDocuments
    let cache: AnswerCache
    let events: EventStream

    private static let id = Route.Parameter("id", in: .path, Schemas.integer, "The job's number.")
    private static let lastID = Route.Parameter(
        "Last-Event-ID", in: .header, Schemas.text, "The last event that the client has seen.")
    private static let job = Route.Success(schema: Schemas.reference("Job"))
    private static let stream = Route.Success(.ok, "text/event-stream")

    var routes: [Route] {
        [
            Route(
                .get, "/v1/jobs", name: "listJobs", "Jobs, newest first, and how many there are in each state.",
                parameters: [
                    Route.Parameter(
                        "state", Schemas.word(JobState.allCases.map(\.rawValue)), "Only jobs in this state."),
                    Route.Parameter("limit", Schemas.integer(1...1000), "At most so many; default 100."),
                    Route.Parameter(
                        "before", Schemas.integer, "Only jobs below this number: `next` of the page before."),
                ], success: Route.Success(schema: Schemas.reference("Jobs")), problems: [.badRequest], handler: list),
            Route(
                .post, "/v1/jobs", access: .change, name: "submitJob",
                "Queues a watched model for a configured profile, or gives the job that there is.",
                body: Schemas.reference("Submission"),
                success: Route.Success(.accepted, schema: Schemas.reference("Job")),
                problems: [
                    .badRequest, .notFound, .conflict, .contentTooLarge, .unsupportedMediaType, .serviceUnavailable,
                ],
                handler: submit),
            Route(
                .get, "/v1/jobs/{id}", name: "getJob", "A job.", parameters: [Self.id], success: Self.job,
                problems: [.notFound], handler: get),
            Route(
                .post, "/v1/jobs/{id}/cancel", access: .change, name: "cancelJob", "Ends a job that waits or runs.",
                parameters: [Self.id], success: Self.job, problems: [.notFound, .conflict, .serviceUnavailable]
            ) { [self] in try await change($0, control.cancel) },
            Route(
                .post, "/v1/jobs/{id}/retry", access: .change, name: "retryJob", "Queues an ended job again.",
                parameters: [Self.id], success: Self.job, problems: [.notFound, .conflict, .serviceUnavailable]
            ) { [self] in try await change($0, control.retry) },
            Route(
                .get, "/v1/jobs/{id}/log", name: "jobLog", "What the job's process wrote lately, oldest first.",
                parameters: [Self.id], success: Route.Success(schema: Schemas.reference("Log")), problems: [.notFound],
                handler: log),
            Route(
                .get, "/v1/jobs/{id}/events", name: "jobEvents", "The job now and at every change: event `job`.",
                parameters: [Self.id, Self.lastID], success: Self.stream, problems: [.notFound, .serviceUnavailable],
                handler: jobEvents),
            Route(
                .get, "/v1/events", name: "events",
                "Every change of every job: event `job`. Event `sync` means: read the lists again.",
                parameters: [Self.lastID], success: Self.stream, problems: [.serviceUnavailable]
            ) { [self] in try events.response(to: $0, job: nil, first: nil) },
        ]
    }

    private struct Listing: Encodable {
        let jobs: [JobDocument]
        let counts: [String: Int]
        /// The value of `before` for the next page; nil on the last.
        let next: Int64?
    }

    private struct Submission: Decodable {
        let model: String
        let profile: String
        let priority: Int?
    }

    private struct Log: Encodable {
        let lines: [String]
    }

    private func list(_ request: APIRequest) async throws -> Response {
        var state: JobState?
        if let word = request.query["state"] {
            state = JobState(rawValue: word)
            guard state != nil else {
                let words = JobState.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem(.badRequest, "state must be one of \(words).")
            }
        }
        let limit = Int(try request.integer("limit", in: 1...1000) ?? 100)
        let before = try request.integer("before", in: 0...Int64.max)
        let key = "jobs \(state?.rawValue ?? "-") \(limit) \(before ?? -1)"
        let bytes = try await cache.answer(key) {
            // One more than is asked for tells whether there is another page.
            let jobs = try await control.jobs(state: state, limit: limit + 1, before: before)
            let counts = try await control.counts()
            return try JSONAnswer.bytes(
                Listing(
                    jobs: jobs.prefix(limit).map(documents.document),
                    counts: Dictionary(uniqueKeysWithValues: JobState.allCases.map { ($0.rawValue, counts[$0] ?? 0) }),
                    next: jobs.count > limit ? jobs[limit - 1].id : nil))
        }
        return JSONAnswer.response(bytes: bytes)
    }

    private func get(_ request: APIRequest) async throws -> Response {
        try JSONAnswer.response(documents.document(try await job(of: request)))
    }

    private func submit(_ request: APIRequest) async throws -> Response {
        let submission = try await request.body(as: Submission.self)
        let job = try await control.submit(
            model: submission.model, profile: submission.profile, priority: submission.priority ?? 0)
        var response = try JSONAnswer.response(documents.document(job), status: .accepted)
        response.headers[.location] = "/v1/jobs/\(job.id)"
        return response
    }

    private func change(
        _ request: APIRequest, _ change: (Int64) async throws(ServiceControlError) -> Job
    ) async throws -> Response {
        try JSONAnswer.response(documents.document(try await change(try request.jobID())))
    }

    private func log(_ request: APIRequest) async throws -> Response {
        try JSONAnswer.response(Log(lines: try await control.log(try await job(of: request).id)))
    }

    private func jobEvents(_ request: APIRequest) async throws -> Response {
        let job = try await job(of: request)
        return try events.response(to: request, job: job.id, first: try JSONAnswer.bytes(documents.document(job)))
    }

    private func job(of request: APIRequest) async throws -> Job {
        guard let job = try await control.job(try request.jobID()) else {
            throw Problem(.notFound, "There is no such job.")
        }
        return job
    }
}
