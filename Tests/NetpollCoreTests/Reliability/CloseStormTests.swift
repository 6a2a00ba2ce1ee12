import Glibc
import NetpollTesting
import Synchronization
import TestSupport
import Testing

@testable import NetpollCore

/// Counts how often the end of each connection was told.
private final class CloseCounter: ConnectionHandler {
    let handlerCalls = Atomic<Int>(0)
    let callbackCalls = Atomic<Int>(0)

    func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
        input.removeAll()
        return 0
    }
    func connectionDidReachEnd(_ connection: Connection) { connection.close() }
    func connection(_ connection: Connection, didCloseWith error: NetpollError?) {
        handlerCalls.wrappingAdd(1, ordering: .relaxed)
    }

    var isToldOnce: Bool {
        handlerCalls.load(ordering: .acquiring) == 1
            && callbackCalls.load(ordering: .acquiring) == 1
    }
    var isTold: Bool {
        handlerCalls.load(ordering: .acquiring) >= 1
            && callbackCalls.load(ordering: .acquiring) >= 1
    }
}

/// Everything that can end a connection, at once and in any order.
///
/// `NETPOLL_STORM_ITERATIONS` sets the number of connections; `Scripts/close-storm` does.
@Suite("Connections that everybody ends at once", .timeLimit(.minutes(240)))
struct CloseStormTests {
    private static let batch = 100

    static var iterations: Int {
        getenv("NETPOLL_STORM_ITERATIONS").flatMap { Int(String(cString: $0)) } ?? 1500
    }

    /// In a process of its own, because the descriptors of a process are counted.
    @Test("each end is told exactly once, and no descriptor is left behind")
    func storm() async {
        await #expect(processExitsWith: .success) {
            let seed = UInt64.random(in: 0 ... .max)
            var random = SeededGenerator(seed: seed)
            let group = try EventLoopGroup(count: 2)
            let accepted = Locked<[CloseCounter]>([])
            let listener = try Listener(
                on: .unix(path: "@netpoll-storm-\(getpid())"),
                group: group
            ) { connection in
                let counter = CloseCounter()
                accepted.withLock { $0.append(counter) }
                connection.onClose {
                    counter.callbackCalls.wrappingAdd(1, ordering: .relaxed)
                }
                return counter
            }
            // The process opens some descriptors of its own late: the first connection comes before.
            _ = try await Self.runBatch(1, group, listener.localAddress, &random)
            try await eventually("the first has left") { listener.connectionCount == 0 }
            let before = ProcessState.descriptorCount
            var rest = Self.iterations
            while rest > 0 {
                let dialed = try await Self.runBatch(
                    min(rest, Self.batch),
                    group,
                    listener.localAddress,
                    &random
                )
                rest -= dialed.count
                try await eventually("all ends are told, seed \(seed)") {
                    dialed.allSatisfy { $0.isTold }
                }
                // Those that were accepted and have not ended yet are looked at after a later batch.
                let accepted = accepted.withLock { accepted in
                    defer { accepted.removeAll { $0.isTold } }
                    return accepted.filter { $0.isTold }
                }
                #expect((dialed + accepted).allSatisfy { $0.isToldOnce }, "seed \(seed)")
            }
            try await eventually("all have left, seed \(seed)") {
                listener.connectionCount == 0 && ProcessState.descriptorCount <= before
            }
            #expect(accepted.withLock { $0.allSatisfy { $0.isToldOnce } })
            await listener.close()
            await group.shutdown()
        }
    }

    private static func runBatch(
        _ count: Int,
        _ group: EventLoopGroup,
        _ address: SocketAddress,
        _ random: inout SeededGenerator
    ) async throws -> [CloseCounter] {
        var counters: [CloseCounter] = []
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for _ in 0..<count {
                let counter = CloseCounter()
                counters.append(counter)
                let order = (0..<5).shuffled(using: &random)
                let isHandled = Bool.random(using: &random)
                tasks.addTask {
                    try await end(counter, order, isHandled, group, address)
                }
            }
            try await tasks.waitForAll()
        }
        return counters
    }

    /// Dials one connection and ends it in five ways at a time.
    private static func end(
        _ counter: CloseCounter,
        _ order: [Int],
        _ isHandled: Bool,
        _ group: EventLoopGroup,
        _ address: SocketAddress
    ) async throws {
        var makeHandler: (@Sendable (Connection) -> any ConnectionHandler)?
        if isHandled { makeHandler = { _ in counter } }
        let connection = try await Dialer(group: group).dial(address, makeHandler: makeHandler)
        connection.onClose { counter.callbackCalls.wrappingAdd(1, ordering: .relaxed) }
        if !isHandled { counter.handlerCalls.wrappingAdd(1, ordering: .relaxed) }
        await withTaskGroup(of: Void.self) { tasks in
            for way in order {
                tasks.addTask {
                    switch way {
                    case 0: connection.close()
                    case 1: connection.abort()
                    // The peer of each connection closes when it reads the end.
                    case 2: connection.closeOutput()
                    case 3: _ = try? await connection.read(deadline: .after(.microseconds(50)))
                    default:
                        try? await connection.write([1, 2, 3])
                        try? await connection.flush()
                    }
                }
            }
        }
    }
}
