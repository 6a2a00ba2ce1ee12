import NetpollTesting
import Testing

@testable import NetpollCore

@Suite("ServiceRecord")
struct ServiceRecordTests {
    private static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    /// An answer with one SRV record, whose owner is a pointer to the question, and one A record.
    private static let answer: [UInt8] =
        [0, 1, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0]
        + name("_echo._tcp.example.org") + [0, 33, 0, 1]
        + [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]
        + [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 23, 0, 10, 0, 5, 0x22, 0xB8]
        + name("host.example.or")

    @Test("a record is read, one of another type is skipped")
    func record() throws {
        let expected = ServiceRecord(
            priority: 10,
            weight: 5,
            port: 8888,
            target: "host.example.or",
            secondsToLive: 60
        )
        #expect(try ServiceRecord.parse(Self.answer) == [expected])
    }

    @Test("a cut answer is an error, never a trap")
    func cut() {
        for count in 0..<Self.answer.count {
            #expect(throws: NetpollError.self) {
                try ServiceRecord.parse(Array(Self.answer.prefix(count)))
            }
        }
    }

    @Test("a name that points at itself or forward is an error")
    func pointers() {
        for target: UInt8 in [12, 14, 200] {
            var bytes: [UInt8] = [0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]
            bytes += [0xC0, target, 0, 33, 0, 1]
            #expect(throws: NetpollError.self) { try ServiceRecord.parse(bytes) }
        }
    }

    @Test("any bytes are read or refused", arguments: [11, 22, 33] as [UInt64])
    func noise(seed: UInt64) {
        print("seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<5000 {
            var bytes = Self.answer
            for _ in 0..<(1 + Int(random.next() % 4)) {
                bytes[Int(random.next() % UInt64(bytes.count))] =
                    UInt8(truncatingIfNeeded: random.next())
            }
            let records = (try? ServiceRecord.parse(bytes)) ?? []
            #expect(records.count <= ServiceRecord.limit)
        }
    }
}
