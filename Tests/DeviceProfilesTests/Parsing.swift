import DeviceProfiles

/// A library that knows nothing but the texts given.
func library(_ shipped: [(name: String, text: String)] = []) -> ProfileLibrary {
    ProfileLibrary(directories: [], shipped: shipped)
}

/// The profile that a text describes below the two required keys.
func profile(_ yaml: String, name: String = "p") throws -> DeviceProfile {
    try library().parse("fettle: 1\nname: \(name)\n\(yaml)", file: "p.yaml")
}

/// What is said about the text of a profile; nil if nothing is wrong with it.
func mistake(_ yaml: String, shipped: [(name: String, text: String)] = []) -> String? {
    do throws(ProfileError) {
        _ = try library(shipped).parse(yaml, file: "p.yaml")
        return nil
    } catch {
        return error.description
    }
}

/// The same for a text below the two required keys, which take lines 1 and 2.
func mistake(below yaml: String) -> String? {
    mistake("fettle: 1\nname: p\n\(yaml)")
}
