// swift-tools-version: 6.2
import PackageDescription

// Built by Scripts/fuzz-proto-files: libFuzzer brings the main function.
let package = Package(
    name: "Fuzz",
    platforms: [.macOS("26.0")],
    dependencies: [.package(name: "netpoll-swift", path: "..")],
    targets: [
        .executableTarget(
            name: "FuzzProtoFiles",
            dependencies: [
                .product(name: "NetpollProtobuf", package: "netpoll-swift"),
                .product(name: "RPCGenCore", package: "netpoll-swift"),
            ],
            swiftSettings: [
                .swiftLanguageMode(.v6), .treatAllWarnings(as: .error),
                .unsafeFlags(["-parse-as-library"]),
            ]
        )
    ]
)
