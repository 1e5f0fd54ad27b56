/// A value in a JSON file with its place there, so that what is wrong with it can be told.
struct JSONPlace {
    let value: JSON
    let file: String
    /// The keys and indices that lead to it, for instance `model.merges[3]`.
    let path: String

    /// The top of the JSON text `bytes`, the content of `file`.
    init(parsing bytes: [UInt8], file: String) throws(ModelError) {
        value = try bytes.withUnsafeBufferPointer { buffer throws(ModelError) in
            try JSON(parsing: UnsafeRawBufferPointer(buffer), file: file)
        }
        self.file = file
        path = ""
    }

    private init(_ value: JSON, file: String, path: String) {
        self.value = value
        self.file = file
        self.path = path
    }

    /// The member `key`, which must be there.
    func member(_ key: String) throws(ModelError) -> JSONPlace {
        guard let member = try optional(key) else { throw malformed("\"\(key)\" is missing") }
        return member
    }

    /// The member `key`; nil where it is absent or null.
    func optional(_ key: String) throws(ModelError) -> JSONPlace? {
        guard value.members != nil else { throw malformed("an object is expected") }
        guard let member = value[key], member != .null else { return nil }
        return JSONPlace(member, file: file, path: path.isEmpty ? key : "\(path).\(key)")
    }

    /// The members of an object, in the order of the file.
    func members() throws(ModelError) -> [(key: String, place: JSONPlace)] {
        guard let members = value.members else { throw malformed("an object is expected") }
        return members.map { ($0.key, JSONPlace($0.value, file: file, path: "\(path).\(JSON.quoted($0.key))")) }
    }

    /// The elements of an array.
    func elements() throws(ModelError) -> [JSONPlace] {
        guard let elements = value.elements else { throw malformed("an array is expected") }
        return elements.enumerated().map { JSONPlace($1, file: file, path: "\(path)[\($0)]") }
    }

    func string() throws(ModelError) -> String {
        guard let string = value.string else { throw malformed("a string is expected") }
        return string
    }

    func integer() throws(ModelError) -> Int {
        guard let integer = value.integer else { throw malformed("an integer is expected") }
        return integer
    }

    func bool() throws(ModelError) -> Bool {
        guard let bool = value.bool else { throw malformed("true or false is expected") }
        return bool
    }

    /// An error for a value that is not what the format says.
    func malformed(_ message: String) -> ModelError {
        ModelError(.malformed, file: file, place: path, "\(message); fetch the file again")
    }

    /// An error for a value that is sound, but that Fettle does not handle.
    func unsupported(_ found: String, supported: String) -> ModelError {
        ModelError(.unsupported, file: file, place: path, "\(found) is not supported; supported: \(supported)")
    }
}
