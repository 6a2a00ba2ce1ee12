/// Single values.
extension JSONParser {
    /// Reads a value and writes it with its tag.
    ///
    /// - Returns: False if there is nothing to write, because an enum does not know the name and
    ///   such names are to be ignored.
    mutating func value(_ number: UInt32, _ kind: FieldSchema.Kind, depth: Int)
        throws(ProtobufError) -> Bool
    {
        let start = wire.mark
        switch kind {
        case .message(let resolve):
            wire.tag(number, .lengthDelimited)
            let content = wire.beginDelimited()
            try message(resolve(), depth: depth - 1)
            wire.endDelimited(content)
        case .group(let resolve):
            wire.tag(number, .startGroup)
            try message(resolve(), depth: depth - 1)
            wire.tag(number, .endGroup)
        default:
            wire.tag(number, kind.wireType)
            guard try scalar(kind) else {
                wire.rewind(to: start)
                return false
            }
        }
        return true
    }

    /// Reads a value that is not a message and writes it without a tag.
    ///
    /// - Returns: As ``value(_:_:depth:)``.
    mutating func scalar(_ kind: FieldSchema.Kind) throws(ProtobufError) -> Bool {
        switch kind {
        case .bool:
            try expect(.bool, "a bool")
            wire.varint(try reader.bool() ? 1 : 0)
        case .string:
            try expect(.string, "a string")
            wire.delimited(try reader.string().utf8)
        case .bytes: try bytes()
        case .enum(let type): return try enumValue(type)
        case .message, .group, .map:
            // Only ``value(_:_:depth:)`` and ``map(_:_:_:depth:)`` write these.
            return false
        default: try number(kind)
        }
        return true
    }

    private mutating func bytes() throws(ProtobufError) {
        try expect(.string, "bytes")
        let text = try reader.string()
        var bytes: [UInt8] = []
        guard text.withUTF8({ Base64.decode($0, to: &bytes) }) else {
            throw reader.error(.invalidValue, "the string is not Base64")
        }
        wire.delimited(bytes)
    }

    private mutating func number(_ kind: FieldSchema.Kind) throws(ProtobufError) {
        let isWritten: Bool
        switch try reader.peek() {
        case .number: isWritten = wire.number(try reader.number(), kind)
        case .string: isWritten = try reader.string().withUTF8 { wire.number($0, kind) }
        default: isWritten = false
        }
        guard isWritten else {
            throw reader.error(.invalidValue, "the value is not a number of type \(kind.name)")
        }
    }

    private mutating func enumValue(_ type: EnumSchema) throws(ProtobufError) -> Bool {
        switch try reader.peek() {
        case .null where type.isNull:
            try reader.null()
            wire.varint(0)
            return true
        case .string:
            let name = try reader.string().string
            if let number = type.names().number(name) {
                wire.varint(UInt64(bitPattern: Int64(number)))
                return true
            }
            if options.ignoreUnknownFields { return false }
        case .number:
            if let number: Int32 = NumberText.integer(try reader.number()) {
                if type.isKnown?(number) != false {
                    wire.varint(UInt64(bitPattern: Int64(number)))
                    return true
                }
                if options.ignoreUnknownFields { return false }
            }
        default: break
        }
        throw reader.error(.invalidValue, "the value is not a name or number of the enum")
    }
}

extension WireBuilder {
    /// Writes a number from its text.
    ///
    /// - Returns: False if the text is not a number of that kind.
    mutating func number(_ text: UnsafeRawBufferPointer, _ kind: FieldSchema.Kind) -> Bool {
        switch kind {
        case .float, .double: return floatingPoint(text, kind)
        default: break
        }
        guard NumberText.isNumber(text) else { return false }
        switch kind {
        case .int32, .sint32, .sfixed32:
            guard let value: Int32 = NumberText.integer(text) else { return false }
            switch kind {
            case .sint32: varint(UInt64(UInt32(bitPattern: value << 1 ^ value >> 31)))
            case .sfixed32: fixed(value)
            default: varint(UInt64(bitPattern: Int64(value)))
            }
        case .int64, .sint64, .sfixed64:
            guard let value: Int64 = NumberText.integer(text) else { return false }
            switch kind {
            case .sint64: varint(UInt64(bitPattern: value << 1 ^ value >> 63))
            case .sfixed64: fixed(value)
            default: varint(UInt64(bitPattern: value))
            }
        case .uint32, .fixed32:
            guard let value: UInt32 = NumberText.integer(text) else { return false }
            if case .fixed32 = kind { fixed(value) } else { varint(UInt64(value)) }
        case .uint64, .fixed64:
            guard let value: UInt64 = NumberText.integer(text) else { return false }
            if case .fixed64 = kind { fixed(value) } else { varint(value) }
        default: return false
        }
        return true
    }

    private mutating func floatingPoint(
        _ text: UnsafeRawBufferPointer,
        _ kind: FieldSchema.Kind
    ) -> Bool {
        func parse<F: BinaryFloatingPoint & LosslessStringConvertible>(_ type: F.Type) -> F? {
            if NumberText.isNumber(text) { return NumberText.float(text) }
            if text.elementsEqual("NaN".utf8) { return .nan }
            if text.elementsEqual("Infinity".utf8) { return .infinity }
            return text.elementsEqual("-Infinity".utf8) ? -.infinity : nil
        }
        if case .float = kind {
            guard let value = parse(Float.self) else { return false }
            fixed(value.bitPattern)
        } else {
            guard let value = parse(Double.self) else { return false }
            fixed(value.bitPattern)
        }
        return true
    }
}

extension FieldSchema.Kind {
    /// Whether `null` is a value, and not the lack of one.
    var takesNull: Bool {
        switch self {
        case .enum(let type): type.isNull
        case .message(let resolve): resolve().fieldNames.form == .value
        default: false
        }
    }

    /// Whether values can stand in a packed run.
    var isNumber: Bool {
        switch self {
        case .string, .bytes, .message, .group, .map: false
        default: true
        }
    }

    /// The type's name in `.proto` files, for those that JSON writes as numbers.
    var name: String {
        switch self {
        case .int32: "int32"
        case .int64: "int64"
        case .uint32: "uint32"
        case .uint64: "uint64"
        case .sint32: "sint32"
        case .sint64: "sint64"
        case .fixed32: "fixed32"
        case .fixed64: "fixed64"
        case .sfixed32: "sfixed32"
        case .sfixed64: "sfixed64"
        case .float: "float"
        case .double: "double"
        case .bool: "bool"
        case .string: "string"
        case .bytes: "bytes"
        case .enum: "enum"
        case .message, .group: "message"
        case .map: "map"
        }
    }
}
