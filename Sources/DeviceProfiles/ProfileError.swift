/// What is wrong in a YAML file, and where: one line that names the place, what was found and what to write instead.
package struct ProfileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The class of a mistake; messages may change, codes do not.
    package enum Code: String, Sendable {
        /// The file cannot be opened, or is not a regular file.
        case unreadable
        /// Not UTF-8, not YAML, or not a single document.
        case syntax
        /// Larger, deeper or with more values than a document may be.
        case tooLarge
        /// Aliases, anchors, merge keys and tags.
        case refusedFeature
        case duplicateKey
        case unknownKey
        case missingKey
        /// A map where a list belongs, a word where a number belongs.
        case wrongType
        case badUnit
        case outOfRange
        /// A word that is not one of those allowed.
        case unknownWord
        /// `extends` leads in a circle, to nothing, or too far.
        case badInheritance
        /// A profile name that is found nowhere.
        case unknownProfile
        /// Settings that contradict each other.
        case impossible
        /// A word that is reserved for a later release.
        case notAvailable
    }

    package var code: Code
    /// Where the mistake is; nil where no file is involved.
    package var place: Place?
    /// The path of the key, such as `memory.budget`; empty where none applies.
    package var keyPath: String
    /// What was found, and the remedy.
    package var message: String

    package init(_ code: Code, at place: Place?, keyPath: String = "", _ message: String) {
        self.code = code
        self.place = place
        self.keyPath = keyPath
        self.message = message
    }

    /// The file of the mistake, as it was named to the reader.
    package var file: String? { place?.file }
    /// 1-based; 0 where the whole file is meant.
    package var line: Int { place?.line ?? 0 }
    /// 1-based, in characters.
    package var column: Int { place?.column ?? 0 }

    /// `Profiles/pi5.yaml:14:11: memory.budget: "900 MQ" has no known unit; write 900 MB or 900 MiB`
    package var description: String {
        let parts = [place?.description ?? "", keyPath, message]
        return parts.filter { !$0.isEmpty }.joined(separator: ": ")
    }
}
