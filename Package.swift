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
        .library(name: "NetpollRPCTesting", targets: ["NetpollRPCTesting"]),
        .library(name: "NetpollServiceLifecycle", targets: ["NetpollServiceLifecycle"]),
        .library(name: "RPCGenCore", targets: ["RPCGenCore"]),
        .library(name: "NetpollTesting", targets: ["NetpollTesting"]),
        .executable(name: "rpc-gen", targets: ["rpc-gen"]),
        .executable(name: "protoc-gen-netpoll-swift", targets: ["protoc-gen-netpoll-swift"]),
        .plugin(name: "RPCGenBuildPlugin", targets: ["RPCGenBuildPlugin"]),
        .plugin(name: "RPCGenCommandPlugin", targets: ["RPCGenCommandPlugin"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
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
                "CNetpoll", "NetpollCore", "NetpollProtobuf",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "NetpollServiceLifecycle",
            dependencies: [
                "NetpollCore", "NetpollRPC",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: safeSettings
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
        .executableTarget(
            name: "protoc-gen-netpoll-swift",
            dependencies: ["NetpollProtobuf", "RPCGenCore"],
            swiftSettings: settings
        ),
        .plugin(
            name: "RPCGenBuildPlugin",
            capability: .buildTool(),
            dependencies: ["rpc-gen"]
        ),
        .plugin(
            name: "RPCGenCommandPlugin",
            capability: .command(
                intent: .custom(
                    verb: "generate-rpc",
                    description: "Generates Swift for .proto files and keeps it in the sources."
                ),
                permissions: [
                    .writeToPackageDirectory(reason: "The generated files go into the sources.")
                ]
            ),
            dependencies: ["rpc-gen"]
        ),
        .target(name: "NetpollTesting", dependencies: ["NetpollCore"], swiftSettings: settings),
        .target(
            name: "NetpollRPCTesting",
            dependencies: ["NetpollCore", "NetpollRPC", "NetpollTesting"],
            swiftSettings: safeSettings
        ),
        .target(
            name: "TestProtos",
            dependencies: ["NetpollCore", "NetpollProtobuf", "NetpollRPC"],
            path: "Tests/TestProtos",
            // The flags of a user who sets none, because its sources are what users have.
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
        ),
        .testTarget(
            name: "NetpollCoreTests",
            dependencies: ["CNetpoll", "NetpollCore", "NetpollTesting", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NetpollProtobufTests",
            dependencies: ["NetpollProtobuf", "NetpollTesting", "TestProtos"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "NetpollRPCTests",
            dependencies: [
                "NetpollRPC", "NetpollTesting", "TestProtos", "TestSupport",
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "RPCGenCoreTests",
            dependencies: ["NetpollProtobuf", "NetpollTesting", "RPCGenCore"],
            exclude: ["Corpus", "Golden"],
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
        .executableTarget(
            name: "drain-peer",
            dependencies: ["NetpollCore", "NetpollRPC", "NetpollServiceLifecycle", "TestProtos"],
            path: "Tests/DrainPeer",
            swiftSettings: settings
        ),
        .testTarget(
            name: "NetpollRPCTestingTests",
            dependencies: ["NetpollCore", "NetpollRPC", "NetpollRPCTesting", "TestProtos"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "NetpollRPC", "NetpollServiceLifecycle", "NetpollTesting", "TestProtos",
                "TestSupport",
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings
        ),
    ]
)
