import NetpollProtobuf
import NetpollTesting
import TestProtos
import Testing

@Suite("JSON there and back")
struct JSONRoundTripTests {
    @Test("a random message comes back from its JSON as it was")
    func everything() throws {
        for seed in 0..<300 {
            var random = RandomMessages(seed: UInt64(seed))
            let message = random.everything(depth: 3)
            var options = JSONEncodingOptions()
            options.preserveProtoFieldNames = seed % 2 == 0
            options.alwaysPrintEnumsAsInts = seed % 3 == 0
            options.alwaysPrintFieldsWithNoPresence = seed % 5 == 0
            options.alwaysPrintInt64sAsNumbers = seed % 7 == 0
            let text = try message.jsonString(options: options)
            #expect(try Tests_Everything(jsonString: text) == message, "seed \(seed): \(text)")
        }
    }

    @Test("random values of the well-known types come back from their JSON as they were")
    func forms() throws {
        for seed in 0..<300 {
            var random = RandomMessages(seed: UInt64(seed))
            let message = try random.forms(depth: 3)
            let text = try message.jsonString()
            #expect(try Tests_JSONForms(jsonString: text) == message, "seed \(seed): \(text)")
        }
    }

    @Test("equal messages give equal text when that is asked for")
    func deterministic() throws {
        var options = JSONEncodingOptions()
        options.useDeterministicOrdering = true
        let keys = (0..<50).map { "k\($0)" }
        func message(_ keys: [String]) throws -> String {
            var message = Tests_JSONForms()
            for key in keys { message.struct[key] = .init(stringValue: key) }
            message.any = try Google_Protobuf_Any(message: message.struct)
            return try message.jsonString(options: options)
        }
        #expect(try message(keys) == message(keys.reversed()))
    }
}

/// Messages with random values in random fields.
struct RandomMessages {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    private mutating func coin() -> Bool { random.next() % 2 == 0 }

    private mutating func integer<I: FixedWidthInteger>() -> I {
        let edges: [I] = [0, 1, .max, .min, 42]
        return coin()
            ? edges[Int(random.next() % 5)]
            : I(truncatingIfNeeded: random.next() >> (random.next() % 64))
    }

    private mutating func double() -> Double {
        let value = Double(bitPattern: random.next())
        return value.isNaN ? 0.1 : value
    }

    private mutating func string() -> String {
        let pieces = ["", "a", "\"", "\\", "\0", "ü", "谷", "😁", "\n", "/", "\u{7f}", "\u{2028}"]
        return (0..<random.next() % 6).map { _ in pieces[Int(random.next() % 12)] }.joined()
    }

    private mutating func list<T>(_ make: (inout RandomMessages) -> T) -> [T] {
        (0..<random.next() % 4).map { _ in make(&self) }
    }

    mutating func everything(depth: Int) -> Tests_Everything {
        var message = Tests_Everything()
        numbers(&message)
        if coin() { message.stringValue = string() }
        if coin() { message.bytesValue = random.bytes(Int(random.next() % 9)) }
        if coin() { message.color = .init(rawValue: Int(integer() as Int32)) ?? .red }
        if coin() { message.point.x = integer() }
        if coin() { message.optionalString = string() }
        message.doubles = list { $0.double() }
        message.int32List = list { $0.integer() }
        message.int64List = list { $0.integer() }
        message.sint64List = list { $0.integer() }
        message.fixed32List = list { $0.integer() }
        message.bools = list { $0.coin() }
        message.strings = list { $0.string() }
        message.byteStrings = list { $0.random.bytes(3) }
        for key in list({ $0.string() }) { message.stringMap[key] = string() }
        for key: Int32 in list({ $0.integer() }) { message.pointMap[key] = .with { $0.y = 1 } }
        for key: UInt64 in list({ $0.integer() }) { message.bytesMap[key] = random.bytes(2) }
        if coin() { message.colorMap[coin()] = .green }
        guard depth > 0 else { return message }
        if coin() { message.child = everything(depth: depth - 1) }
        if coin() { message.children = [everything(depth: depth - 1)] }
        if coin() { message.choiceSelf = everything(depth: depth - 1) }
        return message
    }

    private mutating func numbers(_ message: inout Tests_Everything) {
        if coin() { message.doubleValue = double() }
        if coin() { message.floatValue = Float(double()) }
        if coin() { message.int32Value = integer() }
        if coin() { message.int64Value = integer() }
        if coin() { message.uint32Value = integer() }
        if coin() { message.uint64Value = integer() }
        if coin() { message.sint32Value = integer() }
        if coin() { message.sint64Value = integer() }
        if coin() { message.fixed64Value = integer() }
        if coin() { message.sfixed32Value = integer() }
        if coin() { message.boolValue = coin() }
        if coin() { message.optionalInt32 = integer() }
    }

    mutating func forms(depth: Int) throws -> Tests_JSONForms {
        var message = Tests_JSONForms()
        if coin() { message.timestamp = timestamp() }
        if coin() {
            message.duration = .init(seconds: integer() % 315_576_000_000, nanos: integer())
        }
        if coin() { message.struct = value(depth: depth).structValue }
        if coin() { message.value = value(depth: depth) }
        if coin() { message.listValue.values = list { $0.value(depth: 1) } }
        message.values = list { $0.value(depth: depth) }
        message.timestamps = list { $0.timestamp() }
        message.int64Wrappers = list { .init($0.integer()) }
        if coin() { message.stringWrapper = .init(string()) }
        if coin() { message.bytesWrapper = .init(random.bytes(5)) }
        if coin() { message.doubleWrapper = .init(double()) }
        if coin() { message.boolWrapper = false }
        if coin() { message.fieldMask = ["foo_bar.baz", "a"] }
        if coin() { message.any = try .init(message: timestamp()) }
        if coin() { message.anys = [try .init(message: Google_Protobuf_Empty()), .init()] }
        if coin() { message.chosenValue = nil }
        return message
    }

    private mutating func timestamp() -> Google_Protobuf_Timestamp {
        .init(seconds: Int64(random.next() % 315_537_897_600) - 62_135_596_800, nanos: integer())
    }

    private mutating func value(depth: Int) -> Google_Protobuf_Value {
        switch random.next() % (depth > 0 ? 6 : 4) {
        case 0: return nil
        case 1: return .init(numberValue: Double(integer() as Int32) / 8)
        case 2: return .init(stringValue: string())
        case 3: return .init(boolValue: coin())
        case 4: return .init(listValue: .init(values: list { $0.value(depth: depth - 1) }))
        default:
            let keys = list { $0.string() }
            let fields = keys.map { ($0, value(depth: depth - 1)) }
            return .init(structValue: .init(fields: Dictionary(fields) { first, _ in first }))
        }
    }
}
