import NetpollCore
import TestSupport
import Testing

@testable import NetpollRPC

/// What of a header is metadata, and what is not.
@Suite("Metadata on the wire")
struct MetadataRulesTests {
    private func header(_ strings: [(String, String)], _ integers: [(UInt16, String)] = []) throws
        -> HeaderInfo
    {
        let head = FrameHead(
            transport: .ttHeaderFramed,
            type: .call,
            sequenceID: 1,
            method: [0x41],
            template: HeaderTemplate(strings: strings, integers: integers)
        )
        return try #require(try decodeAll(encode(head, body: [])).first).header
    }

    @Test("prefixes are stripped; what has none, or is empty, is no metadata of a request")
    func forward() throws {
        let (transient, persistent) = try header([
            ("RPC_TRANSIT_a", "1"), ("RPC_PERSIST_b", "2"), ("RPC_TRANSIT_", "x"),
            ("RPC_PERSIST_", "x"), ("RPC_TRANSIT_empty", ""), ("RPC_PERSIST_empty", ""),
            ("plain", "x"), ("RPC_BACKWARD_c", "x"), ("rip", "x"),
        ]).requestMetadata
        #expect(transient == ["a": "1"] && persistent == ["b": "2"])
    }

    @Test("metadata of an earlier hop is stale: neither this hop's nor passed on")
    func upstream() throws {
        let (transient, persistent) = try header([
            ("RPC_TRANSIT_UPSTREAM_a", "1"), ("RPC_TRANSIT_b", "2"),
        ]).requestMetadata
        #expect(transient == ["b": "2"] && persistent.isEmpty)
    }

    @Test("keys are case-sensitive, and HTTP's form of the prefixes is another key")
    func letterCase() throws {
        let (transient, persistent) = try header([
            ("RPC_TRANSIT_Key", "1"), ("RPC_TRANSIT_key", "2"), ("rpc-transit-x", "3"),
            ("rpc_transit_x", "3"), ("rpc-persist-x", "3"), ("Rpc_Persist_x", "3"),
        ]).requestMetadata
        #expect(transient == ["Key": "1", "key": "2"] && persistent.isEmpty)
    }

    @Test("the last value of a repeated key counts, within a block and across blocks")
    func repetition() throws {
        func text(_ text: String) -> [UInt8] { [0, UInt8(text.utf8.count)] + Array(text.utf8) }
        func strings(_ pairs: [(String, String)]) -> [UInt8] {
            [0x01, 0, UInt8(pairs.count)] + pairs.flatMap { text($0.0) + text($0.1) }
        }
        var block: [UInt8] = [0, 0]
        block += strings([("isn", "A"), ("isn", "B"), ("RPC_TRANSIT_k", "1")])
        block += [0, 0, 0x10, 0, 1, 0, 12] + text("5") + [0]
        block += strings([("RPC_TRANSIT_k", "2")]) + [0x10, 0, 1, 0, 12] + text("7")
        block += [UInt8](repeating: 0, count: (4 - block.count % 4) % 4)
        let info = try HeaderInfo(
            flags: 0,
            sequenceID: 1,
            block: BufferSlice(copying: block),
            limits: WireLimits()
        )
        #expect(info.serviceName == "B" && info.timeoutMilliseconds == 7)
        #expect(info.requestMetadata.transient == ["k": "2"])
    }

    @Test("the access token is metadata for one hop, as Kitex shows it")
    func aclToken() throws {
        let block: [UInt8] = [0, 0, 0x11, 0, 3, 0x61, 0x62, 0x63]
        let info = try HeaderInfo(
            flags: 0,
            sequenceID: 1,
            block: BufferSlice(copying: block),
            limits: WireLimits()
        )
        #expect(info.requestMetadata.transient == ["gdpr-token": "abc"])
        #expect(info.strings.map(\.key) == ["RPC_TRANSIT_gdpr-token"])
    }

    @Test("a request tells who calls; an empty name is none")
    func caller() throws {
        #expect(try header([], [(3, "Front"), (20, "Get")]).callerService == "Front")
        #expect(try header([], [(3, "")]).callerService == nil)
    }

    @Test("a reply's metadata is all that has no meaning of its own")
    func backward() throws {
        let recorded = try #require(
            try decodeAll(Recording("ttheader-backward", "s2c").bytes).first
        )
        #expect(recorded.header.replyMetadata == ["back": "ward"])
        let own = [
            "crrst", "crc32c", "biz-status", "biz-message", "biz-extra", "netpoll-code",
            "netpoll-retry", "isn", "rip", "tc", "ti", "pcs", "pce", "pss", "prs", "pre",
            "K_ProcessAtTime", "ttscp", "PV_sum",
        ]
        // A wrong checksum would be an error of its own.
        let pairs = own.filter { $0 != "crc32c" }.map { ($0, "1") }
        #expect(
            try header(pairs + [("k", "v"), ("", "x"), ("empty", "")]).replyMetadata == ["k": "v"]
        )
        #expect(own.filter { !WireFormat.StringKey.isReserved($0) } == [])
        #expect(!WireFormat.StringKey.isReserved("pv_sum") && !WireFormat.StringKey.isReserved("k"))
    }

    @Test("pairs that a sender may not have: too many, too long", arguments: [1023, 1024, 1025])
    func pairLimit(count: Int) throws {
        let pairs = (0..<count).map { ("k\($0)", "v") }
        if count <= 1024 {
            #expect(try header(pairs).strings.count == count)
        } else {
            let error = #expect(throws: WireError.self) { try header(pairs) }
            #expect(error?.reason == .tooLarge)
        }
    }

    @Test("metadata that does not fit its length is refused before it is written")
    func tooLong() {
        for (key, value) in [("k", 65_536), ("k", 65_535)] {
            let head = FrameHead(
                transport: .ttHeaderFramed,
                type: .call,
                sequenceID: 1,
                method: [0x41],
                template: HeaderTemplate(),
                strings: [(key, String(repeating: "v", count: value))]
            )
            let error = #expect(throws: WireError.self) { try encode(head, body: []) }
            #expect(error?.reason == .tooLarge)
        }
    }
}
