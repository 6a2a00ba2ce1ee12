internal import ArgumentParser

/// The command line of the generator.
@main
struct RPCGen: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc-gen",
        abstract: "Turns .proto files into Swift.",
        subcommands: [Generate.self, DescriptorSet.self, ScaffoldCommand.self]
    )
}
