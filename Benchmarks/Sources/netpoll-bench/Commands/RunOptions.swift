import ArgumentParser

/// What all comparing benchmarks share.
struct RunOptions: ParsableArguments {
    @Option(help: "Seconds of a round.")
    var seconds = 2.0
    @Option(help: "How many rounds; each measures everything once, and medians are reported.")
    var rounds = 3
    @Option(help: "A file for the results as JSON; keys end with their units.")
    var json: String?
    @Option(help: "The folder with the programs of Benchmarks/Peers; without it they are left out.")
    var peers: String?

    func validate() throws {
        guard seconds > 0, rounds > 0 else { throw ValidationError("counts must be positive") }
    }

    var peerPrograms: Trials.Peers? { peers.map(Trials.Peers.init) }
}
