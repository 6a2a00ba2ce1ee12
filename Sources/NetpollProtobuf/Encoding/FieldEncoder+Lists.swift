extension FieldEncoder {
    /// Stores a list of values.
    ///
    /// - Throws: As ``store(_:_:)``.
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
    ///
    /// - Throws: Nothing.
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
    ///
    /// - Throws: ``ProtobufError``: `tooDeep`, `tooLarge`, or what is wrong in a message.
    @inlinable public mutating func messages<M: Message>(_ index: Int, _ values: [M])
        throws(ProtobufError)
    {
        guard let elements = try makeElements(index, values.count, 8) else { return }
        // Elements of a span are not copied.
        let values = values.span
        let schema = M.messageSchema
        var position = 0
        do throws(ProtobufError) {
            try enter()
            while position < values.count {
                let image = try values[position].makeImage(schema, context)
                (elements + position &* 8).storeBytes(of: image, as: UnsafeMutableRawPointer.self)
                position &+= 1
            }
            leave()
        } catch {
            throw located(error, index, at: position)
        }
    }

    /// Stores a map of plain values.
    ///
    /// - Throws: As ``store(_:_:)``.
    @inlinable public mutating func map<K: MapKey, V: FieldValue>(
        _ index: Int,
        _ values: [K: V]
    ) throws(ProtobufError) {
        try entries(index, values) { (encoder, value) throws(ProtobufError) in
            try encoder.store(1, value)
        }
    }

    /// Stores a map of messages.
    ///
    /// - Throws: ``ProtobufError``: `tooDeep`, `tooLarge`, or what is wrong in a message.
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
