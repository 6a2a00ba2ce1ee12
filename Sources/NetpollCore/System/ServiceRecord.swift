/// One server of a service, as the domain name system tells it (RFC 2782).
package struct ServiceRecord: Sendable, Hashable {
    /// Lower is tried first.
    package let priority: UInt16
    /// The share of the load among records of one priority.
    package let weight: UInt16
    /// Where it listens.
    package let port: UInt16
    /// Its host name, without the last dot.
    package let target: String
    /// How many seconds the record may be kept.
    package let secondsToLive: UInt32

    /// Creates a record.
    package init(
        priority: UInt16,
        weight: UInt16,
        port: UInt16,
        target: String,
        secondsToLive: UInt32
    ) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
        self.secondsToLive = secondsToLive
    }
}

extension ServiceRecord {
    /// Most records that are taken from an answer.
    static let limit = 1000

    /// Reads the SRV records of an answer (RFC 1035, section 4).
    ///
    /// Pure; any bytes are safe. A target `.` says that there is no such service.
    ///
    /// - Throws: ``NetpollError`` with code `system` when the bytes are no well-formed answer.
    static func parse(_ bytes: [UInt8]) throws(NetpollError) -> [ServiceRecord] {
        var reader = DNSReader(bytes)
        // Id and flags; the resolver has looked at them.
        try reader.skip(4)
        let questionCount = try reader.integer16()
        let answerCount = try reader.integer16()
        try reader.skip(4)
        for _ in 0..<questionCount {
            _ = try reader.name()
            try reader.skip(4)
        }
        var records: [ServiceRecord] = []
        for _ in 0..<answerCount where records.count < limit {
            if let record = try next(&reader), !record.target.isEmpty { records.append(record) }
        }
        return records
    }

    private static let serviceType: UInt16 = 33
    private static let internetClass: UInt16 = 1

    /// The next answer, or `nil` if it is of another type.
    private static func next(_ reader: inout DNSReader) throws(NetpollError) -> ServiceRecord? {
        _ = try reader.name()
        let type = try reader.integer16()
        let kind = try reader.integer16()
        let seconds = try reader.integer32()
        let length = Int(try reader.integer16())
        let end = try reader.position(after: length)
        guard type == serviceType, kind == internetClass else {
            reader.offset = end
            return nil
        }
        let record = ServiceRecord(
            priority: try reader.integer16(),
            weight: try reader.integer16(),
            port: try reader.integer16(),
            target: try reader.name(),
            secondsToLive: seconds
        )
        guard reader.offset == end else { throw DNSReader.malformed }
        return record
    }
}

/// Walks a message of the domain name system with every access checked.
struct DNSReader {
    private let bytes: [UInt8]
    var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static var malformed: NetpollError {
        NetpollError(.system, "a name server's answer is malformed")
    }

    func position(after count: Int) throws(NetpollError) -> Int {
        guard count <= bytes.count - offset else { throw Self.malformed }
        return offset + count
    }

    mutating func skip(_ count: Int) throws(NetpollError) { offset = try position(after: count) }

    mutating func integer16() throws(NetpollError) -> UInt16 {
        let end = try position(after: 2)
        defer { offset = end }
        return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
    }

    mutating func integer32() throws(NetpollError) -> UInt32 {
        let high = try integer16()
        return UInt32(high) << 16 | UInt32(try integer16())
    }

    /// A name of at most 255 bytes, without the last dot; follows compression pointers, which may
    /// only point backwards, so that no chain of them is endless.
    mutating func name() throws(NetpollError) -> String {
        var text: [UInt8] = []
        var position = offset
        var limit = offset
        var end: Int?
        while true {
            guard position < bytes.count else { throw Self.malformed }
            let length = Int(bytes[position])
            switch length {
            case 0:
                offset = end ?? position + 1
                return String(decoding: text, as: UTF8.self)
            case 1...63:
                guard position + 1 + length <= bytes.count, text.count + length < 255 else {
                    throw Self.malformed
                }
                if !text.isEmpty { text.append(UInt8(ascii: ".")) }
                text += bytes[position + 1..<position + 1 + length]
                position += 1 + length
            case 192...255:
                guard position + 1 < bytes.count else { throw Self.malformed }
                let target = (length & 63) << 8 | Int(bytes[position + 1])
                guard target < limit else { throw Self.malformed }
                if end == nil { end = position + 2 }
                limit = target
                position = target
            default: throw Self.malformed
            }
        }
    }
}
