import DeviceProfiles
import Testing

/// What YAML may not hold: each refusal at its line and column, in its exact words.
@Suite struct DocumentTests {
    @Test(arguments: [
        ("", "p.yaml:1:1: the file is empty"),
        ("# only a comment\n", "p.yaml:1:1: the file is empty"),
        ("--- \n", "p.yaml:1:1: the file is empty"),
        (
            "fettle: 1\nname: [p\n",
            "p.yaml:3:1: not YAML: did not find expected ',' or ']' while parsing a flow sequence"
        ),
        ("a: b: c\n", "p.yaml:1:5: not YAML: mapping values are not allowed in this context"),
        (
            "fettle: 1\n---\nname: p\n",
            "p.yaml:2:1: a second document begins here; the file must hold one: remove the ---"
        ),
        (
            "fettle: 1\nname: &n p\n",
            "p.yaml:2:7: name: anchors (&) are refused; write the value without one"
        ),
        ("fettle: 1\nname: *n\n", "p.yaml:2:7: name: aliases (*) are refused; write the value out"),
        ("fettle: 1\nname: !!str p\n", "p.yaml:2:7: name: tags (!) are refused; write the value without one"),
        ("fettle: 1\nname: ! p\n", "p.yaml:2:7: name: tags (!) are refused; write the value without one"),
        (
            "fettle: 1\nmemory:\n  <<: {budget: 1 MB}\n",
            "p.yaml:3:3: memory: merge keys (<<) are refused; use extends"
        ),
        (
            "fettle: 1\nname: p\nmemory:\n  budget: 1 MB\n  budget: 2 MB\n",
            "p.yaml:5:3: memory.budget: this key stands here twice, first at line 4, column 3; remove one"
        ),
        ("fettle: 1\n[a]: 1\n", "p.yaml:2:1: a key must be a word, not a list or map"),
        ("fettle: 1\nname: \"a\u{0}b\"\n", "p.yaml:2:9: the control character U+0000 cannot stand in YAML; delete it"),
        ("fettle: 1\nname: \u{7F}\n", "p.yaml:2:7: the control character U+007F cannot stand in YAML; delete it"),
    ])
    func refusal(yaml: String, message: String) {
        #expect(mistake(yaml) == message)
    }

    @Test func invalidUTF8() throws {
        let reader = SettingReader(DeviceProfile.fields)
        let bytes = Array("fettle: 1\nname: ä".utf8) + [0xC3, 0x28]
        let error = #expect(throws: ProfileError.self) { try reader.read(bytes, file: "p.yaml") }
        #expect(error?.description == "p.yaml:2:8: the file is not UTF-8 text from here on; save it as UTF-8")
        #expect(error?.code == .syntax)
    }

    @Test func columnsCountCharacters() {
        // The two-byte letter before the key is one character: libyaml and we must agree.
        let message = mistake("{fettle: 1, name: p, description: \"ä\", prefer: all}")
        #expect(message?.hasPrefix("p.yaml:1:48: prefer:") == true)
    }

    @Test func byteOrderMarkIsNoContent() {
        #expect(mistake("\u{FEFF}fettle: 1\nname: p\n") == nil)
    }

    @Test func aliasBombIsRefusedAtItsFirstAnchor() {
        var bomb = "fettle: 1\na: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
        for (next, last) in zip("bcdefgh", "abcdefg") {
            bomb += "\(next): &\(next) [\(Array(repeating: "*\(last)", count: 9).joined(separator: ", "))]\n"
        }
        #expect(mistake(bomb) == "p.yaml:2:4: a: anchors (&) are refused; write the value without one")
    }

    @Test(arguments: ["[", "{a: ", "- ", "? "])
    func deepNesting(opening: String) throws {
        let deep = String(repeating: opening, count: 5000)
        let isBlock = opening == "- " || opening == "? "
        let message = try #require(mistake("fettle: 1\nname: \(isBlock ? "\n  " : "")\(deep)"))
        #expect(message.contains("nested more than 64 deep") || message.contains("a key must be a word"))
    }

    @Test func tooManyValues() throws {
        let message = try #require(mistake("fettle: 1\nname: [" + String(repeating: "a,", count: 20_001) + "]\n"))
        #expect(message.hasSuffix("more than 20000 values, the most that is read"))
    }

    @Test func tenMegabytes() {
        let text = String(repeating: "# padding\n", count: 1 << 20)
        #expect(mistake(text) == "p.yaml:1:1: the file has more than 1048576 bytes, the most that is read")
    }

    @Test func hostileTextIsShownInOneLine() throws {
        let message = try #require(mistake(below: "prefer: \"a\\n\\e[31m\(String(repeating: "x", count: 90))\""))
        #expect(message.contains(#""a\u{a}\u{1b}[31mxx"#) && message.contains("..."))
        #expect(!message.contains("\n") && !message.contains("\u{1B}"))
    }

    @Test func everyPrefixOfAProfileIsReadOrRefusedWithAPlace() {
        let text = Array(everything.utf8)
        let reader = SettingReader(DeviceProfile.fields)
        for count in 0..<text.count {
            do throws(ProfileError) {
                _ = try reader.read(Array(text[..<count]), file: "p.yaml")
            } catch {
                #expect(error.line > 0, "\(count) bytes: \(error)")
            }
        }
    }
}
