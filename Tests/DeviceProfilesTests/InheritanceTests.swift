import DeviceProfiles
import Foundation
import Testing

@Suite struct InheritanceTests {
    private let base = """
        fettle: 1
        name: base
        description: the parent
        compute: {cores: 2, integer: {weights: [8, 4], shift: false}}
        memory: {budget: 10 MB, context: 64}
        """

    @Test func mapsMergeScalarsAndListsReplace() throws {
        let child = try library([("families/base", base)]).parse(
            "fettle: 1\nname: child\nextends: base\ncompute: {integer: {weights: [2]}}\nmemory: {budget: 9 MB}\n",
            file: "child.yaml")
        #expect(child.name == "child" && child.description == "the parent")
        #expect(child.compute.cores == 2 && child.compute.shift == false)
        #expect(child.compute.weights == [2])
        #expect(child.memory.budget == 9_000_000 && child.memory.context == 64)
        #expect(child.places["memory.budget"] == Place(file: "child.yaml", line: 5, column: 18))
        #expect(child.places["memory.context"] == Place(file: "Profiles/families/base.yaml", line: 5, column: 34))
    }

    @Test func digestDoesNotKnowWhereAValueCameFrom() throws {
        let extended = try library([("families/base", base)]).parse(
            "fettle: 1\nname: p\nextends: base\nmemory: {budget: 9 MB}\n", file: "p.yaml")
        let flat = try profile(
            "# flat\nmemory: {context: 64, budget: 9 MB}\ncompute: {integer: {shift: false, weights: [4, 8]}, cores: 2}"
        )
        #expect(extended.resolved == flat.resolved)
        #expect(extended.digest == flat.digest)
        let other = try profile("memory: {context: 65, budget: 9 MB}")
        #expect(other.digest != flat.digest)
    }

    @Test func aMistakeOfTheParentIsSaidAtTheParent() {
        #expect(
            mistake("fettle: 1\nname: p\nextends: bad\n", shipped: [("bad", "fettle: 1\nname: bad\nprefer: speed\n")])
                == "Profiles/bad.yaml:3:9: prefer: \"speed\" is not one of quality, latency, memory, energy")
    }

    @Test func anImpossibleCombinationIsSaidWhereItIsWritten() {
        #expect(
            mistake("fettle: 1\nname: p\nextends: base\nlatency: {decode: {at: 100}}\n", shipped: [("base", base)])
                == "p.yaml:4:24: latency.decode.at: 100 is beyond memory.context (64); write at most 64")
    }

    @Test func missingParent() {
        #expect(
            mistake("fettle: 1\nname: p\nextends: bsae\n", shipped: [("families/base", base), ("cortex", base)])
                == "p.yaml:3:10: extends: there is no profile or family \"bsae\"; the nearest are base, cortex")
        #expect(
            mistake("fettle: 1\nname: p\nextends: base\n")
                == "p.yaml:3:10: extends: there is no profile or family \"base\"; none is known")
    }

    @Test func circle() {
        let circle = [
            ("a", "fettle: 1\nname: a\nextends: b\n"), ("b", "fettle: 1\nname: b\nextends: a\n"),
            ("self", "fettle: 1\nname: self\nextends: self\n"),
        ]
        #expect(
            mistake("fettle: 1\nname: p\nextends: a\n", shipped: circle)
                == "Profiles/b.yaml:3:10: extends: leads in a circle: p.yaml -> Profiles/a.yaml -> Profiles/b.yaml -> "
                + "Profiles/a.yaml; break it")
        #expect(
            mistake("fettle: 1\nname: p\nextends: self\n", shipped: circle)
                == "Profiles/self.yaml:3:10: extends: leads in a circle: p.yaml -> Profiles/self.yaml -> "
                + "Profiles/self.yaml; break it")
    }

    @Test func longestChain() {
        let chain = (1...9).map { ("c\($0)", "fettle: 1\nname: c\($0)\n" + ($0 < 9 ? "extends: c\($0 + 1)\n" : "")) }
        #expect(mistake("fettle: 1\nname: p\nextends: c3\n", shipped: chain) == nil)
        #expect(
            mistake("fettle: 1\nname: p\nextends: c2\n", shipped: chain)
                == "Profiles/c8.yaml:3:10: extends: the chain has more than 8 profiles; shorten it")
    }

    @Test func lookUpBesideTheFileThenInDirectoriesThenShipped() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "fettle-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = [
            "mine.yaml": "fettle: 1\nname: mine\nextends: near\n",
            "families/near.yaml": "fettle: 1\nname: near\nextends: far\nmemory: {context: 7}\n",
            "shelf/far.yaml": "fettle: 1\nname: far\nextends: base\ndescription: on the shelf\n",
        ]
        for (path, text) in files {
            let url = folder.appending(path: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: url, atomically: false, encoding: .utf8)
        }
        let library = ProfileLibrary(
            directories: [folder.appending(path: "shelf").path],
            shipped: [("far", "fettle: 1\nname: far\n"), ("families/base", base)])
        let mine = try library.load(folder.appending(path: "mine.yaml").path)
        #expect(mine.description == "on the shelf" && mine.memory.context == 7 && mine.memory.budget == 10_000_000)
        #expect(library.names == ["far"])
        #expect(try library.load("far").description == "on the shelf")
    }

    @Test func unknownNameTellsTheNearest() {
        let library = library([("raspberry-pi-5-4gb", base), ("rk3588-8gb", base), ("families/raspberry", base)])
        let error = #expect(throws: ProfileError.self) { try library.load("rasberry-pi-5") }
        #expect(
            error?.description
                == "there is no profile \"rasberry-pi-5\"; the nearest are raspberry-pi-5-4gb, rk3588-8gb; "
                + "a file is named by its path, such as ./rasberry-pi-5.yaml")
        #expect(error?.code == .unknownProfile)
    }

    @Test(arguments: [
        ("/no/such/file.yaml", "/no/such/file.yaml: cannot be read: No such file or directory"),
        ("/dev/zero", "/dev/zero: is not a regular file; name a YAML file"),
        ("/usr", "/usr: is not a regular file; name a YAML file"),
    ])
    func unreadable(path: String, message: String) {
        let error = #expect(throws: ProfileError.self) { try library().load(path) }
        #expect(error?.description == message)
    }

    @Test func calibrationPathStartsAtItsFile() throws {
        let head = "fettle: 1\nname: p\ncalibration: "
        #expect(try library().parse(head + "t/a.txt\n", file: "d/p.yaml").calibrationPath == "d/t/a.txt")
        #expect(try library().parse(head + "/a.txt\n", file: "d/p.yaml").calibrationPath == "/a.txt")
        #expect(try profile("calibration: a.txt").calibrationPath == "a.txt")
    }
}
