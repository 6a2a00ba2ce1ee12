internal import CProtobufC

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
        let image = try message.makeImage(M.messageSchema, context)
        place.storeBytes(of: image, as: UnsafeMutableRawPointer.self)
    }

    @inline(__always)
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
    @inline(__always)
    func storeReference(_ bytes: UnsafeRawBufferPointer, at place: UnsafeMutableRawPointer) {
        context.pointee.byteCountBound += bytes.count
        context.pointee.contentByteCount += bytes.count
        place.storeBytes(of: bytes.count, as: Int.self)
        place.storeBytes(of: bytes.baseAddress, toByteOffset: 8, as: UnsafeRawPointer?.self)
    }
}

extension Message {
    /// The image of a message whose level was counted.
    @inlinable
    func makeImage(
        _ schema: MessageSchema,
        _ context: UnsafeMutablePointer<EncodingContext>
    ) throws(ProtobufError) -> UnsafeMutableRawPointer {
        var encoder = try FieldEncoder(schema, context)
        try encodeFields(into: &encoder)
        return try encoder.finish(unknownFields)
    }
}

// MARK: - Singular fields

extension FieldEncoder {
    /// Stores a value, default or not.
    ///
    /// - Throws: ``ProtobufError`` with code `tooLarge` when there is no memory.
    @inlinable public mutating func store<V: FieldValue>(_ index: Int, _ value: V)
        throws(ProtobufError)
    {
        let place = slot(index)
        place.storeBytes(of: 1, as: Int32.self)
        try value.store(at: place + 8, &self)
    }

    /// Stores a value unless it is the default (proto3 without presence).
    ///
    /// - Throws: As ``store(_:_:)``.
    @inlinable public mutating func implicit<V: FieldValue>(_ index: Int, _ value: V)
        throws(ProtobufError)
    {
        if !value.isFieldDefault { try store(index, value) }
    }

    /// Stores a value if there is one.
    ///
    /// - Throws: As ``store(_:_:)``.
    @inlinable public mutating func optional<V: FieldValue>(_ index: Int, _ value: V?)
        throws(ProtobufError)
    {
        if let value { try store(index, value) }
    }

    /// Stores a value that must be there (proto2).
    ///
    /// - Throws: ``ProtobufError`` with code `missingRequiredField`, or as ``store(_:_:)``.
    @inlinable public mutating func required<V: FieldValue>(_ index: Int, _ value: V?)
        throws(ProtobufError)
    {
        if let value { try store(index, value) } else { try missing(index) }
    }

    /// Stores a message if there is one.
    ///
    /// - Throws: ``ProtobufError``: `tooDeep`, `tooLarge`, or what is wrong in the message.
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
    ///
    /// - Throws: ``ProtobufError``: `tooDeep`, `tooLarge`, or what is wrong in the message.
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
    ///
    /// - Throws: ``ProtobufError``: `missingRequiredField`, `tooDeep`, `tooLarge`, or what is wrong
    ///   in the message.
    @inlinable public mutating func requiredMessage<M: Message>(_ index: Int, _ box: Box<M>)
        throws(ProtobufError)
    {
        if box.storage == nil { try missing(index) } else { try message(index, box) }
    }

    /// Stores a message that must be there (proto2).
    ///
    /// - Throws: ``ProtobufError``: `missingRequiredField`, `tooDeep`, `tooLarge`, or what is wrong
    ///   in the message.
    @inlinable public mutating func requiredMessage<M: Message>(_ index: Int, _ value: M?)
        throws(ProtobufError)
    {
        if let value { try message(index, value) } else { try missing(index) }
    }

    @usableFromInline func missing(_ index: Int) throws(ProtobufError) {
        if !context.pointee.isPartial { throw located(.missing, index) }
    }
}
