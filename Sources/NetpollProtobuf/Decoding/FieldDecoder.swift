/// Takes the fields of one message from its C image.
///
/// For generated code.
public struct FieldDecoder {
    @usableFromInline let slots: UnsafeRawPointer
    let schema: MessageSchema
    /// Whether required fields may be missing.
    @usableFromInline let isPartial: Bool

    var repairsStrings: Bool { schema.repairsStrings }

    init(_ image: UnsafeRawPointer, _ schema: MessageSchema, isPartial: Bool) {
        slots = image + ImageLayout.headerByteCount
        self.schema = schema
        self.isPartial = isPartial
    }

    @usableFromInline func slot(_ index: Int) -> UnsafeRawPointer { slots + index * 24 }

    static func bytes(at place: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: place.load(fromByteOffset: 8, as: UnsafeRawPointer?.self),
            count: place.load(as: Int.self)
        )
    }

    func unknownFieldBytes(slot index: Int) -> [UInt8] {
        slot(index).load(as: Int32.self) != 0 ? Array(Self.bytes(at: slot(index) + 8)) : []
    }
}

// MARK: - Singular fields

extension FieldDecoder {
    /// A value, or `nil` if the field is not there.
    @inlinable public func optional<V: FieldValue>(_ index: Int) throws(ProtobufError) -> V? {
        guard slot(index).load(as: Int32.self) != 0 else { return nil }
        return try V.load(from: slot(index) + 8, self)
    }

    /// Sets a property if the field is there.
    @inlinable public func implicit<V: FieldValue>(_ index: Int, _ property: inout V)
        throws(ProtobufError)
    {
        if let value: V = try optional(index) { property = value }
    }

    /// A value that must be there (proto2).
    @inlinable public func required<V: FieldValue>(_ index: Int) throws(ProtobufError) -> V? {
        if let value: V = try optional(index) { return value }
        try missing(index)
        return nil
    }

    /// A message, or `nil` if the field is not there.
    public func message<M: Message>(_ index: Int) throws(ProtobufError) -> M? {
        guard let image = slot(index).load(fromByteOffset: 8, as: UnsafeRawPointer?.self) else {
            return nil
        }
        return try M(image: image, isPartial: isPartial)
    }

    /// A message that must be there (proto2).
    public func requiredMessage<M: Message>(_ index: Int) throws(ProtobufError) -> M? {
        if let value: M = try message(index) { return value }
        try missing(index)
        return nil
    }

    @usableFromInline func missing(_ index: Int) throws(ProtobufError) {
        guard !isPartial else { return }
        throw ProtobufError(
            .missingRequiredField,
            "\(schema.name).\(schema.fields[index].name) has no value"
        )
    }
}

// MARK: - Repeated fields

extension FieldDecoder {
    /// The number of elements and the first of them.
    @usableFromInline func elements(_ index: Int) -> (count: Int, start: UnsafeRawPointer)? {
        let count = slot(index).load(as: Int.self)
        guard count > 0, let start = slot(index).load(fromByteOffset: 8, as: UnsafeRawPointer?.self)
        else {
            return nil
        }
        return (count, start)
    }

    /// A list of values.
    @inlinable public func repeated<V: FieldValue>(_ index: Int) throws(ProtobufError) -> [V] {
        guard let (count, start) = elements(index) else { return [] }
        var values: [V] = []
        values.reserveCapacity(count)
        for position in 0..<count {
            if let value = try V.load(from: start + position * V.imageByteCount, self) {
                values.append(value)
            }
        }
        return values
    }

    /// A list of numbers.
    @inlinable public func numbers<V: PlainFieldValue>(_ index: Int) throws(ProtobufError) -> [V] {
        guard let (count, start) = elements(index) else { return [] }
        return Array(
            UnsafeBufferPointer(start: start.assumingMemoryBound(to: V.self), count: count)
        )
    }

    /// A list of messages.
    public func messages<M: Message>(_ index: Int) throws(ProtobufError) -> [M] {
        guard let (count, start) = elements(index) else { return [] }
        var values: [M] = []
        values.reserveCapacity(count)
        for position in 0..<count {
            let image = start.load(fromByteOffset: position * 8, as: UnsafeRawPointer.self)
            values.append(try M(image: image, isPartial: isPartial))
        }
        return values
    }

    /// A map of plain values; the last of a repeated key counts, missing keys and values are defaults.
    public func map<K: MapKey, V: FieldValue>(
        _ index: Int,
        _ defaultKey: K,
        _ defaultValue: V
    ) throws(ProtobufError) -> [K: V] {
        try entries(index, defaultKey) { (entry) throws(ProtobufError) in
            try entry.optional(1) ?? defaultValue
        }
    }

    /// A map of messages.
    public func messageMap<K: MapKey, M: Message>(
        _ index: Int,
        _ defaultKey: K
    ) throws(ProtobufError) -> [K: M] {
        try entries(index, defaultKey) { (entry) throws(ProtobufError) in
            try entry.message(1) ?? M()
        }
    }

    private func entries<K: MapKey, V>(
        _ index: Int,
        _ defaultKey: K,
        _ value: (FieldDecoder) throws(ProtobufError) -> V
    ) throws(ProtobufError) -> [K: V] {
        guard let (count, start) = elements(index) else { return [:] }
        var values: [K: V] = [:]
        values.reserveCapacity(count)
        for position in 0..<count {
            let image = start.load(fromByteOffset: position * 8, as: UnsafeRawPointer.self)
            let entry = FieldDecoder(image, schema, isPartial: isPartial)
            values[try entry.optional(0) ?? defaultKey] = try value(entry)
        }
        return values
    }
}
