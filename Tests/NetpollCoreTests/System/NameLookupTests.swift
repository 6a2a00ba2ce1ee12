import Glibc
import Synchronization
import Testing

@testable import NetpollCore

@Suite("NameLookup", .timeLimit(.minutes(1)))
struct NameLookupTests {
    private func name(_ number: Int) -> SocketAddress {
        .tcp(host: "host-\(number).invalid", port: 1)
    }

    private func resolved() -> NameLookup.Outcome {
        Result { () throws(NetpollError) in
            try RawAddress.resolve(.tcp(host: "127.0.0.1", port: 1), passive: false)
        }
    }

    @Test("one name is looked up once for all who ask meanwhile")
    func shared() async throws {
        let count = Atomic(0)
        let isOpen = Atomic(false)
        let outcome = resolved()
        let names = NameLookup { _ in
            count.add(1, ordering: .relaxed)
            while !isOpen.load(ordering: .acquiring) { usleep(100) }
            return outcome
        }
        let told = CountingLatch(100)
        for _ in 0..<100 {
            names.resolve(name(1)) { outcome in
                #expect((try? outcome.get())?.isEmpty == false)
                told.hit()
            }
        }
        isOpen.store(true, ordering: .releasing)
        await told.reached()
        #expect(count.load(ordering: .relaxed) == 1)
    }

    @Test("more names than threads wait their turn; more than the queue holds are refused")
    func queue() async throws {
        let running = Atomic(0)
        let most = Atomic(0)
        let isOpen = Atomic(false)
        let outcome = resolved()
        let names = NameLookup { _ in
            most.max(running.add(1, ordering: .relaxed).newValue, ordering: .relaxed)
            while !isOpen.load(ordering: .acquiring) { usleep(100) }
            running.subtract(1, ordering: .relaxed)
            return outcome
        }
        let room = NameLookup.threadLimit + NameLookup.queueLimit
        let told = CountingLatch(room)
        for number in 0..<room { names.resolve(name(number)) { _ in told.hit() } }
        let refused = Shared<NetpollError?>(nil)
        names.resolve(name(-1)) { outcome in
            if case .failure(let error) = outcome { refused.update { $0 = error } }
        }
        #expect(refused.value?.code == .limitExceeded)
        isOpen.store(true, ordering: .releasing)
        await told.reached()
        #expect(most.load(ordering: .relaxed) <= NameLookup.threadLimit)
    }

    @Test("a number needs no thread")
    func numeric() {
        let names = NameLookup { _ in .failure(NetpollError(.invalidAddress, "asked")) }
        for host in ["127.0.0.1", "::1"] {
            let isResolved = Shared(false)
            names.resolve(.tcp(host: host, port: 80)) { outcome in
                if case .success = outcome { isResolved.update { $0 = true } }
            }
            #expect(isResolved.value, "told before the call returns")
        }
    }
}
