internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// Server-sent events for one client: every change, or those of one job.
struct EventStream: Sendable {
    let ring: EventRing
    let refusals: RefusalLog

    /// The stream as an answer. It begins with `first` unless the client resumes.
    ///
    /// - Throws: 503 where too many clients listen.
    func response(to request: APIRequest, job: Int64?, first: ByteBuffer?) throws(Problem) -> Response {
        let headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store", .accelBuffering: "no",
        ]
        guard request.request.method == .get else { return Response(status: .ok, headers: headers) }
        guard let (client, place, isResumed) = ring.join(lastID: request.header(.lastEventID)) else {
            refusals.note(.tooManyClients)
            throw Problem(
                .serviceUnavailable, "Too many clients listen; try again later.", headers: [.retryAfter: "30"])
        }
        let body = request.request.body
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                let opening = self.opening(at: place, isResumed: isResumed, first: first)
                try? await body.consumeWithCancellationOnInboundClose { _ in
                    try await writer.write(opening)
                    try await self.send(to: client, after: place, job: job, writer: &writer)
                }
                try await writer.finish(nil)
            })
    }

    /// What every stream begins with: how long to wait before coming back, and where the client stands.
    private func opening(at place: Int, isResumed: Bool, first: ByteBuffer?) -> ByteBuffer {
        var opening = ByteBuffer(string: "retry: 2000\n\n")
        guard !isResumed else { return opening }
        if let first {
            opening.writeString("id: \(ring.id(place))\nevent: job\ndata: ")
            opening.writeImmutableBuffer(first)
            opening.writeString("\n\n")
        } else {
            opening.writeImmutableBuffer(sync(place))
        }
        return opening
    }

    /// Tells the client to read the lists again: it cannot know what it missed.
    private func sync(_ place: Int) -> ByteBuffer {
        ByteBuffer(string: "id: \(ring.id(place))\nevent: sync\ndata: {}\n\n")
    }

    private func send(
        to client: EventRing.Client, after start: Int, job: Int64?, writer: inout any ResponseBodyWriter
    ) async throws {
        var place = start
        var isFirst = true
        var wakes = client.wakes.makeAsyncIterator()
        while true {
            let batch = ring.batch(after: place)
            var text = batch.hasGap ? sync(batch.number) : ByteBuffer()
            for event in batch.events where job == nil || event.job == job {
                text.writeImmutableBuffer(event.text)
            }
            // What wakes without an event is a heartbeat.
            if batch.events.isEmpty, !batch.hasGap, !isFirst { text.writeString(": heartbeat\n\n") }
            place = batch.number
            if text.readableBytes > 0 { try await writer.write(text) }
            guard !batch.isEnd, await wakes.next() != nil else { return }
            isFirst = false
        }
    }
}
