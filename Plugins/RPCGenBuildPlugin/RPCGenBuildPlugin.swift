import Foundation
import PackagePlugin

/// Generates Swift for a target's `.proto` files each time that one of them has changed.
@main
struct RPCGenBuildPlugin: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL
        let configuration = try Configuration.load(from: folder)
        let output = context.pluginWorkDirectoryURL.appending(path: "Generated")
        let tool = try context.tool(named: "rpc-gen").url
        let names = try configuration.names(folder)
        // A file's Swift depends on what the file imports, so each depends on all.
        let inputs = configuration.roots(folder).first.map { root in
            names.map { root.appending(path: $0) }
        }
        return names.map { name in
            let stem = name.dropLast(".proto".count).split(separator: "/").joined(separator: "_")
            return .buildCommand(
                displayName: "rpc-gen \(name)",
                executable: tool,
                arguments: configuration.arguments(folder, [name], output: output),
                inputFiles: inputs ?? [],
                outputFiles: [output.appending(path: "\(stem).pb.swift")]
            )
        }
    }
}
