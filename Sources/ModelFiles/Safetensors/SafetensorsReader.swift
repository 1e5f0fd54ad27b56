/// A safetensors file, mapped and checked: after `init` the tensors fill the data without holes or overlaps.
///
/// Layout: https://github.com/huggingface/safetensors#format
package struct SafetensorsReader: Sendable {
    package let path: String
    /// `__metadata__`, in the order of the file.
    package let metadata: [(key: String, value: String)]
    /// The tensors in the order of their bytes.
    package let tensors: [SafetensorsTensor]
    /// The whole file.
    package let bytes: MappedBytes

    /// The longest header that the format allows.
    static let longestHeader = 100_000_000

    /// Maps and checks the file at `path`.
    ///
    /// - Throws: `unreadable`, `malformed` or `unsupported`, naming the byte or tensor at fault.
    package init(path: String) throws(ModelError) {
        let bytes = try MappedFile(path: path).bytes
        let (header, dataStart) = try bytes.withUnsafeBytes { raw throws(ModelError) in
            try Self.header(of: raw, file: path)
        }
        guard let members = header.members else {
            throw ModelError(.malformed, file: path, place: "header", "is not a JSON object")
        }
        var metadata: [(key: String, value: String)] = []
        var lines: [HeaderLine] = []
        for member in members {
            if member.key == "__metadata__" {
                metadata = try Self.metadata(member.value, file: path)
            } else {
                lines.append(try HeaderLine(member, file: path))
            }
        }
        self.tensors = try Self.tensors(lines, in: bytes, dataStart: dataStart, file: path)
        self.metadata = metadata
        self.path = path
        self.bytes = bytes
    }

    private static func header(
        of bytes: UnsafeRawBufferPointer, file: String
    ) throws(ModelError) -> (JSON, dataStart: Int) {
        guard bytes.count >= 8 else {
            throw ModelError(
                .malformed, file: file,
                "has \(bytes.count) bytes, fewer than a safetensors header's length takes; fetch it again")
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(longestHeader) else {
            throw ModelError(
                .malformed, file: file, place: "byte 0",
                "the header's length is \(length), over the format's limit of \(longestHeader); this is not a "
                    + "safetensors file")
        }
        let end = 8 + Int(length)
        guard end <= bytes.count else {
            throw ModelError(
                .malformed, file: file, place: "byte 0",
                "the header needs bytes 8..\(end) but the file ends at \(bytes.count); the file is truncated, fetch it "
                    + "again")
        }
        guard bytes.count > 8, bytes[8] == UInt8(ascii: "{") else {
            throw ModelError(.malformed, file: file, place: "byte 8", "the header does not begin with a brace")
        }
        let text = UnsafeRawBufferPointer(rebasing: bytes[8..<end])
        return (try JSON(parsing: text, file: file, offset: 8), end)
    }

    private static func metadata(
        _ value: JSON, file: String
    ) throws(ModelError) -> [(key: String, value: String)] {
        var metadata: [(key: String, value: String)] = []
        for member in value.members ?? [] {
            guard let text = member.value.string else { break }
            metadata.append((member.key, text))
        }
        guard metadata.count == value.members?.count else {
            throw ModelError(.malformed, file: file, place: "__metadata__", "must be an object of strings")
        }
        return metadata
    }

    private static func tensors(
        _ lines: [HeaderLine], in bytes: MappedBytes, dataStart: Int, file: String
    ) throws(ModelError) -> [SafetensorsTensor] {
        var end = 0
        var tensors: [SafetensorsTensor] = []
        for line in lines.sorted(by: { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }) {
            let place = "tensor \(line.name)"
            guard line.begin == end else {
                throw ModelError(
                    .malformed, file: file, place: place,
                    line.begin < end
                        ? "begins at \(line.begin), inside the tensor before it, which ends at \(end)"
                        : "begins at \(line.begin), but the tensor before it ends at \(end); holes are not allowed")
            }
            end = line.end
            let room = bytes.count - dataStart
            guard let slice = bytes.slice(offset: dataStart + line.begin, count: line.end - line.begin), end <= room
            else {
                throw ModelError(
                    .malformed, file: file, place: place,
                    "needs bytes \(line.begin)..\(line.end) of the data but it has \(room); the file is truncated, "
                        + "fetch it again")
            }
            tensors.append(
                SafetensorsTensor(
                    name: line.name, type: line.type, shape: line.shape, offset: dataStart + line.begin, bytes: slice))
        }
        guard dataStart + end == bytes.count else {
            throw ModelError(
                .malformed, file: file, place: "byte \(dataStart + end)",
                "\(bytes.count - dataStart - end) bytes follow the last tensor; fetch the file again")
        }
        return tensors
    }
}

/// One tensor's entry in the header, checked for itself.
private struct HeaderLine {
    let name: String
    let type: SafetensorsType
    let shape: [Int]
    let begin: Int
    let end: Int

    init(_ member: JSON.Member, file: String) throws(ModelError) {
        name = member.key
        let place = "tensor \(member.key)"
        guard let typeName = member.value["dtype"]?.string, let shape = member.value["shape"]?.elements,
            let offsets = member.value["data_offsets"]?.elements, member.value.members?.count == 3
        else {
            throw ModelError(.malformed, file: file, place: place, "must have dtype, shape and data_offsets, no more")
        }
        guard let type = SafetensorsType(rawValue: typeName) else {
            let known = SafetensorsType.allCases.map(\.rawValue).joined(separator: ", ")
            throw ModelError(.unsupported, file: file, place: place, "has dtype \(typeName); \(known) are known")
        }
        let lengths = shape.compactMap(\.integer)
        guard lengths.count == shape.count, let count = SafetensorsTensor.byteCount(type, lengths) else {
            throw ModelError(
                .malformed, file: file, place: place, "its shape must be lengths whose product fits a file")
        }
        let ends = offsets.compactMap(\.integer)
        guard offsets.count == 2, ends.count == 2, ends[0] >= 0, ends[1] >= ends[0] else {
            throw ModelError(.malformed, file: file, place: place, "its data_offsets must be a beginning and an end")
        }
        guard ends[1] - ends[0] == count, ends[1] < Int.max / 2 else {
            throw ModelError(
                .malformed, file: file, place: place,
                "\(typeName) \(lengths) takes \(count) bytes, but its data_offsets give it \(ends[1] - ends[0])")
        }
        (self.type, self.shape, begin, end) = (type, lengths, ends[0], ends[1])
    }
}
