internal import Foundation
internal import ModelFiles

/// Where scores are kept: `--store`, else FETTLE_STORE, else the user's cache directory.
enum StoreLocation {
    /// Path of the store's database; its directory is made where it is missing.
    static func path(option: String?) throws(ModelError) -> String {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["XDG_CACHE_HOME"] ?? "\(NSHomeDirectory())/.cache"
        let directory = option ?? environment["FETTLE_STORE"] ?? "\(cache)/fettle"
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw ModelError(
                .unwritable, file: directory, "cannot be made: \(error.localizedDescription); choose another --store")
        }
        return "\(directory)/scores.sqlite"
    }
}
