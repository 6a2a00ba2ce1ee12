// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .unsafeFlags(["-parse-as-library"]),
]

// Built by Scripts/fuzz, Scripts/fuzz-buffers and Scripts/fuzz-proto-files: libFuzzer brings the main
// function.
let package = Package(
    name: "Fuzz",
    platforms: [.macOS("26.0")],
    dependencies: [.package(name: "netpoll-swift", path: "..")],
    targets: [
        .executableTarget(
            name: "FuzzBuffers",
            dependencies: [.product(name: "NetpollTesting", package: "netpoll-swift")],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "FuzzMessages",
            dependencies: [.product(name: "NetpollProtobuf", package: "netpoll-swift")],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "FuzzProtoFiles",
            dependencies: [
                .product(name: "NetpollProtobuf", package: "netpoll-swift"),
                .product(name: "RPCGenCore", package: "netpoll-swift"),
            ],
            swiftSettings: settings
        ),
    ]
)
