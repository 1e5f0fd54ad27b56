internal import DeviceProfiles
internal import Foundation

/// The folder of shipped profiles, with its families.
struct ProfileFolder {
    /// Name (`raspberry-pi-5-4gb`, `families/cortex-a76`) and path of every profile, families last, each sorted.
    let files: [(name: String, path: String)]
    private let folder: String

    init(_ folder: String) {
        self.folder = folder
        var files: [(name: String, path: String)] = []
        for prefix in ["", "families/"] {
            let entries = (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(prefix)")) ?? []
            for entry in entries.filter({ $0.hasSuffix(".yaml") }).sorted() {
                files.append((prefix + entry.dropLast(".yaml".count), "\(folder)/\(prefix)\(entry)"))
            }
        }
        self.files = files
    }

    /// What is wrong, one line for each file that has a mistake.
    func mistakes() -> [String] {
        if files.isEmpty { return ["\(folder): error: there is no profile (*.yaml) here"] }
        let library = ProfileLibrary(directories: [folder], shipped: [])
        let mistakes: [String] = files.compactMap { file in
            do throws(ProfileError) {
                let profile = try library.load(file.path)
                let stem = String(file.name.split(separator: "/").last ?? "")
                if profile.name == stem { return nil }
                // A profile is looked up by its file's name and its bundles are called by its own: they must agree.
                let place = profile.places["name"] ?? Place(file: file.path, line: 1, column: 1)
                return "\(place): error: name: \(profile.name) must be the file's name; write \(stem)"
            } catch {
                let place = error.line > 0 ? error.place?.description : "\(error.file ?? file.path):1:1"
                let keyPath = error.keyPath.isEmpty ? "" : "\(error.keyPath): "
                return "\(place ?? file.path): error: \(keyPath)\(error.message)"
            }
        }
        // A family's mistake is met again in everything that extends it.
        var seen: Set<String> = []
        return mistakes.filter { seen.insert($0).inserted }
    }

    /// Swift source that holds every text.
    func embedded() throws -> String {
        var entries = ""
        for file in files {
            let text = try String(contentsOfFile: file.path, encoding: .utf8)
            entries += "        (\(literal(file.name)), \(literal(text))),\n"
        }
        return """
            // Made by profile-check from Profiles/*.yaml and Profiles/families/*.yaml at every build.
            extension ShippedProfiles {
                /// Name and text of every profile; families are called `families/NAME`.
                package static let all: [(name: String, text: String)] = [
            \(entries)    ]
            }

            """
    }

    /// A Swift string literal; profiles are printable UTF-8, which `debugDescription` escapes as Swift reads it.
    private func literal(_ text: String) -> String { text.debugDescription }
}
