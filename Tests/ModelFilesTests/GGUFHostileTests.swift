import ModelFiles
import Testing

/// Files that lie about themselves: each is refused with the reason.
@Suite struct GGUFHostileTests {
    private func refusal(_ file: GGUFBytes) throws -> ModelError? {
        let directory = try TemporaryDirectory()
        let path = try directory.write("hostile.gguf", file.bytes)
        return modelError { _ = try GGUFReader(path: path) }
    }

    private func check(
        _ file: GGUFBytes, _ code: ModelError.Code, _ words: String, place: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let error = try #require(try refusal(file), sourceLocation: sourceLocation)
        #expect(error.code == code, sourceLocation: sourceLocation)
        #expect(error.message.contains(words), "\(error)", sourceLocation: sourceLocation)
        if let place { #expect(error.place == place, sourceLocation: sourceLocation) }
        #expect(!error.description.contains("\n"), sourceLocation: sourceLocation)
    }

    @Test func foreignVersionsAreRefused() throws {
        try check(GGUFBytes(version: 1, tensors: 0, entries: 0), .unsupported, "version 1")
        try check(GGUFBytes(version: 4, tensors: 0, entries: 0), .unsupported, "version 4")
        try check(GGUFBytes(version: UInt32(3).byteSwapped, tensors: 0, entries: 0), .unsupported, "big-endian")
        var other = GGUFBytes(tensors: 0, entries: 0)
        other.bytes[0] = UInt8(ascii: "X")
        try check(other, .malformed, "not a GGUF file")
    }

    @Test func countsBeyondTheFileAreRefusedBeforeAllocation() throws {
        for count in [UInt64.max, 1 << 63, 1 << 40, 1000] {
            try check(GGUFBytes(tensors: count, entries: 0), .malformed, "number of tensors")
            try check(GGUFBytes(tensors: 0, entries: count), .malformed, "number of metadata entries")
            var key = GGUFBytes(tensors: 0, entries: 1)
            key.add(count)
            key.bytes += [UInt8](repeating: 65, count: 64)
            try check(key, .malformed, "the length of the key of metadata entry 0")
            var array = GGUFBytes(tensors: 0, entries: 1)
            array.add("k")
            array.add(UInt32(9))
            array.add(UInt32(8))
            array.add(count)
            array.bytes += [UInt8](repeating: 0, count: 64)
            try check(array, .malformed, "the length of k")
        }
    }

    @Test func deepArraysAndUnknownTypesAreRefused() throws {
        var deep = GGUFBytes(tensors: 0, entries: 1)
        deep.add("k")
        deep.add(UInt32(9))
        for _ in 0..<1000 {
            deep.add(UInt32(9))
            deep.add(UInt64(1))
        }
        try check(deep, .unsupported, "nest deeper", place: "k")
        var unknown = GGUFBytes(tensors: 0, entries: 1)
        unknown.add("k")
        unknown.add(UInt32(13))
        unknown.add(UInt64(0))
        try check(unknown, .malformed, "type 13", place: "k")
        var bool = GGUFBytes(tensors: 0, entries: 1)
        bool.add("k")
        bool.add(UInt32(7))
        bool.add(UInt8(2))
        try check(bool, .malformed, "neither 0 nor 1", place: "k")
    }

    @Test func textMustBeUTF8AndKeysDistinct() throws {
        var invalid = GGUFBytes(tensors: 0, entries: 1)
        invalid.add("k")
        invalid.add(UInt32(8))
        invalid.add(UInt64(1))
        invalid.add(UInt8(0xFF))
        try check(invalid, .malformed, "not valid UTF-8")
        var twice = GGUFBytes(tensors: 0, entries: 2)
        for _ in 0..<2 {
            twice.add("k")
            twice.add(UInt32(0))
            twice.add(UInt8(1))
        }
        try check(twice, .malformed, "repeats k", place: "metadata entry 1")
    }

    @Test func alignmentMustBeAPowerOfTwo() throws {
        for alignment in [0, 3, 48] as [UInt32] {
            var file = GGUFBytes(tensors: 0, entries: 1)
            file.add("general.alignment")
            file.add(UInt32(4))
            file.add(alignment)
            try check(file, .malformed, "power of two", place: "general.alignment")
        }
    }

    @Test func tensorLinesAreHeldAgainstTheFile() throws {
        func file(_ lines: (inout GGUFBytes) -> Void, count: UInt64 = 1, data: Int = 4096) -> GGUFBytes {
            var file = GGUFBytes(tensors: count, entries: 0)
            lines(&file)
            file.data(data)
            return file
        }
        try check(file { $0.tensor("t", []) }, .malformed, "has 0 axes", place: "tensor t")
        try check(file { $0.tensor("t", [1, 1, 1, 1, 1]) }, .malformed, "has 5 axes", place: "tensor t")
        try check(file { $0.tensor("t", [0]) }, .malformed, "axis of length 0", place: "tensor t")
        try check(file { $0.tensor("t", [1 << 63]) }, .malformed, "axis of length", place: "tensor t")
        try check(file { $0.tensor("t", [1 << 32, 1 << 32]) }, .malformed, "does not fit", place: "tensor t")
        try check(file { $0.tensor("t", [1 << 62]) }, .malformed, "does not fit", place: "tensor t")
        try check(file { $0.tensor("t", [1 << 60]) }, .malformed, "truncated", place: "tensor t")
        try check(file { $0.tensor("t", [33], type: 8) }, .malformed, "blocks of 32", place: "tensor t")
        try check(file { $0.tensor("t", [32], type: 99) }, .unsupported, "type 99", place: "tensor t")
        try check(file { $0.tensor("t", [4], type: 5) }, .unsupported, "type 5", place: "tensor t")
        try check(file { $0.tensor("t", [4], offset: 8) }, .malformed, "multiple of the alignment", place: "tensor t")
        try check(file { $0.tensor("t", [4], offset: 4096) }, .malformed, "truncated", place: "tensor t")
        try check(file { $0.tensor("t", [4], offset: .max - 31) }, .malformed, "truncated", place: "tensor t")
        try check(file { $0.tensor("", [4]) }, .malformed, "has no name", place: "tensor 0")
        let twice = file(
            {
                $0.tensor("t", [4]); $0.tensor("t", [4], offset: 32)
            }, count: 2)
        try check(twice, .malformed, "occurs twice", place: "tensor t")
        let overlap = file(
            {
                $0.tensor("t", [16]); $0.tensor("u", [4], offset: 32)
            }, count: 2)
        try check(overlap, .malformed, "shares bytes with tensor t", place: "tensor u")
    }

    @Test func controlCharactersInNamesStayOnOneLine() throws {
        var file = GGUFBytes(tensors: 1, entries: 0)
        file.tensor("a\n\u{1B}[31m", [4], type: 99)
        file.data(64)
        let error = try #require(try refusal(file))
        #expect(error.description.contains("a\\u{a}\\u{1b}[31m"))
    }
}
