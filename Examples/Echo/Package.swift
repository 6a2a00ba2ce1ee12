// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    // Handlers stay on the loop that read their request, and calls on their caller's executor.
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "Echo",
    platforms: [.macOS("26.0")],
    products: [.library(name: "EchoService", targets: ["EchoService"])],
    dependencies: [
        .package(name: "netpoll-swift", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        .target(
            name: "EchoService",
            dependencies: [
                .product(name: "NetpollCore", package: "netpoll-swift"),
                .product(name: "NetpollProtobuf", package: "netpoll-swift"),
                .product(name: "NetpollRPC", package: "netpoll-swift"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "echo-server",
            dependencies: [
                "EchoService",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NetpollCore", package: "netpoll-swift"),
                .product(name: "NetpollRPC", package: "netpoll-swift"),
                .product(name: "NetpollServiceLifecycle", package: "netpoll-swift"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "echo-client",
            dependencies: [
                "EchoService",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
    ]
)
