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
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")

let package = Package(
    name: "Gateway",
    platforms: [.macOS("26.0")],
    dependencies: [
        .package(name: "netpoll-swift", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    ],
    targets: [
        .target(
            name: "Observability",
            dependencies: toolkit + [logging, metrics, tracing],
            swiftSettings: settings
        ),
        .target(name: "FilmAPI", dependencies: toolkit, swiftSettings: settings),
        .target(
            name: "FilmServices",
            dependencies: toolkit + ["FilmAPI", metrics],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "film",
            dependencies: toolkit + [
                "FilmAPI", "FilmServices", "Observability", logging, metrics, tracing,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NetpollServiceLifecycle", package: "netpoll-swift"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GatewayTests",
            dependencies: toolkit + [
                "FilmAPI", "FilmServices", "Observability", tracing,
                .product(name: "NetpollRPCTesting", package: "netpoll-swift"),
            ],
            swiftSettings: settings
        ),
    ]
)
