internal import DeviceProfiles
internal import Foundation

// The tool behind the profile plugins: checks profiles and, asked to, embeds them in Swift.
//
//     profile-check FOLDER               checks FOLDER/*.yaml and FOLDER/families/*.yaml
//     profile-check FOLDER --embed FILE  ... and writes them to FILE as ShippedProfiles.all
//
// Mistakes are printed as compilers do, `path:line:column: error: message`, and the exit status is 1.

let arguments = Array(CommandLine.arguments.dropFirst())
guard arguments.count == 1 || arguments.count == 3 && arguments[1] == "--embed", let folder = arguments.first else {
    FileHandle.standardError.write(Data("usage: profile-check FOLDER [--embed FILE]\n".utf8))
    exit(2)
}
let shelf = ProfileFolder(folder)
let mistakes = shelf.mistakes()
for mistake in mistakes {
    FileHandle.standardError.write(Data("\(mistake)\n".utf8))
}
guard mistakes.isEmpty else { exit(1) }
do {
    if arguments.count == 3 {
        try Data(shelf.embedded().utf8).write(to: URL(fileURLWithPath: arguments[2]), options: .atomic)
    } else {
        print("\(shelf.files.count) device profiles are in order.")
    }
} catch {
    FileHandle.standardError.write(Data("\(folder): error: \(error.localizedDescription)\n".utf8))
    exit(1)
}
