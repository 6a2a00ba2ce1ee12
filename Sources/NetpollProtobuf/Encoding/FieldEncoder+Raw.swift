internal import CProtobufC

/// What libprotobuf-c cannot encode from a slot: unknown fields and groups.
///
/// It travels as libprotobuf-c's own unknown fields, which are a tag and bytes to copy. They are
/// gathered in a list in the arena, last one first.
struct RawFields {
    struct Node {
        var field: ProtobufCMessageUnknownField
        var previous: UnsafeMutablePointer<Node>?
    }
    fileprivate(set) var count = 0
    fileprivate var last: UnsafeMutablePointer<Node>?
}

extension FieldEncoder {
    /// Adds a field by its tag and what follows the tag on the wire.
    private mutating func addRawField(_ tag: WireTag, _ rest: UnsafeMutableRawBufferPointer)
        throws(ProtobufError)
    {
        let node = try allocate(MemoryLayout<RawFields.Node>.size)
            .bindMemory(to: RawFields.Node.self, capacity: 1)
        let field = ProtobufCMessageUnknownField(
            tag: tag.number,
            wire_type: ProtobufCWireType(rawValue: UInt32(tag.wireType.rawValue)),
            len: rest.count,
            data: rest.baseAddress?.assumingMemoryBound(to: UInt8.self)
        )
        node.initialize(to: RawFields.Node(field: field, previous: raw.last))
        raw.last = node
        raw.count += 1
    }

    /// Adds unknown fields: the first tag, and all the rest as its bytes, gives back everything as
    /// it was.
    mutating func storeUnknownFields(_ unknown: UnknownFields) throws(ProtobufError) {
        try unknown.bytes.withRawBytes { (all) throws(ProtobufError) in
            var reader = WireReader(all)
            let tag = try reader.tag(in: schema.name)
            let rest = UnsafeRawBufferPointer(rebasing: all[reader.offset...])
            let copy = try allocate(rest.count)
            if let base = rest.baseAddress { copy.copyMemory(from: base, byteCount: rest.count) }
            try addRawField(tag, UnsafeMutableRawBufferPointer(start: copy, count: rest.count))
        }
    }

    /// Gives the list to libprotobuf-c.
    func storeRawFields() throws(ProtobufError) {
        let fields = try allocate(raw.count * MemoryLayout<ProtobufCMessageUnknownField>.stride)
            .bindMemory(to: ProtobufCMessageUnknownField.self, capacity: raw.count)
        var node = raw.last
        for position in stride(from: raw.count - 1, through: 0, by: -1) {
            guard let current = node else { break }
            (fields + position).initialize(to: current.pointee.field)
            node = current.pointee.previous
        }
        let message = image.assumingMemoryBound(to: ProtobufCMessage.self)
        message.pointee.n_unknown_fields = UInt32(raw.count)
        message.pointee.unknown_fields = fields
    }
}

// MARK: - Groups

extension FieldEncoder {
    /// Stores a group if there is one (proto2).
    public mutating func group<M: Message>(_ index: Int, _ value: M?) throws(ProtobufError) {
        guard let value else { return }
        let image = try makeImage(value)
        let message = UnsafePointer(image.assumingMemoryBound(to: ProtobufCMessage.self))
        let byteCount = protobuf_c_message_get_packed_size(message)
        let number = schema.fields[index].number
        let longestTag = 5
        guard byteCount <= Int(Int32.max) else { throw Self.tooLarge(schema.name, byteCount) }
        let memory = try allocate(byteCount + longestTag)
        protobuf_c_message_pack(message, memory.assumingMemoryBound(to: UInt8.self))
        var end = memory + byteCount
        var endTag = UInt64(number) << 3 | UInt64(WireType.endGroup.rawValue)
        while endTag >= 0x80 {
            end.storeBytes(of: UInt8(truncatingIfNeeded: endTag) | 0x80, as: UInt8.self)
            end += 1
            endTag >>= 7
        }
        end.storeBytes(of: UInt8(truncatingIfNeeded: endTag), as: UInt8.self)
        let rest = UnsafeMutableRawBufferPointer(start: memory, count: end + 1 - memory)
        try addRawField(WireTag(number: number, wireType: .startGroup), rest)
    }

    /// Stores a group that must be there (proto2).
    public mutating func requiredGroup<M: Message>(_ index: Int, _ value: M?)
        throws(ProtobufError)
    {
        if let value { try group(index, value) } else { try missing(index) }
    }

    /// Stores a list of groups (proto2).
    public mutating func groups<M: Message>(_ index: Int, _ values: [M]) throws(ProtobufError) {
        for value in values { try group(index, value) }
    }

    static func tooLarge(_ name: String, _ byteCount: Int) -> ProtobufError {
        ProtobufError(.tooLarge, "\(name): \(byteCount) bytes exceed 2 GiB")
    }
}
