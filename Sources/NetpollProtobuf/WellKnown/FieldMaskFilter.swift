/// Takes fields out of the wire form of a message, by the paths of a field mask.
struct FieldMaskFilter {
    /// What is taken out.
    enum Mode {
        /// All fields that the paths do not lead to; unknown ones stay.
        case others
        /// All fields that the paths do not lead to, and the unknown ones.
        case othersAndUnknown
        /// Single values at the ends of the paths.
        case ends
    }

    private let mode: Mode
    private var output = WireBuilder()

    /// The names of a path that are still to be followed.
    private typealias Path = ArraySlice<Substring>

    /// The bytes without what is taken out.
    ///
    /// - Parameters:
    ///   - mode: What is taken out.
    ///   - bytes: The message's wire form.
    ///   - schema: Its type.
    ///   - mask: Paths that are valid for the type.
    ///   - depth: How many levels of messages there may be.
    /// - Returns: The wire form of what is left.
    /// - Throws: ``ProtobufError``.
    static func apply(
        _ mode: Mode,
        to bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        _ mask: Google_Protobuf_FieldMask,
        depth: Int
    ) throws(ProtobufError) -> [UInt8] {
        var filter = FieldMaskFilter(mode: mode)
        let paths = mask.paths.map { $0.split(separator: ".")[...] }
        try filter.message(bytes, schema, paths, depth: depth)
        return filter.output.bytes
    }

    private init(mode: Mode) { self.mode = mode }

    private mutating func message(
        _ bytes: UnsafeRawBufferPointer,
        _ schema: MessageSchema,
        _ paths: [Path],
        depth: Int
    ) throws(ProtobufError) {
        guard depth > 0 else { throw .tooDeep }
        let byName = Dictionary(grouping: paths) { $0.first.map(String.init) ?? "" }
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            let start = reader.offset
            let tag = try reader.tag()
            let content = try reader.content(tag, depth: depth)
            let whole = reader.bytes(since: start)
            guard let index = schema.table.pointee.entryIndex(tag.number) else {
                if mode != .othersAndUnknown { output.append(whole) }
                continue
            }
            let field = schema.fields[index]
            let own = byName[field.name] ?? []
            if own.isEmpty || own.contains(where: { $0.count == 1 }) {
                if keeps(field, isNamed: !own.isEmpty) { output.append(whole) }
            } else {
                try inner(field, content, own.map { $0.dropFirst() }, depth: depth - 1)
            }
        }
    }

    private func keeps(_ field: FieldSchema, isNamed: Bool) -> Bool {
        guard mode == .ends else { return isNamed }
        switch field.kind {
        case .message, .group: return true
        default: return !isNamed || field.cardinality != .singular
        }
    }

    /// Goes into a message that paths lead through.
    private mutating func inner(
        _ field: FieldSchema,
        _ content: UnsafeRawBufferPointer,
        _ paths: [Path],
        depth: Int
    ) throws(ProtobufError) {
        switch field.kind {
        case .message(let resolve):
            output.tag(field.number, .lengthDelimited)
            let mark = output.beginDelimited()
            try message(content, resolve(), paths, depth: depth)
            output.endDelimited(mark)
        case .group(let resolve):
            output.tag(field.number, .startGroup)
            try message(content, resolve(), paths, depth: depth)
            output.tag(field.number, .endGroup)
        // Valid paths lead through messages only.
        default: break
        }
    }
}

extension WireReader {
    /// Skips a value, and returns what is inside of it if it is a message.
    fileprivate mutating func content(_ tag: WireTag, depth: Int)
        throws(ProtobufError) -> UnsafeRawBufferPointer
    {
        switch tag.wireType {
        case .lengthDelimited: return try delimited()
        case .startGroup: return try groupBody(tag.number, depth: depth)
        default:
            try skipValue(tag, depth: depth)
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }
}
