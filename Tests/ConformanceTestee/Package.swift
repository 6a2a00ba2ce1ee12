// swift-tools-version: 6.2
import PackageDescription

// Its own package, because the types that it is tested with are generated on the spot:
// Scripts/build-conformance-testee.
let package = Package(
    name: "ConformanceTestee",
    platforms: [.macOS("26.0")],
    dependencies: [.package(name: "netpoll-swift", path: "../..")],
    targets: [
        .executableTarget(
            name: "conformance-testee",
            dependencies: [.product(name: "NetpollProtobuf", package: "netpoll-swift")],
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)]
        )
    ]
)
