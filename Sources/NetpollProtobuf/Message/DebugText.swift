/// Writes messages for people to read, much as protobuf's text format does: no speed is asked of
/// it.
///
/// It reads what encoding writes, so that extensions, groups and unknown fields are shown as well.
struct DebugText {
    private var lines: [String] = []
    private let extensions: SimpleExtensionMap

    static func describe<M: Message>(_ message: M) -> String {
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        do {
            let (bytes, extensions) = try message.serializedBytesAndExtensions(
                partial: true,
                options: options
            )
            var text = DebugText(extensions: extensions)
            try bytes.withRawBytes { (bytes) throws(ProtobufError) in
                try text.append(bytes, M.messageSchema, indent: "  ")
            }
            return (["\(M.protoMessageName):"] + text.lines).joined(separator: "\n")
        } catch {
            return "\(M.protoMessageName): \(error)"
        }
    }

    private init(extensions: SimpleExtensionMap) { self.extensions = extensions }

    private mutating func append(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema?,
        indent: String
    ) throws(ProtobufError) {
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            let tag = try reader.tag()
            if let field = schema?.fields.first(where: { $0.number == tag.number }) {
                try append(field, field.name, tag, &reader, indent)
            } else if let (field, name) = field(of: tag, in: schema) {
                try append(field, "[\(name)]", tag, &reader, indent)
            } else if tag.wireType == .startGroup,
                let item = try messageSetItem(tag, reader, schema)
            {
                _ = try reader.groupBody(tag.number, depth: Self.depth)
                try item.field.withRawBytes { (bytes) throws(ProtobufError) in
                    try append(bytes, schema, indent: indent)
                }
            } else {
                try appendUnknown(tag, &reader, indent)
            }
        }
    }

    /// What was encoded is not deeper than its limit, and each level is one of at most three here.
    private static let depth = 3 * BinaryDecodingOptions.defaultMessageDepthLimit

    private func field(of tag: WireTag, in schema: MessageSchema?) -> (FieldSchema, String)? {
        guard let schema,
            let found = extensions.first(extending: schema.name, number: Int(tag.number)),
            let field = found.schema.fields.first
        else { return nil }
        return (field, found.fieldName)
    }

    private func messageSetItem(_ tag: WireTag, _ reader: WireReader, _ schema: MessageSchema?)
        throws(ProtobufError) -> MessageSetItem?
    {
        guard let schema, schema.isMessageSet, tag.number == MessageSetItem.number else {
            return nil
        }
        var reader = reader
        let body = try reader.groupBody(tag.number, depth: Self.depth)
        guard let item = try MessageSetItem(body, depth: Self.depth),
            extensions.first(extending: schema.name, number: item.id) != nil
        else { return nil }
        return item
    }

    private mutating func append(
        _ field: FieldSchema,
        _ name: String,
        _ tag: WireTag,
        _ reader: inout WireReader,
        _ indent: String
    ) throws(ProtobufError) {
        if tag.wireType == .lengthDelimited, field.kind.wireType != .lengthDelimited {
            var run = WireReader(try reader.delimited())
            while !run.isAtEnd {
                lines.append("\(indent)\(name): \(try Self.scalar(field.kind, &run))")
            }
            return
        }
        guard tag.wireType == field.kind.wireType else {
            return try appendUnknown(tag, &reader, indent)
        }
        let inner: MessageSchema?
        switch field.kind {
        case .message(let resolve), .group(let resolve): inner = resolve()
        case .map(let key, let value):
            inner = MessageSchema("", [.init(1, "key", key), .init(2, "value", value)])
        default:
            return lines.append("\(indent)\(name): \(try Self.scalar(field.kind, &reader))")
        }
        let body =
            tag.wireType == .startGroup
            ? try reader.groupBody(tag.number, depth: Self.depth) : try reader.delimited()
        lines.append("\(indent)\(name) {")
        try append(body, inner, indent: indent + "  ")
        lines.append("\(indent)}")
    }

    private mutating func appendUnknown(
        _ tag: WireTag,
        _ reader: inout WireReader,
        _ indent: String
    ) throws(ProtobufError) {
        switch tag.wireType {
        case .varint: lines.append("\(indent)\(tag.number): \(try reader.varint())")
        case .fixed32: lines.append("\(indent)\(tag.number): \(try reader.fixed32())")
        case .fixed64: lines.append("\(indent)\(tag.number): \(try reader.fixed64())")
        case .lengthDelimited:
            lines.append("\(indent)\(tag.number): \(Self.quote(try reader.delimited()))")
        case .startGroup:
            let body = try reader.groupBody(tag.number, depth: Self.depth)
            lines.append("\(indent)\(tag.number) {")
            try append(body, nil, indent: indent + "  ")
            lines.append("\(indent)}")
        case .endGroup: try reader.skipValue(tag, depth: 0)
        }
    }

    private static func scalar(_ kind: FieldSchema.Kind, _ reader: inout WireReader)
        throws(ProtobufError) -> String
    {
        switch kind {
        case .int32, .enum: "\(Int32(truncatingIfNeeded: try reader.varint()))"
        case .int64: "\(Int64(bitPattern: try reader.varint()))"
        case .uint32, .uint64: "\(try reader.varint())"
        case .sint32, .sint64: "\(unzigzag(try reader.varint()))"
        case .bool: try reader.varint() != 0 ? "true" : "false"
        case .fixed32: "\(try reader.fixed32())"
        case .sfixed32: "\(Int32(bitPattern: try reader.fixed32()))"
        case .float: "\(Float(bitPattern: try reader.fixed32()))"
        case .fixed64: "\(try reader.fixed64())"
        case .sfixed64: "\(Int64(bitPattern: try reader.fixed64()))"
        case .double: "\(Double(bitPattern: try reader.fixed64()))"
        case .string, .bytes, .message, .group, .map: quote(try reader.delimited())
        }
    }

    private static func unzigzag(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// Text in quotes; what is not UTF-8 or not printable as C's escapes.
    private static func quote(_ bytes: UnsafeRawBufferPointer) -> String {
        let text = String(validating: bytes, as: UTF8.self)
        var result = "\""
        if let text {
            for scalar in text.unicodeScalars {
                if scalar.properties.generalCategory == .control {
                    result += escape(UInt8(truncatingIfNeeded: scalar.value))
                } else if scalar == "\"" || scalar == "\\" {
                    result += "\\\(scalar)"
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        } else {
            for byte in bytes {
                let isPlain = (0x20..<0x7F).contains(byte) && byte != 0x22 && byte != 0x5C
                result += isPlain ? String(Unicode.Scalar(byte)) : escape(byte)
            }
        }
        return result + "\""
    }

    private static func escape(_ byte: UInt8) -> String {
        switch byte {
        case 0x0A: return "\\n"
        case 0x0D: return "\\r"
        case 0x09: return "\\t"
        default:
            let digits = String(byte, radix: 8)
            return "\\" + String(repeating: "0", count: 3 - digits.count) + digits
        }
    }
}
