internal import CProtobufC

/// What one encoding shares over all the messages in it.
struct EncodingContext {
    let arena: UnsafeMutablePointer<Arena.State>
    let isPartial: Bool
    /// Maps are written in the order of their keys.
    let isDeterministic: Bool
    /// How many levels of messages may be in the current one.
    var depth: Int
    /// The extensions whose values were met, if somebody asks.
    var metExtensions: SimpleExtensionMap?
}

/// Stores the fields of one message in its C image.
///
/// For generated code.
public struct FieldEncoder {
    @usableFromInline let slots: UnsafeMutableRawPointer
    let schema: MessageSchema
    let context: UnsafeMutablePointer<EncodingContext>
    var raw = RawFields()

    @inline(__always)
    static func makeImage<M: Message>(
        _ message: M,
        _ context: UnsafeMutablePointer<EncodingContext>
    ) throws(ProtobufError) -> UnsafeMutableRawPointer {
        try makeImage(M.messageSchema, context) { (encoder) throws(ProtobufError) in
            try message.encodeFields(into: &encoder)
            if !message.unknownFields.isEmpty {
                try encoder.storeRawFields(message.unknownFields.bytes)
            }
        }
    }

    @inline(__always)
    static func makeImage(
        _ schema: MessageSchema,
        _ context: UnsafeMutablePointer<EncodingContext>,
        _ store: (inout FieldEncoder) throws(ProtobufError) -> Void
    ) throws(ProtobufError) -> UnsafeMutableRawPointer {
        var encoder = try FieldEncoder(schema, schema.table, context)
        try store(&encoder)
        if encoder.raw.count > 0 { try encoder.attachRawFields() }
        return encoder.image
    }

    /// Creates an empty image.
    private init(
        _ schema: MessageSchema,
        _ table: MessageTable,
        _ context: UnsafeMutablePointer<EncodingContext>
    ) throws(ProtobufError) {
        let image = try Self.allocate(context, table.imageByteCount)
        image.initializeMemory(as: UInt8.self, repeating: 0, count: table.imageByteCount)
        image.assumingMemoryBound(to: ProtobufCMessage.self).pointee.descriptor = table.encoding
        slots = image + ImageLayout.headerByteCount
        self.schema = schema
        self.context = context
    }

    var image: UnsafeMutableRawPointer { slots - ImageLayout.headerByteCount }

    /// The image of a message in this one.
    func makeImage<M: Message>(_ message: M) throws(ProtobufError) -> UnsafeMutableRawPointer {
        guard context.pointee.depth > 0 else { throw .tooDeep }
        context.pointee.depth -= 1
        let image = try Self.makeImage(message, context)
        context.pointee.depth += 1
        return image
    }

    private static func allocate(
        _ context: UnsafeMutablePointer<EncodingContext>,
        _ byteCount: Int
    ) throws(ProtobufError) -> UnsafeMutableRawPointer {
        guard let memory = Arena.allocate(context.pointee.arena, byteCount) else {
            throw .memoryLimit
        }
        return memory
    }

    /// Says at which field something failed.
    func located(_ error: ProtobufError, _ index: Int, at position: Int? = nil) -> ProtobufError {
        error.inside(schema.fields[index].name, at: position)
    }

    @usableFromInline func allocate(_ byteCount: Int) throws(ProtobufError)
        -> UnsafeMutableRawPointer
    {
        try Self.allocate(context, byteCount)
    }

    @usableFromInline func slot(_ index: Int) -> UnsafeMutableRawPointer { slots + index &* 24 }

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
        do throws(ProtobufError) {
            let image = try makeImage(value)
            slot(index).storeBytes(of: image, toByteOffset: 8, as: UnsafeMutableRawPointer.self)
        } catch {
            throw located(error, index)
        }
    }

    /// Stores a message that must be there (proto2).
    public mutating func requiredMessage<M: Message>(_ index: Int, _ value: M?)
        throws(ProtobufError)
    {
        if let value { try message(index, value) } else { try missing(index) }
    }

    @usableFromInline func missing(_ index: Int) throws(ProtobufError) {
        if !context.pointee.isPartial { throw located(.missing, index) }
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
            do throws(ProtobufError) {
                let image = try makeImage(value)
                elements.storeBytes(
                    of: image,
                    toByteOffset: position &* 8,
                    as: UnsafeMutableRawPointer.self
                )
            } catch {
                throw located(error, index, at: position)
            }
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
            let type = schema.table.mapEntries[index]
        else { return }
        let table = type.table
        var place = elements
        func store(_ key: K, _ value: V) throws(ProtobufError) {
            var encoder = try FieldEncoder(type, table, context)
            try encoder.store(0, key)
            try storeValue(&encoder, value)
            place.storeBytes(of: encoder.image, as: UnsafeMutableRawPointer.self)
            place += 8
        }
        do throws(ProtobufError) {
            if context.pointee.isDeterministic {
                for key in values.keys.sorted(by: K.precedes) {
                    if let value = values[key] { try store(key, value) }
                }
            } else {
                for (key, value) in values { try store(key, value) }
            }
        } catch {
            throw located(error, index)
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
