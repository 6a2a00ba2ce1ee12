// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS("26.0")],
    products: [.library(name: "CodecHarness", targets: ["CodecHarness"])],
    dependencies: [
        .package(name: "netpoll-swift", path: ".."),
        .package(name: "Echo", path: "../Examples/Echo"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .executableTarget(name: "c-echo-server"),
        .target(name: "c-load"),
        .executableTarget(name: "c-echo-client", dependencies: ["c-load"]),
        .executableTarget(name: "c-rpc-server"),
        .executableTarget(name: "c-rpc-client", dependencies: ["c-load"]),
        .target(name: "c-malloc-counter"),
        .target(
            name: "CodecHarness",
            dependencies: ["c-malloc-counter"],
            path: "Sources/codec-harness",
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
        ),
        .target(name: "c-codec", linkerSettings: [.linkedLibrary("protobuf-c")]),
        .executableTarget(
            name: "netpoll-bench",
            dependencies: [
                "CodecHarness", "c-codec", "c-load", "c-malloc-counter",
                // Run as children: they are built with it.
                "c-echo-server", "c-echo-client", "c-rpc-server", "c-rpc-client",
                .product(name: "NetpollProtobuf", package: "netpoll-swift"),
                .product(name: "NetpollCore", package: "netpoll-swift"),
                .product(name: "NetpollRPC", package: "netpoll-swift"),
                .product(name: "EchoService", package: "Echo"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: [
                .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            ]
        ),
    ]
)
