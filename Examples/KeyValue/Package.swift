// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    // Handlers stay on the loop that read their request, and calls on their caller's executor.
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let toolkit: [Target.Dependency] = [
    .product(name: "NetpollCore", package: "netpoll-swift"),
    .product(name: "NetpollProtobuf", package: "netpoll-swift"),
    .product(name: "NetpollRPC", package: "netpoll-swift"),
]

let package = Package(
    name: "KeyValue",
    platforms: [.macOS("26.0")],
    dependencies: [
        .package(name: "netpoll-swift", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    ],
    targets: [
        .target(name: "KeyValueAPI", dependencies: toolkit, swiftSettings: settings),
        .target(
            name: "KeyValueStore",
            dependencies: toolkit + [
                "KeyValueAPI",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "kv-server",
            dependencies: toolkit + [
                "KeyValueAPI", "KeyValueStore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NetpollServiceLifecycle", package: "netpoll-swift"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "kv",
            dependencies: toolkit + [
                "KeyValueAPI",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "KeyValueTests",
            dependencies: toolkit + [
                "KeyValueAPI", "KeyValueStore",
                .product(name: "NetpollRPCTesting", package: "netpoll-swift"),
            ],
            swiftSettings: settings
        ),
    ]
)
