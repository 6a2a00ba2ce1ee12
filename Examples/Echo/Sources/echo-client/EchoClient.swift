import ArgumentParser
import EchoService
import NetpollCore
import NetpollRPC

@main
struct EchoClient: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo-client",
        abstract: "Calls an echo-server and checks its answers."
    )

    @Option(help: "The server: tcp://HOST:PORT or unix:///PATH.")
    var connect: String
    @Option(help: "How long a call may take, in milliseconds.")
    var timeoutMs = 1000
    @Option(help: "Share N multiplexed connections (the default, with N = 2).")
    var mux: Int?
    @Option(help: "Use a pool of at most N connections, one call at a time on each.")
    var pooled: Int?
    @Option(help: "How many calls to make.")
    var calls = 1
    @Option(help: "How many calls to have in flight at a time.")
    var concurrency = 1
    @Option(help: "How long each caller pauses after a call, in milliseconds.")
    var intervalMs = 0
    @Option(help: "What to call: echo, fail, or sleep:MILLISECONDS.")
    var method = "echo"

    func validate() throws {
        guard mux == nil || pooled == nil else { throw ValidationError("choose --mux or --pooled") }
        guard calls > 0, concurrency > 0, (mux ?? 1) > 0, (pooled ?? 1) > 0 else {
            throw ValidationError("counts must be positive")
        }
    }

    func run() async throws {
        var options = RPCClientOptions()
        options.timeout = .milliseconds(timeoutMs)
        options.connections = pooled.map { .pooled(limit: $0) } ?? .multiplexed(count: mux ?? 2)
        let client = try RPCClient(to: SocketAddress(parsing: connect), options: options)
        let echo = Echo_EchoClient(client)
        let start = ContinuousClock.now
        let tally = await withTaskGroup(of: Tally.self) { group in
            for worker in 0..<min(concurrency, calls) {
                group.addTask { await work(worker, echo) }
            }
            return await group.reduce(into: Tally()) { $0.add($1) }
        }
        let took = ContinuousClock.now - start
        let each = calls == 1 ? "1 call" : "\(calls) calls, \(concurrency) at a time,"
        print("\(each) in \(took): \(tally.succeeded) succeeded, \(tally.failed) failed")
        for (error, count) in tally.errors.sorted(by: { $0.key < $1.key }) {
            print("  \(count) x \(error)")
        }
        await client.close()
        if tally.failed > 0 { throw ExitCode.failure }
    }

    /// Every `concurrency`-th call, beginning with this worker's number.
    private func work(_ worker: Int, _ echo: Echo_EchoClient) async -> Tally {
        var tally = Tally()
        for number in stride(from: worker, to: calls, by: concurrency) {
            do {
                try await call(number, echo)
                tally.succeeded += 1
            } catch {
                tally.errors["\(error)", default: 0] += 1
            }
            // Cancelled only when the whole program ends.
            if intervalMs > 0 { try? await Task.sleep(for: .milliseconds(intervalMs)) }
        }
        return tally
    }

    private func call(_ number: Int, _ echo: Echo_EchoClient) async throws {
        let request = Echo_EchoRequest.with {
            $0.action = "hi"
            $0.msg = "hello \(number)"
        }
        if method == "fail" {
            _ = try await echo.fail(request)
        } else if method.hasPrefix("sleep:"), let millis = Int64(method.dropFirst("sleep:".count)) {
            _ = try await echo.sleep(.with { $0.millis = millis })
        } else if method == "echo" {
            let reply = try await echo.echo(request)
            guard reply.msg == request.msg else {
                throw Mismatch(sent: request.msg, received: reply.msg)
            }
        } else {
            throw ValidationError("--method is echo, fail or sleep:MILLISECONDS")
        }
    }
}

/// What became of some calls.
private struct Tally {
    var succeeded = 0
    var errors: [String: Int] = [:]
    var failed: Int { errors.values.reduce(0, +) }

    mutating func add(_ other: Tally) {
        succeeded += other.succeeded
        errors.merge(other.errors, uniquingKeysWith: +)
    }
}

private struct Mismatch: Error {
    let sent: String
    let received: String
}
