internal import CProtobufC

/// What one encoding shares over all the messages in it.
@usableFromInline
struct EncodingContext {
    let arena: UnsafeMutablePointer<Arena.State>
    let isPartial: Bool
    /// Maps are written in the order of their keys.
    @usableFromInline let isDeterministic: Bool
    /// How many levels of messages may be in the current one.
    @usableFromInline var depth: Int
    /// The extensions whose values were met, if somebody asks.
    var metExtensions: SimpleExtensionMap?
    /// At least as many bytes as the encoding of all that was stored so far takes.
    @usableFromInline var byteCountBound = 0

    /// Most bytes of a tag with a number, or with a length: five and ten.
    @usableFromInline static let valueByteCount = 16
}

/// Stores the fields of one message in its C image.
///
/// The image points to the bytes of long strings, byte strings and lists of numbers where they are,
/// in storage that the message owns: it must outlive the image.
///
/// For generated code.
public struct FieldEncoder {
    @usableFromInline let slots: UnsafeMutableRawPointer
    @usableFromInline let schema: MessageSchema
    @usableFromInline let context: UnsafeMutablePointer<EncodingContext>
    @usableFromInline var raw: RawFields

    /// Creates an empty image.
    @inlinable
    init(_ schema: MessageSchema, _ context: UnsafeMutablePointer<EncodingContext>)
        throws(ProtobufError)
    {
        slots = try Self.makeSlots(schema, context)
        self.schema = schema
        self.context = context
        raw = RawFields()
    }

    @usableFromInline
    static func makeSlots(
        _ schema: MessageSchema,
        _ context: UnsafeMutablePointer<EncodingContext>
    ) throws(ProtobufError) -> UnsafeMutableRawPointer {
        let table = schema.table
        context.pointee.byteCountBound += table.pointee.byteCountBound
        let image = try allocate(context, table.pointee.imageByteCount)
        image.initializeMemory(as: UInt8.self, repeating: 0, count: table.pointee.imageByteCount)
        image.assumingMemoryBound(to: ProtobufCMessage.self).pointee.descriptor =
            table.pointee.encoding
        return image + ImageLayout.headerByteCount
    }

    @usableFromInline var image: UnsafeMutableRawPointer { slots - ImageLayout.headerByteCount }

    /// The image, when all fields are stored.
    @inlinable mutating func finish(_ unknown: UnknownFields) throws(ProtobufError)
        -> UnsafeMutableRawPointer
    {
        if !unknown.isEmpty { try storeRawFields(unknown.bytes) }
        if raw.count > 0 { try attachRawFields() }
        return image
    }

    @inlinable func enter() throws(ProtobufError) {
        guard context.pointee.depth > 0 else { throw .tooDeep }
        context.pointee.depth -= 1
    }

    @inlinable func leave() { context.pointee.depth += 1 }

    /// Stores the image of a message in this one as an element of an array.
    @inlinable func store<M: Message>(_ message: M, at place: UnsafeMutableRawPointer)
        throws(ProtobufError)
    {
        let image = try message.makeImage(context)
        place.storeBytes(of: image, as: UnsafeMutableRawPointer.self)
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
    @usableFromInline func located(_ error: ProtobufError, _ index: Int, at position: Int? = nil)
        -> ProtobufError
    {
        error.inside(schema.fields[index].name, at: position)
    }

    @usableFromInline func allocate(_ byteCount: Int) throws(ProtobufError)
        -> UnsafeMutableRawPointer
    {
        try Self.allocate(context, byteCount)
    }

    @inlinable func slot(_ index: Int) -> UnsafeMutableRawPointer { slots + index &* 24 }

    /// Stores a length and a pointer to a copy of the bytes; false if there is no memory for them.
    func storeCopy(_ bytes: UnsafeRawBufferPointer, at place: UnsafeMutableRawPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        guard let copy = Arena.allocate(context.pointee.arena, bytes.count) else { return false }
        copy.copyMemory(from: base, byteCount: bytes.count)
        storeReference(UnsafeRawBufferPointer(start: copy, count: bytes.count), at: place)
        return true
    }

    /// Stores a length and a pointer to the bytes themselves.
    func storeReference(_ bytes: UnsafeRawBufferPointer, at place: UnsafeMutableRawPointer) {
        context.pointee.byteCountBound += bytes.count
        place.storeBytes(of: bytes.count, as: Int.self)
        place.storeBytes(of: bytes.baseAddress, toByteOffset: 8, as: UnsafeRawPointer?.self)
    }
}

extension Message {
    /// The image of a message whose level was counted.
    @inlinable
    func makeImage(_ context: UnsafeMutablePointer<EncodingContext>) throws(ProtobufError)
        -> UnsafeMutableRawPointer
    {
        var encoder = try FieldEncoder(Self.messageSchema, context)
        try encodeFields(into: &encoder)
        return try encoder.finish(unknownFields)
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
    @inlinable public mutating func message<M: Message>(_ index: Int, _ value: M?)
        throws(ProtobufError)
    {
        guard let value else { return }
        do throws(ProtobufError) {
            try enter()
            try store(value, at: slot(index) + 8)
            leave()
        } catch {
            throw located(error, index)
        }
    }

    /// Stores the message in a box, if there is one, without copying it.
    @inlinable public mutating func message<M: Message>(_ index: Int, _ box: Box<M>)
        throws(ProtobufError)
    {
        guard let storage = box.storage else { return }
        do throws(ProtobufError) {
            try enter()
            try store(storage.value, at: slot(index) + 8)
            leave()
        } catch {
            throw located(error, index)
        }
    }

    /// Stores the message in a box, which must have one (proto2).
    @inlinable public mutating func requiredMessage<M: Message>(_ index: Int, _ box: Box<M>)
        throws(ProtobufError)
    {
        if box.storage == nil { try missing(index) } else { try message(index, box) }
    }

    /// Stores a message that must be there (proto2).
    @inlinable public mutating func requiredMessage<M: Message>(_ index: Int, _ value: M?)
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
        guard !values.isEmpty else { return }
        let place = slot(index)
        context.pointee.byteCountBound += values.count * EncodingContext.valueByteCount
        place.storeBytes(of: values.count, as: Int.self)
        values.withUnsafeBytes { bytes in
            place.storeBytes(of: bytes.baseAddress, toByteOffset: 8, as: UnsafeRawPointer?.self)
        }
    }

    /// Stores a list of messages.
    @inlinable public mutating func messages<M: Message>(_ index: Int, _ values: [M])
        throws(ProtobufError)
    {
        guard let elements = try makeElements(index, values.count, 8) else { return }
        var position = 0
        do throws(ProtobufError) {
            try enter()
            while position < values.count {
                try store(values[position], at: elements + position &* 8)
                position &+= 1
            }
            leave()
        } catch {
            throw located(error, index, at: position)
        }
    }

    /// Stores a map of plain values.
    @inlinable public mutating func map<K: MapKey, V: FieldValue>(
        _ index: Int,
        _ values: [K: V]
    ) throws(ProtobufError) {
        try entries(index, values) { (encoder, value) throws(ProtobufError) in
            try encoder.store(1, value)
        }
    }

    /// Stores a map of messages.
    @inlinable public mutating func messageMap<K: MapKey, M: Message>(
        _ index: Int,
        _ values: [K: M]
    ) throws(ProtobufError) {
        try entries(index, values) { (encoder, value) throws(ProtobufError) in
            try encoder.message(1, value)
        }
    }

    /// A map is a list of messages with the key as field 1 and the value as field 2.
    @inlinable func entries<K: MapKey, V>(
        _ index: Int,
        _ values: [K: V],
        _ storeValue: (inout FieldEncoder, V) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        guard var place = try makeElements(index, values.count, 8) else { return }
        func store(_ key: K, _ value: V) throws(ProtobufError) {
            var encoder = try FieldEncoder(mapEntry(index), context)
            try encoder.store(0, key)
            try storeValue(&encoder, value)
            place.storeBytes(
                of: try encoder.finish(UnknownFields()),
                as: UnsafeMutableRawPointer.self
            )
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

    @usableFromInline func mapEntry(_ index: Int) -> MessageSchema {
        // Generated code stores maps in fields that are maps only; the type itself has no map.
        schema.table.pointee.mapEntries[index] ?? schema
    }

    /// Memory for a list's elements, noted in its slot; `nil` for an empty list.
    @usableFromInline func makeElements(
        _ index: Int,
        _ count: Int,
        _ elementByteCount: Int
    ) throws(ProtobufError) -> UnsafeMutableRawPointer? {
        guard count > 0 else { return nil }
        context.pointee.byteCountBound += count * EncodingContext.valueByteCount
        let elements = try allocate(count * elementByteCount)
        if elementByteCount == 16 {
            elements.initializeMemory(as: UInt8.self, repeating: 0, count: count * 16)
        }
        slot(index).storeBytes(of: count, as: Int.self)
        slot(index).storeBytes(of: elements, toByteOffset: 8, as: UnsafeMutableRawPointer.self)
        return elements
    }
}
