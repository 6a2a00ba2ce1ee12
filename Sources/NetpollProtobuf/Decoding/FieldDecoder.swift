/// Takes the fields of one message from its C image.
///
/// For generated code.
public struct FieldDecoder {
    @usableFromInline let slots: UnsafeRawPointer
    @usableFromInline let schema: MessageSchema
    @usableFromInline let context: UnsafeMutablePointer<DecodingContext>

    var repairsStrings: Bool { schema.repairsStrings }

    @inlinable init(
        _ image: DecodedImage,
        _ schema: MessageSchema,
        _ context: UnsafeMutablePointer<DecodingContext>
    ) {
        slots = image.slots
        self.schema = schema
        self.context = context
    }

    @inlinable func slot(_ index: Int) -> UnsafeRawPointer { slots + index &* 24 }

    @inlinable func isPresent(_ index: Int) -> Bool { slot(index).load(as: Int32.self) != 0 }

    @inlinable static func bytes(at place: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: place.load(fromByteOffset: 8, as: UnsafeRawPointer?.self),
            count: place.load(as: Int.self)
        )
    }

    /// Says at which field something failed.
    @usableFromInline func located(_ error: ProtobufError, _ index: Int, at position: Int? = nil)
        -> ProtobufError
    {
        error.inside(schema.fields[index].name, at: position)
    }

    /// Counts memory that the decoded message will take beyond its share of the input.
    @usableFromInline func charge(_ count: Int, _ stride: Int) throws(ProtobufError) {
        let (byteCount, overflows) = count.multipliedReportingOverflow(by: stride)
        guard !overflows, Arena.charge(context.pointee.arena, byteCount) else { throw .memoryLimit }
    }

    @inlinable func enter() throws(ProtobufError) {
        guard context.pointee.depth > 0 else { throw .tooDeep }
        context.pointee.depth -= 1
    }

    @inlinable func mark() -> Arena.Mark { Arena.mark(context.pointee.arena) }

    @inlinable func rewind(to mark: Arena.Mark) {
        Arena.rewind(context.pointee.arena, to: mark)
    }

    @inlinable func leave() { context.pointee.depth += 1 }
}

// MARK: - Singular fields

extension FieldDecoder {
    /// A value, or `nil` if the field is not there.
    ///
    /// - Throws: ``ProtobufError`` with code `invalidUTF8`.
    @inlinable public func optional<V: FieldValue>(_ index: Int) throws(ProtobufError) -> V? {
        guard isPresent(index) else { return nil }
        do throws(ProtobufError) {
            return try V.load(from: slot(index) + 8, self)
        } catch {
            throw located(error, index)
        }
    }

    /// Sets a property if the field is there.
    ///
    /// - Throws: ``ProtobufError`` with code `invalidUTF8`.
    @inlinable public func implicit<V: FieldValue>(_ index: Int, _ property: inout V)
        throws(ProtobufError)
    {
        if let value: V = try optional(index) { property = value }
    }

    /// A value that must be there (proto2).
    ///
    /// - Throws: ``ProtobufError``: `invalidUTF8` or `missingRequiredField`.
    @inlinable public func required<V: FieldValue>(_ index: Int) throws(ProtobufError) -> V? {
        if let value: V = try optional(index) { return value }
        try missing(index)
        return nil
    }

    /// A message, or `nil` if the field is not there.
    ///
    /// - Throws: ``ProtobufError``: `tooDeep`, `tooLarge`, or what is wrong in the message.
    @inlinable public func message<M: Message>(_ index: Int) throws(ProtobufError) -> M? {
        guard isPresent(index) else { return nil }
        do throws(ProtobufError) {
            try charge(1, MemoryLayout<M>.stride)
            try enter()
            var message = M()
            try message.decode(Self.bytes(at: slot(index) + 8), M.messageSchema, context)
            leave()
            return message
        } catch {
            throw located(error, index)
        }
    }

    /// A message that must be there (proto2).
    ///
    /// - Throws: ``ProtobufError``: `missingRequiredField`, or as ``message(_:)``.
    @inlinable public func requiredMessage<M: Message>(_ index: Int) throws(ProtobufError) -> M? {
        if let value: M = try message(index) { return value }
        try missing(index)
        return nil
    }

    @usableFromInline func missing(_ index: Int) throws(ProtobufError) {
        if !context.pointee.isPartial { throw located(.missing, index) }
    }
}

// MARK: - Repeated fields

extension FieldDecoder {
    /// The number of elements and the first of them.
    @inlinable func elements(_ index: Int) -> (count: Int, start: UnsafeRawPointer)? {
        let count = slot(index).load(as: Int.self)
        guard count > 0, let start = slot(index).load(fromByteOffset: 8, as: UnsafeRawPointer?.self)
        else {
            return nil
        }
        return (count, start)
    }

    /// A list of values.
    ///
    /// - Throws: ``ProtobufError`` with code `invalidUTF8`.
    @inlinable public func repeated<V: FieldValue>(_ index: Int) throws(ProtobufError) -> [V] {
        guard let (count, start) = elements(index) else { return [] }
        var values: [V] = []
        values.reserveCapacity(count)
        for position in 0..<count {
            do throws(ProtobufError) {
                if let value = try V.load(from: start + position &* V.imageByteCount, self) {
                    values.append(value)
                }
            } catch {
                throw located(error, index, at: position)
            }
        }
        return values
    }

    /// A list of numbers.
    ///
    /// - Throws: Nothing.
    @inlinable public func numbers<V: PlainFieldValue>(_ index: Int) throws(ProtobufError) -> [V] {
        guard let (count, start) = elements(index) else { return [] }
        return Array(
            UnsafeBufferPointer(start: start.assumingMemoryBound(to: V.self), count: count)
        )
    }

    /// A list of messages.
    ///
    /// - Throws: ``ProtobufError``: `tooDeep`, `tooLarge`, or what is wrong in a message.
    @inlinable public func messages<M: Message>(_ index: Int) throws(ProtobufError) -> [M] {
        guard var elements = ElementCursor(slot: slot(index)) else { return [] }
        let count = elements.count
        do throws(ProtobufError) {
            try charge(count, MemoryLayout<M>.stride)
            try enter()
        } catch {
            throw located(error, index)
        }
        let schema = M.messageSchema
        let mark = mark()
        var failure: ProtobufError?
        let values = [M](unsafeUninitializedCapacity: count) { values, decodedCount in
            var position = 0
            while position < count, failure == nil {
                values.initializeElement(at: position, to: M())
                do throws(ProtobufError) {
                    try values[position].decode(elements.next(), schema, context)
                    rewind(to: mark)
                } catch {
                    failure = located(error, index, at: position)
                }
                position &+= 1
            }
            decodedCount = position
        }
        if let failure { throw failure }
        leave()
        return values
    }

    /// A map of plain values; the last of a repeated key counts, missing keys and values are
    /// defaults.
    ///
    /// - Throws: ``ProtobufError``: `tooDeep`, `tooLarge`, or what is wrong in an entry.
    @inlinable public func map<K: MapKey, V: FieldValue>(
        _ index: Int,
        _ defaultKey: K,
        _ defaultValue: V
    ) throws(ProtobufError) -> [K: V] {
        try entries(index, defaultKey, MemoryLayout<V>.stride) { (entry) throws(ProtobufError) in
            try entry.optional(1) ?? defaultValue
        }
    }

    /// A map of messages.
    ///
    /// - Throws: ``ProtobufError``: `tooDeep`, `tooLarge`, or what is wrong in an entry.
    @inlinable public func messageMap<K: MapKey, M: Message>(
        _ index: Int,
        _ defaultKey: K
    ) throws(ProtobufError) -> [K: M] {
        // A message is counted by itself.
        try entries(index, defaultKey, 0) { (entry) throws(ProtobufError) in
            if let value: M = try entry.message(1) { return value }
            // Where the type has required fields, this is how their absence is seen.
            try charge(1, MemoryLayout<M>.stride)
            var value = M()
            let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
            try value.decode(nothing, M.messageSchema, context)
            return value
        }
    }

    @inlinable func entries<K: MapKey, V>(
        _ index: Int,
        _ defaultKey: K,
        _ valueByteCount: Int,
        _ value: (FieldDecoder) throws(ProtobufError) -> V
    ) throws(ProtobufError) -> [K: V] {
        guard var elements = ElementCursor(slot: slot(index)) else { return [:] }
        do throws(ProtobufError) {
            try charge(elements.count, MemoryLayout<K>.stride + valueByteCount)
            try enter()
            let type = mapEntry(index)
            let mark = mark()
            var values: [K: V] = [:]
            values.reserveCapacity(elements.count)
            for _ in 0..<elements.count {
                // What an entry's type does not know is dropped, as everywhere.
                let image = try DecodedImage(elements.next(), type, context)
                let entry = FieldDecoder(image, type, context)
                values[try entry.optional(0) ?? defaultKey] = try value(entry)
                rewind(to: mark)
            }
            leave()
            return values
        } catch {
            throw located(error, index)
        }
    }

    @usableFromInline func mapEntry(_ index: Int) -> MessageSchema {
        // Generated code asks for entries of fields that are maps only; the type itself has no map.
        schema.table.pointee.mapEntries[index] ?? schema
    }
}
