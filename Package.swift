// swift-tools-version: 6.2
import PackageDescription

// Sections follow the data: kernels, profiles, models, formats, runtimes, tuning, bundles, daemon, commands. A target
// imports only from targets above it; Tests/ArchitectureTests holds every import against this order.

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "fettle",
    products: [
        .executable(name: "fettle", targets: ["fettle"]),
        .plugin(name: "LintProfiles", targets: ["LintProfiles"]),
        .plugin(name: "TuneModel", targets: ["TuneModel"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // MARK: Kernels: C for each instruction set, and Swift's way to them
        .target(name: "CKernels"),
        .systemLibrary(name: "CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "Compute", dependencies: ["CKernels", "CLibCrypto"], swiftSettings: strict),

        // MARK: Profiles: what a device can do and must hold
        .systemLibrary(
            name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .target(name: "DeviceProfiles", dependencies: ["CLibYAML", "Compute"], swiftSettings: strict),
        .target(
            name: "Profiles", path: "Profiles", exclude: [], swiftSettings: strict, plugins: ["EmbedProfiles"]),
        .executableTarget(name: "profile-check", dependencies: ["DeviceProfiles"], swiftSettings: strict),

        // MARK: Models: files in, tensors and tokens out
        .target(name: "ModelFiles", dependencies: ["CKernels", "Compute"], swiftSettings: strict),

        // MARK: Formats: tensors in, codes and packed bytes out
        .target(
            name: "Quantization", dependencies: ["CKernels", "Compute", "ModelFiles"], swiftSettings: strict),

        // MARK: Execution: float32 for sensitivities, integers for what ships
        .target(
            name: "Reference", dependencies: ["CKernels", "Compute", "ModelFiles"], swiftSettings: strict),
        .target(
            name: "IntegerRuntime", dependencies: ["CKernels", "Compute", "ModelFiles", "Quantization"],
            swiftSettings: strict),

        // MARK: Tuning: (model, profile) to plan and verdicts
        .target(
            name: "Tuning",
            dependencies: [
                "Compute", "DeviceProfiles", "ModelFiles", "Quantization", "Reference", "IntegerRuntime", grdb,
            ],
            swiftSettings: strict),

        // MARK: Bundles: what ships to the device
        .systemLibrary(name: "CLinux"),
        .target(
            name: "Bundles",
            dependencies: [
                "CLinux", "Compute", "DeviceProfiles", "ModelFiles", "Quantization", "IntegerRuntime", "Tuning",
            ],
            swiftSettings: strict),

        // MARK: Service and commands
        .target(
            name: "Daemon",
            dependencies: [
                "CLinux", "Compute", "DeviceProfiles", "ModelFiles", "Tuning", "Bundles", grdb, hummingbird, lifecycle,
                logging,
            ],
            // In code, not beside it: the page must survive `make install`.
            resources: [
                .embedInCode("Dashboard/dashboard.html"), .embedInCode("Dashboard/style.css"),
                .embedInCode("Dashboard/main.js"), .embedInCode("Dashboard/client.js"),
                .embedInCode("Dashboard/view.js"), .embedInCode("Dashboard/jobs.js"),
                .embedInCode("Dashboard/bundles.js"), .embedInCode("Dashboard/front.js"),
                .embedInCode("Dashboard/models.js"),
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "fettle",
            dependencies: [
                "Compute", "DeviceProfiles", "Profiles", "ModelFiles", "Quantization", "Reference", "IntegerRuntime",
                "Tuning", "Bundles", "Daemon", argumentParser,
            ],
            swiftSettings: strict),

        // MARK: Plugins
        .plugin(name: "EmbedProfiles", capability: .buildTool(), dependencies: ["profile-check"]),
        .plugin(
            name: "LintProfiles",
            capability: .command(
                intent: .custom(verb: "lint-profiles", description: "Check every device profile in Profiles/")),
            dependencies: ["profile-check"]),
        .plugin(
            name: "TuneModel",
            capability: .command(
                intent: .custom(
                    verb: "tune", description: "Tune MODEL for a device profile: tune MODEL --profile NAME"),
                permissions: [.writeToPackageDirectory(reason: "writes the bundle and the score store")])),

        // MARK: Tests
        .testTarget(name: "ArchitectureTests", swiftSettings: strict),
        .testTarget(name: "ComputeTests", dependencies: ["CKernels", "Compute"], swiftSettings: strict),
        .testTarget(name: "DeviceProfilesTests", dependencies: ["DeviceProfiles", "Profiles"], swiftSettings: strict),
        .testTarget(name: "ModelFilesTests", dependencies: ["Compute", "ModelFiles"], swiftSettings: strict),
        .testTarget(
            name: "QuantizationTests", dependencies: ["CKernels", "Compute", "ModelFiles", "Quantization"],
            swiftSettings: strict),
        .testTarget(
            name: "ReferenceTests", dependencies: ["CKernels", "Compute", "ModelFiles", "Reference"],
            swiftSettings: strict),
        .testTarget(
            name: "IntegerRuntimeTests",
            dependencies: ["CKernels", "Compute", "ModelFiles", "Quantization", "Reference", "IntegerRuntime"],
            swiftSettings: strict),
        .testTarget(
            name: "TuningTests",
            dependencies: [
                "Compute", "DeviceProfiles", "ModelFiles", "Quantization", "Reference", "IntegerRuntime", "Tuning",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "BundlesTests",
            dependencies: ["Compute", "DeviceProfiles", "ModelFiles", "Quantization", "Tuning", "Bundles"],
            swiftSettings: strict),
        .testTarget(
            name: "DaemonTests", dependencies: ["Compute", "DeviceProfiles", "ModelFiles", "Bundles", "Daemon"],
            swiftSettings: strict),
        .testTarget(name: "EndToEndTests", dependencies: ["fettle"], swiftSettings: strict),
    ]
)
