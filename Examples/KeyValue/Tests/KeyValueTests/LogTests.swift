import Testing

@testable import KeyValueStore

@Suite("The file's format")
struct LogTests {
    private let records: [Kv_Record] = (1...6).map { number in
        .with {
            $0.version = UInt64(number)
            $0.key = key("\(number)").bytes
            if number % 3 != 0 { $0.value = Array(repeating: UInt8(number), count: 9 * number) }
        }
    }

    private func file(_ records: [Kv_Record]) throws -> [UInt8] {
        try records.reduce(LogFormat.magic) { try $0 + LogFormat.encode($1) }
    }

    @Test("CRC-32C is the one that others compute")
    func checksum() {
        #expect(crc32c(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test("a file that is cut anywhere has the records before the cut")
    func cuts() throws {
        let whole = try file(records)
        for length in whole.indices {
            let contents = try LogFormat.decode(Array(whole[..<length]))
            let count = try records.indices.last { try file(Array(records[..<$0])).count <= length }
            #expect(contents.records == Array(records[..<(count ?? 0)]))
            #expect(contents.goodByteCount <= length)
        }
        #expect(try LogFormat.decode(whole).records == records)
    }

    @Test("a torn end of zeros or of garbage is no record")
    func tornEnd() throws {
        let whole = try file(records)
        let ends = [[UInt8](repeating: 0, count: 100), Array(0..<100), Array(whole.suffix(12))]
        for end in ends {
            let contents = try LogFormat.decode(whole + end)
            #expect(contents.records == records)
            #expect(contents.goodByteCount == whole.count)
        }
    }

    @Test("no byte can change unnoticed")
    func damage() throws {
        let whole = try file(records)
        let last = try file(Array(records.dropLast())).count
        for index in whole.indices {
            for change: UInt8 in [0x01, 0x80, 0xFF] {
                var bytes = whole
                bytes[index] ^= change
                // Damage of the last record looks like a write that was torn.
                if index >= last {
                    #expect(try LogFormat.decode(bytes).records == Array(records.dropLast()))
                } else {
                    #expect(throws: LogError.self) { try LogFormat.decode(bytes) }
                }
            }
        }
    }
}
