/// Turns JSON into the wire form of a message, by the message's schema.
struct JSONParser {
    var reader: JSONReader
    var wire = WireBuilder()
    let options: JSONDecodingOptions
    /// Whether required fields (proto2) may be missing from messages in a `google.protobuf.Any`.
    let isPartial: Bool
    /// The extensions that may occur.
    let extensions: (any ExtensionMap)?

    init(
        _ reader: JSONReader,
        _ options: JSONDecodingOptions,
        isPartial: Bool,
        _ extensions: (any ExtensionMap)?
    ) {
        self.reader = reader
        self.options = options
        self.isPartial = isPartial
        self.extensions = extensions
    }

    /// Reads a message and writes its fields.
    ///
    /// - Parameters:
    ///   - schema: The message's type.
    ///   - depth: How many levels of messages may follow, this one included.
    /// - Throws: ``ProtobufError``.
    mutating func message(_ schema: MessageSchema, depth: Int) throws(ProtobufError) {
        guard depth > 0 else { throw reader.tooDeep() }
        if let form = schema.fieldNames.form {
            try wellKnown(form, schema, depth: depth)
        } else {
            try fields(schema, depth: depth)
        }
    }

    /// Reads an object with a message's fields, and with a type if it stands in a
    /// `google.protobuf.Any`.
    mutating func fields(_ schema: MessageSchema, depth: Int, allowsType: Bool = false)
        throws(ProtobufError)
    {
        try expect(.object, schema.name)
        try reader.beginObject()
        let names = schema.fieldNames
        var seen = SeenFields()
        var isFirst = true
        while let key = try reader.nextKey(&isFirst) {
            let name = key.string
            if allowsType, name == Self.typeKey {
                try reader.skipValue(depth: 0)
                continue
            }
            var element = ElementPlace.none
            do throws(ProtobufError) {
                guard let field = field(name, schema, names) else {
                    try unknownField(schema, depth: depth)
                    continue
                }
                guard seen.insert(field.number) else {
                    throw reader.error(.duplicateField, "the field has two values")
                }
                try self.field(field, &seen, &element, depth: depth)
            } catch {
                throw error.inside(name.shortened + element.text)
            }
        }
    }

    /// The field of a name in JSON, which is that of an extension if it stands in brackets.
    private func field(_ name: String, _ schema: MessageSchema, _ names: FieldNames)
        -> FieldSchema?
    {
        if let index = names.index(name) { return schema.fields[index] }
        guard name.hasPrefix("["), name.hasSuffix("]"), let type = schema.extensibleType,
            let number = extensions?.fieldNumberForProto(
                messageType: type,
                protoFieldName: String(name.dropFirst().dropLast())
            )
        else { return nil }
        return extensions?[type, number]?.schema.fields.first
    }

    private mutating func field(
        _ field: FieldSchema,
        _ seen: inout SeenFields,
        _ element: inout ElementPlace,
        depth: Int
    ) throws(ProtobufError) {
        if try reader.peek() == .null, field.cardinality != .singular || !field.kind.takesNull {
            return try reader.null()
        }
        if let oneof = field.oneof, !seen.insert(oneof: oneof) {
            throw reader.error(.duplicateField, "another member of the same oneof has a value")
        }
        switch field.kind {
        case .map(let key, let value):
            try map(field.number, key, value, &element, depth: depth)
        case _ where field.cardinality != .singular:
            try list(field, &element, depth: depth)
        default:
            _ = try value(field.number, field.kind, depth: depth)
        }
    }

    private mutating func unknownField(_ schema: MessageSchema, depth: Int) throws(ProtobufError) {
        guard options.ignoreUnknownFields else {
            throw reader.error(.unknownField, "\(schema.name) has no such field")
        }
        try reader.skipValue(depth: depth - 1)
    }

    // MARK: Lists and maps

    private mutating func list(_ field: FieldSchema, _ element: inout ElementPlace, depth: Int)
        throws(ProtobufError)
    {
        try expect(.array, "a list")
        try reader.beginArray()
        let start = wire.mark
        var run: WireBuilder.Mark?
        if field.kind.isNumber {
            wire.tag(field.number, .lengthDelimited)
            run = wire.beginDelimited()
        }
        var isFirst = true
        var position = 0
        while try reader.hasNextElement(&isFirst) {
            element = .index(position)
            if run == nil {
                _ = try value(field.number, field.kind, depth: depth)
            } else {
                _ = try scalar(field.kind)
            }
            position += 1
        }
        guard let run else { return }
        if wire.isEmpty(since: run) { wire.rewind(to: start) } else { wire.endDelimited(run) }
    }

    /// Reads an object with a map's entries.
    mutating func map(
        _ number: UInt32,
        _ keyKind: FieldSchema.Kind,
        _ valueKind: FieldSchema.Kind,
        _ element: inout ElementPlace,
        depth: Int
    ) throws(ProtobufError) {
        try expect(.object, "a map")
        try reader.beginObject()
        var seen: Set<[UInt8]> = []
        var isFirst = true
        while let key = try reader.nextKey(&isFirst) {
            element = .key(key)
            guard depth > 1 else { throw reader.tooDeep() }
            let start = wire.mark
            wire.tag(number, .lengthDelimited)
            let entry = wire.beginDelimited()
            try mapKey(key, keyKind)
            guard seen.insert(Array(wire.content(since: entry))).inserted else {
                throw reader.error(.duplicateField, "the key has two values")
            }
            if try value(2, valueKind, depth: depth - 1) {
                wire.endDelimited(entry)
            } else {
                wire.rewind(to: start)
            }
        }
    }

    private mutating func mapKey(_ key: JSONText, _ kind: FieldSchema.Kind) throws(ProtobufError) {
        wire.tag(1, kind.wireType)
        switch kind {
        case .string: wire.delimited(key.utf8)
        case .bool:
            switch key.string {
            case "true": wire.varint(1)
            case "false": wire.varint(0)
            default: throw reader.error(.invalidValue, "the key is not true or false")
            }
        default:
            let isWritten = key.withUTF8 { wire.number($0, kind) }
            guard isWritten else {
                throw reader.error(.invalidValue, "the key is not a number of type \(kind.name)")
            }
        }
    }
}

extension JSONParser {
    static let typeKey = "@type"

    /// Demands a kind of value.
    mutating func expect(_ kind: JSONReader.Kind, _ what: String) throws(ProtobufError) {
        let found = try reader.peek()
        guard found == kind else {
            throw reader.error(.invalidValue, "\(what) is written as \(kind), not as \(found)")
        }
    }
}

/// Which element of a list or map is being read, for errors.
enum ElementPlace {
    case none
    case index(Int)
    case key(JSONText)

    /// What follows the field's name in a path.
    var text: String {
        switch self {
        case .none: ""
        case .index(let index): "[\(index)]"
        case .key(let key): "[\"\(key.string.shortened)\"]"
        }
    }
}

/// The fields and oneofs of one object that had a value.
private struct SeenFields {
    /// The numbers below 64, which is all of them for nearly every message.
    private var lowNumbers: UInt64 = 0
    private var highNumbers: Set<UInt32> = []
    private var oneofs: Set<Int> = []

    mutating func insert(_ number: UInt32) -> Bool {
        guard number < 64 else { return highNumbers.insert(number).inserted }
        let bit: UInt64 = 1 << UInt64(number)
        defer { lowNumbers |= bit }
        return lowNumbers & bit == 0
    }

    mutating func insert(oneof: Int) -> Bool { oneofs.insert(oneof).inserted }
}
