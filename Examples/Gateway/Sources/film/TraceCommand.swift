import ArgumentParser
import Observability

struct TraceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Reads spans from standard input and prints them as trees."
    )

    func run() throws {
        for trace in try SpanTree.traces(of: AnyIterator { readLine() }) {
            print("trace \(trace.id)")
            for line in trace.lines { print("  \(line)") }
        }
    }
}
