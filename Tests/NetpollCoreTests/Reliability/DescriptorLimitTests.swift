import Glibc
import NetpollTesting
import Synchronization
import TestSupport
import Testing

@testable import NetpollCore

/// Opens descriptors until the process has no more, and gives them back.
private final class Hoard: Sendable {
    private let descriptors = Locked<[Int32]>([])

    func fill() {
        while case let descriptor = dup(0), descriptor >= 0 {
            descriptors.withLock { $0.append(descriptor) }
        }
    }

    func release(_ count: Int = .max) {
        descriptors.withLock { descriptors in
            for _ in 0..<min(count, descriptors.count) { close(descriptors.removeLast()) }
        }
    }
}

/// Each test runs in a process of its own, because the limit is the process's.
@Suite("A process without descriptors", .timeLimit(.minutes(2)))
struct DescriptorLimitTests {
    // Row B10.
    @Test("a listener out of descriptors serves who is there, does not spin, and accepts again")
    func listener() async {
        await #expect(processExitsWith: .success) {
            let group = try EventLoopGroup(count: 1)
            let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) { _ in
                Echo()
            }
            let port = listener.localAddress.port
            let old = try RawSocket(port: port)
            try old.send([1])
            #expect(try old.receive(count: 1) == [1])
            ProcessState.limitDescriptors(to: 64)
            let hoard = Hoard()
            hoard.fill()
            // One free descriptor for this side; none is left for the listener.
            hoard.release(1)
            let new = try RawSocket(port: port)
            try new.send([2])
            let used = try await group.loops[0].usage(during: .milliseconds(800))
            #expect(used.milliseconds < 40, "5 % of the time")
            #expect(used.sleeps < 20)
            try old.send([3])
            #expect(try old.receive(count: 1) == [3])
            #expect(listener.connectionCount == 1)
            let start = ContinuousClock.now
            hoard.release()
            #expect(try new.receive(count: 1) == [2])
            #expect(ContinuousClock.now - start <= .milliseconds(1200))
            await listener.close()
        }
    }

    // Row B11.
    @Test("a dial without descriptors fails with a clear error, leaks nothing, and works again")
    func dialer() async {
        await #expect(processExitsWith: .success) {
            let group = try EventLoopGroup(count: 1)
            let listener = try Listener(on: .tcp(host: "127.0.0.1", port: 0), group: group) { _ in
                Echo()
            }
            let dialer = Dialer(group: group)
            ProcessState.limitDescriptors(to: 64)
            let hoard = Hoard()
            hoard.fill()
            for _ in 0..<20 {
                let error = await #expect(throws: NetpollError.self) {
                    try await dialer.dial(listener.localAddress)
                }
                #expect(error?.code == .limitExceeded)
                #expect(error?.errorNumber == EMFILE)
                #expect(error?.description.contains("Too many open files") == true)
            }
            let failed = #expect(throws: NetpollError.self) { try EventLoopGroup(count: 2) }
            #expect(failed?.code == .limitExceeded)
            hoard.release()
            let before = ProcessState.descriptorCount
            for _ in 0..<3 {
                let connection = try await dialer.dial(listener.localAddress)
                try await connection.write([1])
                #expect(Array(try await connection.read(count: 1)) == [1])
                connection.close()
            }
            try await eventually("no descriptor is left behind") {
                ProcessState.descriptorCount == before && listener.connectionCount == 0
            }
            await listener.close()
        }
    }
}
