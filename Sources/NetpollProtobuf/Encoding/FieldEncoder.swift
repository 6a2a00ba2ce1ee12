internal import CProtobufC

/// Stores the fields of one message in its C image.
///
/// For generated code.
public struct FieldEncoder {
    @usableFromInline let slots: UnsafeMutableRawPointer
    private let arena: UnsafeMutablePointer<Arena.State>
    /// Whether required fields may be missing.
    @usableFromInline let isPartial: Bool
    let schema: MessageSchema
    /// Maps are written in the order of their keys.
    private let isDeterministic: Bool
    var raw = RawFields()

    static func makeImage<M: Message>(
        _ message: M,
        _ arena: UnsafeMutablePointer<Arena.State>,
        partial: Bool,
        deterministic: Bool
    ) throws(ProtobufError) -> UnsafeMutableRawPointer {
        let schema = M.messageSchema
        var encoder = try FieldEncoder(
            schema,
            schema.table,
            arena,
            isPartial: partial,
            isDeterministic: deterministic
        )
        try message.encodeFields(into: &encoder)
        if !message.unknownFields.isEmpty {
            try encoder.storeUnknownFields(message.unknownFields)
        }
        if encoder.raw.count > 0 { try encoder.storeRawFields() }
        return encoder.image
    }

    /// Creates an empty image.
    private init(
        _ schema: MessageSchema,
        _ table: MessageTable,
        _ arena: UnsafeMutablePointer<Arena.State>,
        isPartial: Bool,
        isDeterministic: Bool
    ) throws(ProtobufError) {
        let image = try Self.allocate(arena, table.imageByteCount)
        image.initializeMemory(as: UInt8.self, repeating: 0, count: table.imageByteCount)
        image.assumingMemoryBound(to: ProtobufCMessage.self).pointee.descriptor = UnsafePointer(
            table.descriptor
        )
        slots = image + ImageLayout.headerByteCount
        self.arena = arena
        self.isPartial = isPartial
        self.schema = schema
        self.isDeterministic = isDeterministic
    }

    var image: UnsafeMutableRawPointer { slots - ImageLayout.headerByteCount }

    func makeImage<M: Message>(_ message: M) throws(ProtobufError)
        -> UnsafeMutableRawPointer
    {
        try Self.makeImage(message, arena, partial: isPartial, deterministic: isDeterministic)
    }

    private static func allocate(
        _ arena: UnsafeMutablePointer<Arena.State>,
        _ byteCount: Int
    ) throws(ProtobufError) -> UnsafeMutableRawPointer {
        guard let memory = Arena.allocate(arena, byteCount) else {
            throw ProtobufError(.tooLarge, "a message needs more memory than its limit")
        }
        return memory
    }

    @usableFromInline func allocate(_ byteCount: Int) throws(ProtobufError)
        -> UnsafeMutableRawPointer
    {
        try Self.allocate(arena, byteCount)
    }

    @usableFromInline func slot(_ index: Int) -> UnsafeMutableRawPointer { slots + index * 24 }

    /// Stores a length and a pointer to a copy of the bytes.
    func storeBytes(_ bytes: UnsafeRawBufferPointer, at place: UnsafeMutableRawPointer)
        throws(ProtobufError)
    {
        place.storeBytes(of: bytes.count, as: Int.self)
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        let copy = try allocate(bytes.count)
        copy.copyMemory(from: base, byteCount: bytes.count)
        place.storeBytes(of: copy, toByteOffset: 8, as: UnsafeMutableRawPointer.self)
    }
}

// MARK: - Singular fields

extension FieldEncoder {
    /// Stores a value, default or not.
    @inlinable public mutating func store<V: FieldValue>(_ index: Int, _ value: V)
        throws(ProtobufError)
    {
        let place = slot(index)
        place.storeBytes(of: 1, as: Int32.self)
        try value.store(at: place + 8, &self)
    }

    /// Stores a value unless it is the default (proto3 without presence).
    @inlinable public mutating func implicit<V: FieldValue>(_ index: Int, _ value: V)
        throws(ProtobufError)
    {
        if !value.isFieldDefault { try store(index, value) }
    }

    /// Stores a value if there is one.
    @inlinable public mutating func optional<V: FieldValue>(_ index: Int, _ value: V?)
        throws(ProtobufError)
    {
        if let value { try store(index, value) }
    }

    /// Stores a value that must be there (proto2).
    @inlinable public mutating func required<V: FieldValue>(_ index: Int, _ value: V?)
        throws(ProtobufError)
    {
        if let value { try store(index, value) } else { try missing(index) }
    }

    /// Stores a message if there is one.
    public mutating func message<M: Message>(_ index: Int, _ value: M?) throws(ProtobufError) {
        guard let value else { return }
        let image = try makeImage(value)
        slot(index).storeBytes(of: image, toByteOffset: 8, as: UnsafeMutableRawPointer.self)
    }

    /// Stores a message that must be there (proto2).
    public mutating func requiredMessage<M: Message>(_ index: Int, _ value: M?)
        throws(ProtobufError)
    {
        if let value { try message(index, value) } else { try missing(index) }
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

extension FieldEncoder {
    /// Stores a list of values.
    @inlinable public mutating func repeated<V: FieldValue>(_ index: Int, _ values: [V])
        throws(ProtobufError)
    {
        guard let elements = try makeElements(index, values.count, V.imageByteCount) else { return }
        var place = elements
        for value in values {
            try value.store(at: place, &self)
            place += V.imageByteCount
        }
    }

    /// Stores a list of numbers.
    @inlinable public mutating func numbers<V: PlainFieldValue>(
        _ index: Int,
        _ values: [V]
    ) throws(ProtobufError) {
        guard let elements = try makeElements(index, values.count, MemoryLayout<V>.size) else {
            return
        }
        values.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress {
                elements.copyMemory(from: base, byteCount: bytes.count)
            }
        }
    }

    /// Stores a list of messages.
    public mutating func messages<M: Message>(_ index: Int, _ values: [M]) throws(ProtobufError) {
        guard let elements = try makeElements(index, values.count, 8) else { return }
        for (position, value) in values.enumerated() {
            let image = try makeImage(value)
            elements.storeBytes(
                of: image,
                toByteOffset: position * 8,
                as: UnsafeMutableRawPointer.self
            )
        }
    }

    /// Stores a map of plain values.
    public mutating func map<K: MapKey, V: FieldValue>(_ index: Int, _ values: [K: V])
        throws(ProtobufError)
    {
        try entries(index, values) { (encoder, value) throws(ProtobufError) in
            try encoder.store(1, value)
        }
    }

    /// Stores a map of messages.
    public mutating func messageMap<K: MapKey, M: Message>(
        _ index: Int,
        _ values: [K: M]
    ) throws(ProtobufError) {
        try entries(index, values) { (encoder, value) throws(ProtobufError) in
            try encoder.message(1, value)
        }
    }

    /// A map is a list of messages with the key as field 1 and the value as field 2.
    private func entries<K: MapKey, V>(
        _ index: Int,
        _ values: [K: V],
        _ storeValue: (inout FieldEncoder, V) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        guard let elements = try makeElements(index, values.count, 8),
            let table = schema.table.entries[index].message?.takeUnretainedValue()
        else { return }
        var place = elements
        func store(_ key: K, _ value: V) throws(ProtobufError) {
            var encoder = try FieldEncoder(
                schema,
                table,
                arena,
                isPartial: isPartial,
                isDeterministic: isDeterministic
            )
            try encoder.store(0, key)
            try storeValue(&encoder, value)
            place.storeBytes(of: encoder.image, as: UnsafeMutableRawPointer.self)
            place += 8
        }
        if isDeterministic {
            for key in values.keys.sorted(by: K.precedes) {
                if let value = values[key] { try store(key, value) }
            }
        } else {
            for (key, value) in values { try store(key, value) }
        }
    }

    /// Memory for a list's elements, noted in its slot; `nil` for an empty list.
    @usableFromInline func makeElements(
        _ index: Int,
        _ count: Int,
        _ elementByteCount: Int
    ) throws(ProtobufError) -> UnsafeMutableRawPointer? {
        guard count > 0 else { return nil }
        let elements = try allocate(count * elementByteCount)
        if elementByteCount == 16 {
            elements.initializeMemory(as: UInt8.self, repeating: 0, count: count * 16)
        }
        slot(index).storeBytes(of: count, as: Int.self)
        slot(index).storeBytes(of: elements, toByteOffset: 8, as: UnsafeMutableRawPointer.self)
        return elements
    }
}
