import Foundation
import ModelFiles
import Testing

@Suite struct ModelJSONTests {
    private func parse(_ text: String) throws(ModelError) -> JSON {
        try Array(text.utf8).withUnsafeBufferPointer { buffer throws(ModelError) in
            try JSON(parsing: UnsafeRawBufferPointer(buffer), file: "f.json")
        }
    }

    @Test func readsEveryKindOfValue() throws {
        let json = try parse(
            #" {"a": [null, true, false, -12, 1e3, 0.5, -0, 9223372036854775808], "\u0062\ud83d\ude00": "\"\\\/\b\f\n\r\t\u00e9"} "#
        )
        #expect(
            json["a"]
                == .array([
                    .null, .bool(true), .bool(false), .integer(-12), .number(1000), .number(0.5), .integer(0),
                    .number(9_223_372_036_854_775_808),
                ]))
        #expect(json["b\u{1F600}"]?.string == "\"\\/\u{8}\u{c}\n\r\t\u{e9}")
        #expect(json.members?.map(\.key) == ["a", "b\u{1F600}"])
    }

    /// RFC 8259 allows none of these but the last four, which Fettle refuses for safety.
    @Test(arguments: [
        "", " ", "{", "[1", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "01", "1.", ".5", "+1", "1e", "-", "tru", "nul",
        "1 2", "\"", "\"\\x\"", "\"\\u12\"", "\"\u{1}\"", "'a'", "NaN", "[1 2]", "// c\n1",
        "\"\\ud800\"", "\"\\udc00\"", "1e999", "{\"a\":1,\"a\":2}",
    ])
    func refusesWhatIsNotStrictJSON(text: String) {
        #expect(modelError { _ = try parse(text) }?.code == .malformed)
    }

    @Test func refusesDeepNestingAndInvalidUTF8() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(modelError { _ = try parse(deep) }?.message.contains("nested deeper") == true)
        let error = modelError {
            try [UInt8]([0x22, 0xFF, 0x22]).withUnsafeBytes { raw in
                _ = try JSON(parsing: raw, file: "f.json", offset: 8)
            }
        }
        #expect(error?.description == "f.json: byte 11: a string is not valid UTF-8")
    }

    /// Foundation's reader understands what `quoted` writes.
    @Test func quotedTextIsReadByFoundation() throws {
        let text = String(String.UnicodeScalarView((0..<0x250).compactMap { Unicode.Scalar($0) })) + "\u{1F600}\u{2028}"
        let read = try JSONSerialization.jsonObject(with: Data("[\(JSON.quoted(text))]".utf8)) as? [String]
        #expect(read == [text])
        #expect(try parse(JSON.quoted(text)).string == text)
    }
}
