// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "BuildPlugin",
    platforms: [.macOS("26.0")],
    dependencies: [.package(name: "netpoll-swift", path: "../..")],
    targets: [
        .executableTarget(
            name: "build-plugin",
            dependencies: [
                .product(name: "NetpollCore", package: "netpoll-swift"),
                .product(name: "NetpollProtobuf", package: "netpoll-swift"),
                .product(name: "NetpollRPC", package: "netpoll-swift"),
            ],
            exclude: ["protos"],
            plugins: [.plugin(name: "RPCGenBuildPlugin", package: "netpoll-swift")]
        )
    ]
)
