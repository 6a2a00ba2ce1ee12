import Glibc
import NetpollTesting
import Synchronization
import TestSupport
import Testing

@testable import NetpollCore

/// Counts signals; a C function can reach nothing but globals.
private let signalCount = Atomic<Int>(0)

/// Installs a handler that counts, without `SA_RESTART`, so that system calls end with `EINTR`.
private func countSignal(_ number: Int32) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
        signalCount.wrappingAdd(1, ordering: .relaxed)
    }
    sigaction(number, &action, nil)
}

/// Each test runs in a process of its own, because signal handlers are the process's.
@Suite("Signals", .timeLimit(.minutes(2)))
struct SignalTests {
    // Row B16.
    @Test("a storm of signals to every loop loses no byte and no connection")
    func interrupted() async {
        await #expect(processExitsWith: .success) {
            countSignal(SIGUSR1)
            countSignal(SIGALRM)
            let group = try EventLoopGroup(count: 2)
            let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) { _ in
                Echo()
            }
            // The timer's signals reach any thread, the others the loops' own.
            var interval = itimerval()
            interval.it_interval.tv_usec = 500
            interval.it_value.tv_usec = 500
            setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &interval, nil)
            var threads: [pthread_t] = []
            for loop in group.loops { threads.append(await loop.call { pthread_self() }) }
            let targets = threads
            let isDone = Atomic<Bool>(false)
            let storm = Task {
                try await blocking {
                    while !isDone.load(ordering: .relaxed) {
                        for thread in targets { pthread_kill(thread, SIGUSR1) }
                        usleep(50)
                    }
                }
            }
            let sent = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
            for _ in 0..<30 {
                let connection = try await Dialer(group: group).dial(listener.localAddress)
                try await connection.write(sent)
                let received = try await connection.read(
                    count: sent.count,
                    deadline: .after(.seconds(30))
                )
                #expect(received.withUnsafeBytes { $0.elementsEqual(sent) })
                connection.close()
            }
            isDone.store(true, ordering: .relaxed)
            try await storm.value
            #expect(signalCount.load(ordering: .relaxed) > 100)
            await listener.close()
        }
    }

    // Row B16.
    @Test("a write to a peer that has gone is an error, not the end of the process")
    func brokenPipe() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            for isUnix in [false, true] {
                let pair = try await ConnectionPair(
                    on: isUnix
                        ? .unix(path: "@netpoll-pipe-\(getpid())")
                        : .tcp(host: "127.0.0.1", port: 0)
                )
                pair.server.abort()
                let error = await #expect(throws: NetpollError.self) {
                    while true {
                        try await pair.client.write([UInt8](repeating: 1, count: 1 << 16))
                        await Task.yield()
                    }
                }
                #expect(
                    [.connectionReset, .connectionClosed].contains(error?.code),
                    "\(String(describing: error))"
                )
                await pair.end()
            }
        }
    }
}
