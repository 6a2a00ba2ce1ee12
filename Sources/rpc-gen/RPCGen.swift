import ArgumentParser

@main
struct RPCGen: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rpc-gen")
}
