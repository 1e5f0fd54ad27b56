internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// A file of a bundle as an answer: entity tag, one range, never run by a browser as part of this site.
enum FileAnswer {
    /// Answers `request` with `file` out of `bundle`.
    ///
    /// - Throws: 404 where the file has gone, 416 for a range beyond it.
    static func response(_ request: APIRequest, file: BundleEntry.File, of bundle: BundleEntry) throws(Problem)
        -> Response
    {
        guard let open = OpenFile("\(bundle.directory)/\(file.name)") else { throw gone }
        // SHA256SUMS holds the digests of the others; its own tag is its time and size.
        let tag = "\"\(file.sha256 ?? "\(open.modified)-\(open.size)")\""
        var headers = baseHeaders(mediaType: mediaType(file.name))
        headers[.eTag] = tag
        headers[.acceptRanges] = "bytes"
        if request.request.headers[values: .ifNoneMatch].contains(where: { $0 == "*" || $0.contains(tag) }) {
            return Response(status: .notModified, headers: headers)
        }
        let isCurrent = request.header(.ifRange).map { $0 == tag } ?? true
        guard isCurrent, let range = try range(request.header(.range), size: open.size) else {
            return answer(.ok, headers, open, 0..<open.size)
        }
        headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(open.size)"
        return answer(.partialContent, headers, open, range)
    }

    /// Headers of everything that comes out of a bundle.
    static func baseHeaders(mediaType: String) -> HTTPFields {
        // Reports have style of their own and nothing else; the sandbox keeps what is in a bundle from acting as this site.
        [
            .contentType: mediaType, .cacheControl: "no-cache",
            .contentSecurityPolicy: "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
        ]
    }

    /// What is answered where a listed file cannot be opened any more.
    static let gone = Problem(.notFound, "There is no such file in the bundle; /v1/bundles lists what there is.")

    private static func answer(
        _ status: HTTPResponse.Status, _ headers: HTTPFields, _ file: OpenFile, _ range: Range<Int>
    ) -> Response {
        Response(
            status: status, headers: headers,
            body: ResponseBody(contentLength: range.count) { writer in
                try await file.send(range) { try await writer.write($0) }
                try await writer.finish(nil)
            })
    }

    /// The one range that is asked for; nil where the whole file is to be sent.
    private static func range(_ header: String?, size: Int) throws(Problem) -> Range<Int>? {
        guard let header, header.hasPrefix("bytes="), !header.contains(",") else { return nil }
        let parts = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        let (first, last) = (Int(parts[0]), Int(parts[1]))
        let range: Range<Int>? =
            switch (first, last) {
            case (let first?, let last?) where first <= last && first < size && first >= 0:
                first..<min(size - 1, last) + 1
            case (let first?, nil) where parts[1].isEmpty && first >= 0 && first < size: first..<size
            case (nil, let last?) where parts[0].isEmpty && last > 0 && size > 0: max(0, size - last)..<size
            default: nil
            }
        guard let range else {
            throw Problem(
                .rangeNotSatisfiable, "The file has \(size) bytes.", headers: [.contentRange: "bytes */\(size)"])
        }
        return range
    }

    private static func mediaType(_ name: String) -> String {
        switch (name as NSString).pathExtension {
        case "json": "application/json"
        case "html": "text/html; charset=utf-8"
        case "": "text/plain; charset=utf-8"
        default: "application/octet-stream"
        }
    }
}
