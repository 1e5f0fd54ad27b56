import Bundles
import Foundation
import Testing

@Suite struct BundleStageTests {
    private func scratch() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: "fettle-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func publish(_ text: String, out: String) throws -> String {
        let stage = try BundleStage(out: out, model: "m", profile: "p")
        try stage.write(Array(text.utf8), to: "bundle.json")
        try stage.publish()
        return stage.destination
    }

    @Test func publishesAllOfItUnderOneName() throws {
        let out = try scratch()
        let bundle = try publish("first", out: out)
        #expect(bundle == "\(out)/m@p")
        #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["m@p"])
        #expect(try Set(FileManager.default.contentsOfDirectory(atPath: bundle)) == ["bundle.json", "SHA256SUMS"])
        try Checksums(directory: bundle).verify(directory: bundle)
    }

    @Test func replacesABundleAndNothingElse() throws {
        let out = try scratch()
        let bundle = try publish("first", out: out)
        #expect(try publish("second", out: out) == bundle)
        #expect(try String(contentsOfFile: "\(bundle)/bundle.json", encoding: .utf8) == "second")
        #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["m@p"])

        try FileManager.default.removeItem(atPath: "\(bundle)/bundle.json")
        #expect(throws: BundleError.self) { try publish("third", out: out) }
        #expect(FileManager.default.fileExists(atPath: "\(bundle)/SHA256SUMS"), "what is no bundle stays")
    }

    @Test func anUnpublishedStageLeavesNothing() throws {
        let out = try scratch()
        let bundle = try publish("first", out: out)
        do {
            let stage = try BundleStage(out: out, model: "m", profile: "p")
            try stage.write([1, 2, 3], to: "bundle.json")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["m@p"])
        #expect(try String(contentsOfFile: "\(bundle)/bundle.json", encoding: .utf8) == "first")
    }

    @Test func removesStagesOfDeadProcessesOnly() throws {
        let out = try scratch()
        // No process has the highest id that Linux allows, 2^22; process 1 always lives.
        let dead = "\(out)/.m@p.4194304.partial"
        let alive = "\(out)/.m@p.1.partial"
        for path in [dead, alive] {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        _ = try publish("x", out: out)
        #expect(!FileManager.default.fileExists(atPath: dead))
        #expect(FileManager.default.fileExists(atPath: alive))
    }

    @Test func damageIsNamed() throws {
        let bundle = try publish("first", out: try scratch())
        try Data("firsT".utf8).write(to: URL(filePath: "\(bundle)/bundle.json"))
        let error = #expect(throws: BundleError.self) { try Checksums(directory: bundle).verify(directory: bundle) }
        #expect(error?.file == "\(bundle)/bundle.json")
    }

    @Test func refusesWhatTheDiskCannotHold() throws {
        let stage = try BundleStage(out: try scratch(), model: "m", profile: "p")
        let error = #expect(throws: BundleError.self) { try stage.requireSpace(bytes: 1 << 60) }
        #expect(error?.code == .unwritable)
        try stage.requireSpace(bytes: 1)
    }
}
