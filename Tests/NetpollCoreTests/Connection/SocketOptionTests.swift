import Glibc
import Testing

@testable import NetpollCore

@Suite("Options of sockets", .timeLimit(.minutes(1)))
struct SocketOptionTests {
    private func option(_ connection: Connection, _ level: Int32, _ name: Int32) throws -> Int32 {
        guard case .socket(let fileDescriptor) = connection.io else { return -1 }
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        try #require(getsockopt(fileDescriptor, level, name, &value, &length) == 0)
        return value
    }

    @Test("what the options say is what the kernel has, on both sides")
    func tcp() async throws {
        var options = ConnectionOptions()
        options.receiveBufferSize = 40_000
        options.sendBufferSize = 50_000
        options.liveness?.idle = .seconds(7)
        options.liveness?.interval = .seconds(3)
        options.liveness?.probes = 4
        options.liveness?.unacknowledged = .milliseconds(9500)
        let pair = try await ConnectionPair(options: options)
        let tcp = Int32(IPPROTO_TCP)
        for end in [pair.client, pair.server] {
            #expect(try option(end, tcp, TCP_NODELAY) == 1)
            #expect(try option(end, SOL_SOCKET, SO_KEEPALIVE) == 1)
            #expect(try option(end, tcp, TCP_KEEPIDLE) == 7)
            #expect(try option(end, tcp, TCP_KEEPINTVL) == 3)
            #expect(try option(end, tcp, TCP_KEEPCNT) == 4)
            #expect(try option(end, tcp, TCP_USER_TIMEOUT) == 9500)
            // Linux doubles what it is asked for (socket(7)).
            #expect(try option(end, SOL_SOCKET, SO_RCVBUF) == 80_000)
            #expect(try option(end, SOL_SOCKET, SO_SNDBUF) == 100_000)
        }
        await pair.end()
    }

    @Test("by default three probes of an idle connection may be lost before it is given up")
    func probes() {
        let liveness = ConnectionOptions.Liveness()
        // Linux ends it at the first probe's turn after `unacknowledged`, whatever `probes` says.
        let lastProbe = liveness.idle + liveness.interval * (liveness.probes - 1)
        #expect(liveness.probes == 3 && lastProbe < liveness.unacknowledged)
    }

    @Test("what is switched off stays as the system has it")
    func off() async throws {
        var options = ConnectionOptions()
        options.sendsImmediately = false
        options.liveness = nil
        let pair = try await ConnectionPair(options: options)
        for end in [pair.client, pair.server] {
            #expect(try option(end, Int32(IPPROTO_TCP), TCP_NODELAY) == 0)
            #expect(try option(end, SOL_SOCKET, SO_KEEPALIVE) == 0)
            #expect(try option(end, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT) == 0)
        }
        await pair.end()
    }
}
