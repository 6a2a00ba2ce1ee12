import NetpollTesting
import Synchronization
import TestSupport
import Testing

@testable import NetpollCore

/// Answers each 8-byte number with the same number and its own identity's stamp.
private final class Stamped: ConnectionHandler {
    let strangers: Atomic<Int>
    private let first = Locked<UInt64?>(nil)

    init() { strangers = Atomic(0) }

    func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
        while let bytes = input.readArray(8) {
            let number = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let owner = first.withLock { first -> UInt64 in
                let owner = first ?? number
                first = owner
                return owner
            }
            if owner != number { strangers.wrappingAdd(1, ordering: .relaxed) }
            connection.withOutput { $0.write(number) }
        }
        return 8
    }
    func connectionDidReachEnd(_ connection: Connection) { connection.close() }
    func connection(_ connection: Connection, didCloseWith error: NetpollError?) {}
}

// Row B18.
@Suite("Descriptor numbers that are used again at once", .timeLimit(.minutes(2)))
struct DescriptorReuseTests {
    @Test("no byte and no end reaches the next owner of a descriptor, over all loops")
    func openAndClose() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        let group = try EventLoopGroup(count: 3)
        let handlers = Locked<[Stamped]>([])
        let listener = try Listener(
            on: SocketAddress.unix(path: "@netpoll-reuse-tests").unique,
            group: group
        ) { _ in
            let handler = Stamped()
            handlers.withLock { $0.append(handler) }
            return handler
        }
        let mistakes = await withTaskGroup(of: Int.self) { tasks in
            for worker in 0..<8 {
                tasks.addTask {
                    var random = SeededGenerator(seed: seed &+ UInt64(worker))
                    var mistakes = 0
                    for round in 0..<150 {
                        let number = UInt64(worker) << 32 | UInt64(round)
                        mistakes += await exchange(number, group, listener, &random)
                    }
                    return mistakes
                }
            }
            return await tasks.reduce(0, +)
        }
        #expect(mistakes == 0, "seed \(seed)")
        #expect(
            handlers.withLock { $0.allSatisfy { $0.strangers.load(ordering: .relaxed) == 0 } },
            "seed \(seed)"
        )
        try await eventually("all have left") { listener.connectionCount == 0 }
        await listener.close()
        await group.shutdown()
    }

    /// Sends one number, checks what comes back, and leaves in one of several ways, some of which
    /// leave events behind.
    private func exchange(
        _ number: UInt64,
        _ group: EventLoopGroup,
        _ listener: Listener,
        _ random: inout SeededGenerator
    ) async -> Int {
        let bytes = withUnsafeBytes(of: number.bigEndian) { Array($0) }
        do throws(NetpollError) {
            let connection = try await Dialer(group: group).dial(listener.localAddress)
            try await connection.write(bytes)
            let isRight = Array(try await connection.read(count: 8)) == bytes
            switch Int.random(in: 0..<3, using: &random) {
            case 0: connection.close()
            case 1: connection.abort()
            default:
                // The answer is under way to a descriptor that is gone.
                try await connection.write(bytes)
                connection.abort()
            }
            return isRight ? 0 : 1
        } catch {
            // Nobody but this task ends the connection.
            return 1
        }
    }

    @Test("a stale token finds nobody after its slot was taken again")
    func staleToken() {
        final class Nobody: ReadinessHandler {
            func loopWillEnd() {}
            func handle(_ readiness: Readiness) {}
        }
        var table = RegistrationTable()
        let old = table.add(7, Nobody())
        #expect(table.remove(old)?.fileDescriptor == 7)
        let owner = Nobody()
        let new = table.add(7, owner)
        #expect(new.slot == old.slot)
        #expect(table.handler(for: old) == nil)
        #expect(table.remove(old) == nil)
        #expect(table.handler(for: new) === owner)
    }
}
