// swift-tools-version: 6.2
import PackageDescription

// What the codec is compared with: a package of its own, so that the benchmarks do not need it.
let package = Package(
    name: "Peers",
    platforms: [.macOS("26.0")],
    dependencies: [
        .package(name: "Benchmarks", path: ".."),
        .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    ],
    targets: [
        .executableTarget(
            name: "swift-protobuf-codec",
            dependencies: [
                .product(name: "CodecHarness", package: "Benchmarks"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
        )
    ]
)
