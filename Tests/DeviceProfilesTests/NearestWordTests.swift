import DeviceProfiles
import Testing

@Suite struct NearestWordTests {
    /// Distances worked out by hand; a swap of neighbours is one step.
    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("", "abc", 3), ("budget", "budget", 0), ("budgte", "budget", 1),
        ("bugdet", "budget", 1), ("budet", "budget", 1), ("kitten", "sitting", 3), ("ca", "abc", 3),
    ])
    func distance(first: String, second: String, expected: Int) {
        #expect(NearestWord.distance(first, second) == expected)
        #expect(NearestWord.distance(second, first) == expected)
    }

    @Test func farWordsAreNotOffered() {
        #expect(NearestWord.find("position", among: ["goal", "at"]) == nil)
        #expect(NearestWord.find("Budget", among: ["bandwidth", "budget"]) == "budget")
        #expect(NearestWord.find("x", among: []) == nil)
    }
}
