import ArgumentParser
import KeyValueAPI
import NetpollProtobuf
import NetpollRPC

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Sets what standard input says: lines of a key, a tab and a value.",
        discussion: "Prints each line once the server has acknowledged it, in no certain order."
    )
    @OptionGroup var connection: Connection
    @Option(help: "How many calls to have in flight at a time.")
    var concurrency = 32

    func run() async throws {
        try await connection.call { service, options in
            try await withThrowingTaskGroup(of: String.self) { group in
                var inFlight = 0
                func finishOne() async throws {
                    guard let line = try await group.next() else { return }
                    inFlight -= 1
                    print(line)
                    fflush(nil)
                }
                while let line = readLine() {
                    let parts = line.split(separator: "\t", maxSplits: 1)
                    guard parts.count == 2 else {
                        throw ValidationError("a line is a key, a tab and a value")
                    }
                    let request = Kv_SetRequest.with {
                        $0.key = Array(parts[0].utf8)
                        $0.value = Array(parts[1].utf8)
                    }
                    if inFlight >= max(1, concurrency) { try await finishOne() }
                    inFlight += 1
                    group.addTask {
                        _ = try await service.set(request, options: options)
                        return line
                    }
                }
                while inFlight > 0 { try await finishOne() }
            }
        }
    }
}
