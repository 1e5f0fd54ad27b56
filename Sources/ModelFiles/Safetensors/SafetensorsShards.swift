internal import Foundation

/// The safetensors files of a Hugging Face directory: model.safetensors, or the shards of model.safetensors.index.json.
package struct SafetensorsShards: Sendable {
    /// The files, in the order of their names.
    package let readers: [SafetensorsReader]
    /// Path of the index where there is one.
    package let index: String?

    /// Opens the files in `directory`.
    ///
    /// - Throws: `unreadable` where there are none or a shard is missing; `malformed` where index and shards disagree.
    package init(directory: String) throws(ModelError) {
        let index = Self.path(directory, "model.safetensors.index.json")
        if FileManager.default.fileExists(atPath: index) {
            self.readers = try Self.shards(index: index, directory: directory)
            self.index = index
            return
        }
        let single = Self.path(directory, "model.safetensors")
        guard FileManager.default.fileExists(atPath: single) else {
            throw ModelError(
                .unreadable, file: directory,
                "has neither model.safetensors nor model.safetensors.index.json; fetch the model's weights as safetensors"
            )
        }
        self.readers = [try SafetensorsReader(path: single)]
        self.index = nil
    }

    private static func path(_ directory: String, _ name: String) -> String {
        (directory as NSString).appendingPathComponent(name)
    }

    private static func shards(index: String, directory: String) throws(ModelError) -> [SafetensorsReader] {
        guard let map = try JSON(path: index)["weight_map"]?.members, !map.isEmpty else {
            throw ModelError(
                .malformed, file: index, place: "weight_map", "must be an object of tensors and their files")
        }
        var tensors: [String: Set<String>] = [:]
        for member in map {
            // A name only: an index must not reach outside its directory.
            guard let file = member.value.string, !file.isEmpty, !file.contains("/"), file != "." && file != ".." else {
                throw ModelError(.malformed, file: index, place: member.key, "must name a file of this directory")
            }
            tensors[file, default: []].insert(member.key)
        }
        var readers: [SafetensorsReader] = []
        for (file, expected) in tensors.sorted(by: { $0.key < $1.key }) {
            let shard = path(directory, file)
            guard FileManager.default.fileExists(atPath: shard) else {
                throw ModelError(
                    .unreadable, file: shard,
                    "is missing; \((index as NSString).lastPathComponent) names it: fetch this shard too")
            }
            let reader = try SafetensorsReader(path: shard)
            let found = Set(reader.tensors.map(\.name))
            if let name = expected.subtracting(found).min() {
                throw ModelError(
                    .malformed, file: shard, place: "tensor \(name)",
                    "is not in this shard, though the index says so; fetch index and shards of one revision")
            }
            if let name = found.subtracting(expected).min() {
                throw ModelError(
                    .malformed, file: shard, place: "tensor \(name)",
                    "is in this shard, but the index does not say so; fetch index and shards of one revision")
            }
            readers.append(reader)
        }
        return readers
    }
}
