import DeviceProfiles
import Foundation
import Testing

/// The schema as an editor reads it, through Foundation's JSON and regular expressions.
@Suite struct JSONSchemaTests {
    private let schema: [String: Any]

    init() throws {
        let text = JSONSchema(title: "Fettle device profile", fields: DeviceProfile.fields).document.encoded
        schema = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func head() {
        #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
        #expect(schema["required"] as? [String] == ["fettle", "name"])
        #expect(schema["additionalProperties"] as? Bool == false)
    }

    @Test func wordsAreThoseOfTheTypes() throws {
        #expect(try property("prefer")["enum"] as? [String] == Preference.allCases.map(\.rawValue))
        #expect(try property("runtime")["enum"] as? [String] == ["fettle", "llama.cpp"])
        let techniques = try #require(try property("compute.integer.techniques")["items"] as? [String: Any])
        #expect(techniques["enum"] as? [String] == ["static", "dynamic", "qat"])
    }

    /// What the pattern of a quantity takes, the reader takes, and the other way round.
    @Test(arguments: [
        "900 MB", "900MB", "1.5 GiB", "1e3 B", "900", "900 MQ", "900  MB", "MB", "-1 MB", "1. MB", ".5 MB", "5 s",
        " 1 MB",
        "1 MB ", "1E+2 kB",
    ])
    func patternAndReaderAgree(text: String) throws {
        let pattern = try #require(try property("memory.budget")["pattern"] as? String)
        let matches = text.range(of: pattern, options: .regularExpression) != nil
        #expect(matches == ((try? Quantity(text, as: .size)) != nil))
    }

    @Test(arguments: ["a", "raspberry-pi-5", "A.b_c", "", "-a", "a/b", "a b", "ä", String(repeating: "a", count: 65)])
    func namePatternAndReaderAgree(text: String) throws {
        let pattern = try #require(try property("name")["pattern"] as? String)
        let matches = text.range(of: pattern, options: .regularExpression) != nil
        #expect(matches == (mistake("fettle: 1\nname: \"\(text)\"\n") == nil))
    }

    private func property(_ path: String) throws -> [String: Any] {
        var current = schema
        for key in path.split(separator: ".") {
            let properties = try #require(current["properties"] as? [String: Any])
            current = try #require(properties[String(key)] as? [String: Any])
        }
        return current
    }
}
