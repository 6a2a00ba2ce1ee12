// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "Hello",
    platforms: [.macOS("26.0")],
    dependencies: [.package(name: "netpoll-swift", path: "../..")],
    targets: [
        .executableTarget(
            name: "hello",
            dependencies: [.product(name: "NetpollRPC", package: "netpoll-swift")]
        )
    ]
)
