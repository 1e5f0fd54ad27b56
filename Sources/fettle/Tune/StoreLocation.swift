internal import Foundation
internal import ModelFiles

/// Where scores are kept: `--store`, else FETTLE_STORE, else the user's cache directory.
struct StoreLocation {
    let directory: String

    /// A store does not grow beyond this many bytes but for the model that is being tuned: scores of about a hundred models.
    static let largest = 1 << 30

    /// The directory, made where it is missing.
    init(option: String?) throws(ModelError) {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["XDG_CACHE_HOME"] ?? "\(NSHomeDirectory())/.cache"
        directory = option ?? environment["FETTLE_STORE"] ?? "\(cache)/fettle"
        try Self.make(directory)
    }

    /// Path of the store's database.
    var database: String { "\(directory)/scores.sqlite" }

    /// Makes a directory where it is missing.
    static func make(_ directory: String) throws(ModelError) {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw ModelError(
                .unwritable, file: directory, "cannot be made: \(error.localizedDescription); choose another --store")
        }
    }
}
