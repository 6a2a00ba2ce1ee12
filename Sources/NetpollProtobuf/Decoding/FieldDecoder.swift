/// Takes the fields of one message from its C image.
///
/// For generated code.
public struct FieldDecoder {
    @usableFromInline let slots: UnsafeRawPointer
    let schema: MessageSchema
    let context: UnsafeMutablePointer<DecodingContext>

    var repairsStrings: Bool { schema.repairsStrings }

    init(
        _ image: UnsafeRawPointer,
        _ schema: MessageSchema,
        _ context: UnsafeMutablePointer<DecodingContext>
    ) {
        slots = image + ImageLayout.headerByteCount
        self.schema = schema
        self.context = context
    }

    @usableFromInline func slot(_ index: Int) -> UnsafeRawPointer { slots + index &* 24 }

    @usableFromInline func isPresent(_ index: Int) -> Bool { slot(index).load(as: Int32.self) != 0 }

    static func bytes(at place: UnsafeRawPointer) -> UnsafeRawBufferPointer {
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
    private func charge(_ count: Int, _ stride: Int) throws(ProtobufError) {
        let (byteCount, overflows) = count.multipliedReportingOverflow(by: stride)
        guard !overflows, Arena.charge(context.pointee.arena, byteCount) else { throw .memoryLimit }
    }

    /// Decodes a message in this one.
    private func decode<M: Message>(at place: UnsafeRawPointer, as type: M.Type)
        throws(ProtobufError) -> M
    {
        guard context.pointee.depth > 0 else { throw .tooDeep }
        context.pointee.depth -= 1
        let message = try M(decoding: Self.bytes(at: place), context)
        context.pointee.depth += 1
        return message
    }
}

// MARK: - Singular fields

extension FieldDecoder {
    /// A value, or `nil` if the field is not there.
    @inlinable public func optional<V: FieldValue>(_ index: Int) throws(ProtobufError) -> V? {
        guard isPresent(index) else { return nil }
        do throws(ProtobufError) {
            return try V.load(from: slot(index) + 8, self)
        } catch {
            throw located(error, index)
        }
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
        guard isPresent(index) else { return nil }
        do throws(ProtobufError) {
            try charge(1, MemoryLayout<M>.stride)
            return try decode(at: slot(index) + ImageLayout.valueOffset, as: M.self)
        } catch {
            throw located(error, index)
        }
    }

    /// A message that must be there (proto2).
    public func requiredMessage<M: Message>(_ index: Int) throws(ProtobufError) -> M? {
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
    @inlinable public func numbers<V: PlainFieldValue>(_ index: Int) throws(ProtobufError) -> [V] {
        guard let (count, start) = elements(index) else { return [] }
        return Array(
            UnsafeBufferPointer(start: start.assumingMemoryBound(to: V.self), count: count)
        )
    }

    /// A list of messages.
    public func messages<M: Message>(_ index: Int) throws(ProtobufError) -> [M] {
        guard let (count, start) = elements(index) else { return [] }
        var position = 0
        do throws(ProtobufError) {
            try charge(count, MemoryLayout<M>.stride)
            var values: [M] = []
            values.reserveCapacity(count)
            while position < count {
                values.append(try decode(at: start + position &* 16, as: M.self))
                position += 1
            }
            return values
        } catch {
            throw located(error, index, at: position)
        }
    }

    /// A map of plain values; the last of a repeated key counts, missing keys and values are defaults.
    public func map<K: MapKey, V: FieldValue>(
        _ index: Int,
        _ defaultKey: K,
        _ defaultValue: V
    ) throws(ProtobufError) -> [K: V] {
        try entries(index, defaultKey, MemoryLayout<V>.stride) { (entry) throws(ProtobufError) in
            try entry.optional(1) ?? defaultValue
        }
    }

    /// A map of messages.
    public func messageMap<K: MapKey, M: Message>(
        _ index: Int,
        _ defaultKey: K
    ) throws(ProtobufError) -> [K: M] {
        try entries(index, defaultKey, MemoryLayout<M>.stride) { (entry) throws(ProtobufError) in
            if let value: M = try entry.message(1) { return value }
            // Where the type has required fields, this is how their absence is seen.
            return try M(decoding: UnsafeRawBufferPointer(start: nil, count: 0), context)
        }
    }

    private func entries<K: MapKey, V>(
        _ index: Int,
        _ defaultKey: K,
        _ valueByteCount: Int,
        _ value: (FieldDecoder) throws(ProtobufError) -> V
    ) throws(ProtobufError) -> [K: V] {
        guard let (count, start) = elements(index), let type = schema.table.mapEntries[index] else {
            return [:]
        }
        do throws(ProtobufError) {
            guard context.pointee.depth > 0 else { throw ProtobufError.tooDeep }
            // A dictionary is up to half empty.
            try charge(count, 2 * (MemoryLayout<K>.stride + valueByteCount))
            context.pointee.depth -= 1
            var values: [K: V] = [:]
            values.reserveCapacity(count)
            for position in 0..<count {
                let mark = Arena.mark(context.pointee.arena)
                let bytes = Self.bytes(at: start + position &* 16)
                try withEntry(bytes, type) { (entry) throws(ProtobufError) in
                    values[try entry.optional(0) ?? defaultKey] = try value(entry)
                }
                Arena.rewind(context.pointee.arena, to: mark)
            }
            context.pointee.depth += 1
            return values
        } catch {
            throw located(error, index)
        }
    }

    /// Decodes an entry of a map; what its type does not know is dropped, as everywhere.
    private func withEntry(
        _ bytes: UnsafeRawBufferPointer,
        _ type: MessageSchema,
        _ body: (FieldDecoder) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        func decode(_ bytes: UnsafeRawBufferPointer) throws(ProtobufError) {
            let image = try MessageImage.unpack(bytes, type.table, context.pointee.arena)
            try body(FieldDecoder(image, type, context))
        }
        if try WireScanner.isCanonical(bytes, type.table) { return try decode(bytes) }
        let depth = context.pointee.depth
        let (known, _) = try WireNormalizer.normalize(bytes, type, depth: depth)
        try known.withRawBytes(decode)
    }
}
