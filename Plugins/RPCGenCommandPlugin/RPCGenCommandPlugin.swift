import Foundation
import PackagePlugin

/// `swift package generate-rpc [--target NAME]... [--check]`: generates Swift for the targets that have
/// an `rpc-gen.json` and keeps it in their folders, below `Generated`.
@main
struct RPCGenCommandPlugin: CommandPlugin {
    func performCommand(context: PluginContext, arguments: [String]) throws {
        var extractor = ArgumentExtractor(arguments)
        let wanted = extractor.extractOption(named: "target")
        let isCheck = extractor.extractFlag(named: "check") > 0
        guard extractor.remainingArguments.isEmpty else {
            throw ConfigurationError(
                "usage: swift package generate-rpc [--target NAME]... [--check]"
            )
        }
        let targets = context.package.targets.filter { target in
            let file = target.directoryURL.appending(path: Configuration.fileName)
            let isChosen = wanted.isEmpty || wanted.contains(target.name)
            return isChosen && FileManager.default.fileExists(atPath: file.path)
        }
        guard !targets.isEmpty else {
            throw ConfigurationError("no target with a file \(Configuration.fileName) was found")
        }
        let tool = try context.tool(named: "rpc-gen").url
        for target in targets { try generate(target, tool, isCheck) }
    }

    private func generate(_ target: any Target, _ tool: URL, _ isCheck: Bool) throws {
        let folder = target.directoryURL
        let configuration = try Configuration.load(from: folder)
        var arguments = configuration.arguments(
            folder,
            try configuration.names(folder),
            output: folder.appending(path: "Generated")
        )
        if isCheck { arguments.append("--check") }
        let process = Process()
        process.executableURL = tool
        process.arguments = arguments
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ConfigurationError("rpc-gen failed for target \(target.name)")
        }
    }
}
