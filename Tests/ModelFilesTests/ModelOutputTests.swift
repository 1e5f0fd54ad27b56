import Foundation
import ModelFiles
import Testing

@Suite struct ModelOutputTests {
    /// Linux's /dev/full refuses every write with ENOSPC.
    @Test func aFullDiskIsReported() throws {
        let large = [UInt8](repeating: 7, count: 3 << 20)
        let atOnce = modelError { try OutputFile(path: "/dev/full").append(large) }
        #expect(
            atOnce?.description
                == "/dev/full: cannot be written: No space left on device; free some space and run it again")
        #expect(atOnce?.code == .unwritable)
        let atTheEnd = modelError {
            let file = try OutputFile(path: "/dev/full")
            try file.append([1, 2, 3])
            try file.finish()
        }
        #expect(atTheEnd == atOnce)
        #expect(FileManager.default.fileExists(atPath: "/dev/full"))
    }

    @Test func whatWasThereStaysUntilTheNewFileIsComplete() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("model", [1])
        do {
            let file = try OutputFile(path: path)
            try file.append([UInt8](repeating: 2, count: 5 << 20))
            #expect(try ModelFixtures.bytes(path) == [1])
        }
        #expect(directory.contents == ["model"])
        let file = try OutputFile(path: path)
        try file.append([3, 4])
        try file.finish()
        #expect(try ModelFixtures.bytes(path) == [3, 4])
        #expect(directory.contents == ["model"])
    }

    @Test func aMissingDirectoryIsNamedWithARemedy() {
        let error = modelError { _ = try OutputFile(path: "/nonexistent/model") }
        #expect(
            error?.description
                == "/nonexistent/model: cannot be written: No such file or directory; create the directory first")
    }
}
