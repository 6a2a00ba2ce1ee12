// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

// For modules that touch no raw memory: there the check keeps it so. In the others every line of
// System/ and Memory/ would carry the mark.
let safeSettings = settings + [.strictMemorySafety()]

let package = Package(
    name: "netpoll-swift",
    platforms: [.macOS("26.0")],
    products: [
        .library(name: "NetpollCore", targets: ["NetpollCore"]),
        .library(name: "NetpollProtobuf", targets: ["NetpollProtobuf"]),
        .library(name: "NetpollRPC", targets: ["NetpollRPC"]),
        .library(name: "RPCGenCore", targets: ["RPCGenCore"]),
        .library(name: "NetpollTesting", targets: ["NetpollTesting"]),
        .executable(name: "rpc-gen", targets: ["rpc-gen"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        .target(name: "CNetpoll", linkerSettings: [.linkedLibrary("resolv")]),
        .systemLibrary(
            name: "CProtobufC",
            pkgConfig: "libprotobuf-c",
            providers: [.apt(["libprotobuf-c-dev"]), .brew(["protobuf-c"])]
        ),
        .target(name: "NetpollCore", dependencies: ["CNetpoll"], swiftSettings: settings),
        .target(
            name: "NetpollProtobuf",
            dependencies: ["CProtobufC", "NetpollCore"],
            swiftSettings: settings
        ),
        .target(
            name: "NetpollRPC",
            dependencies: [
                "NetpollCore", "NetpollProtobuf", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .target(name: "RPCGenCore", dependencies: ["NetpollProtobuf"], swiftSettings: safeSettings),
        .executableTarget(
            name: "rpc-gen",
            dependencies: [
                "NetpollProtobuf", "RPCGenCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .target(name: "NetpollTesting", dependencies: ["NetpollCore"], swiftSettings: settings),
        .target(
            name: "TestProtos",
            dependencies: ["NetpollCore", "NetpollProtobuf", "NetpollRPC"],
            path: "Tests/TestProtos",
            // The flags of a user who sets none, because its sources are what users have.
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
        ),
        .testTarget(
            name: "NetpollCoreTests",
            dependencies: ["NetpollCore", "NetpollTesting", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NetpollProtobufTests",
            dependencies: ["NetpollProtobuf", "NetpollTesting", "TestProtos"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NetpollRPCTests",
            dependencies: ["NetpollRPC", "NetpollTesting", "TestProtos", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "RPCGenCoreTests",
            dependencies: ["NetpollProtobuf", "NetpollTesting", "RPCGenCore"],
            swiftSettings: settings
        ),
        .target(
            name: "TestSupport",
            path: "Tests/TestSupport",
            exclude: ["Vectors"],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "echo-peer",
            dependencies: ["NetpollCore", "NetpollRPC", "TestProtos"],
            path: "Tests/EchoPeer",
            swiftSettings: settings
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["NetpollRPC", "NetpollTesting", "TestProtos", "TestSupport"],
            swiftSettings: settings
        ),
    ]
)
