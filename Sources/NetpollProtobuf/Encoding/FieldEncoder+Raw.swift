internal import CProtobufC

/// What libprotobuf-c cannot encode from a slot: unknown fields and groups.
///
/// It travels as libprotobuf-c's own unknown fields, which are a tag and bytes to copy. They are
/// gathered in a list in the arena, last one first.
@usableFromInline
struct RawFields {
    @usableFromInline
    struct Node {
        var field: ProtobufCMessageUnknownField
        var previous: UnsafeMutablePointer<Node>?
    }
    @usableFromInline var count = 0
    @usableFromInline var last: UnsafeMutablePointer<Node>?

    @inlinable init() {}
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
        context.pointee.byteCountBound += EncodingContext.valueByteCount + rest.count
        context.pointee.contentByteCount += rest.count
    }

    /// Adds fields in wire form: the first tag, and all the rest as its bytes, gives back
    /// everything as it was.
    @usableFromInline mutating func storeRawFields(_ bytes: [UInt8]) throws(ProtobufError) {
        try bytes.withRawBytes { (all) throws(ProtobufError) in
            var reader = WireReader(all)
            let tag = try reader.tag()
            let rest = UnsafeRawBufferPointer(rebasing: all[reader.offset...])
            let copy = try allocate(rest.count)
            if let base = rest.baseAddress { copy.copyMemory(from: base, byteCount: rest.count) }
            try addRawField(tag, UnsafeMutableRawBufferPointer(start: copy, count: rest.count))
        }
    }

    /// Gives the list to libprotobuf-c.
    @usableFromInline func attachRawFields() throws(ProtobufError) {
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
    ///
    /// - Throws: ``ProtobufError``: `tooDeep`, `tooLarge`, or what is wrong in the group.
    public mutating func group<M: Message>(_ index: Int, _ value: M?) throws(ProtobufError) {
        if let value { try group(index, value, at: nil) }
    }

    private mutating func group<M: Message>(_ index: Int, _ value: M, at position: Int?)
        throws(ProtobufError)
    {
        do throws(ProtobufError) {
            try enter()
            let image = try value.makeImage(M.messageSchema, context)
            leave()
            let byteCount = try MessageImage.packedByteCount(image)
            var endTag: [UInt8] = []
            WireWriter.appendTag(schema.fields[index].number, .endGroup, to: &endTag)
            let memory = try allocate(byteCount + endTag.count)
            MessageImage.pack(image, to: memory)
            (memory + byteCount).copyMemory(from: endTag, byteCount: endTag.count)
            try addRawField(
                WireTag(number: schema.fields[index].number, wireType: .startGroup),
                UnsafeMutableRawBufferPointer(start: memory, count: byteCount + endTag.count)
            )
        } catch {
            throw located(error, index, at: position)
        }
    }

    /// Stores a group that must be there (proto2).
    ///
    /// - Throws: ``ProtobufError`` with code `missingRequiredField`, or as ``group(_:_:)``.
    public mutating func requiredGroup<M: Message>(_ index: Int, _ value: M?)
        throws(ProtobufError)
    {
        if let value { try group(index, value) } else { try missing(index) }
    }

    /// Stores a list of groups (proto2).
    ///
    /// - Throws: As ``group(_:_:)``.
    public mutating func groups<M: Message>(_ index: Int, _ values: [M]) throws(ProtobufError) {
        for (position, value) in values.enumerated() { try group(index, value, at: position) }
    }
}
