/// The elements of a list or map, one after the other.
@usableFromInline
struct ElementCursor {
    @usableFromInline let count: Int
    @usableFromInline let isRun: Bool
    @usableFromInline var place: UnsafeRawPointer

    /// The elements of a slot.
    ///
    /// Those that follow one another on the wire have a negative count.
    @inlinable init?(slot: UnsafeRawPointer) {
        let count = slot.load(as: Int.self)
        guard count != 0, let place = slot.load(fromByteOffset: 8, as: UnsafeRawPointer?.self)
        else { return nil }
        self.count = abs(count)
        isRun = count < 0
        self.place = place
    }

    /// Makes a slot that of elements which follow one another on the wire.
    static func store(run: UnsafeRawPointer, count: Int, in slot: UnsafeMutableRawPointer) {
        slot.storeBytes(of: -count, as: Int.self)
        slot.storeBytes(of: run, toByteOffset: 8, as: UnsafeRawPointer.self)
    }

    /// The next one of the ``count`` elements.
    @inlinable mutating func next() -> UnsafeRawBufferPointer {
        if isRun { return nextOfRun() }
        let element = FieldDecoder.bytes(at: place)
        place += 16
        return element
    }

    @inlinable mutating func nextOfRun() -> UnsafeRawBufferPointer {
        let element = Self.payload(at: place)
        if let start = element.baseAddress { place = start + element.count }
        return element
    }

    /// The value of a field that the scanner has passed: its tag has one or two bytes, and its
    /// length one to three.
    @inlinable static func payload(at field: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        var place = field + (field.load(as: UInt8.self) < 0x80 ? 1 : 2)
        var byte = Int(place.load(as: UInt8.self))
        var length = byte & 0x7F
        var shift = 7
        while byte >= 0x80 {
            place += 1
            byte = Int(place.load(as: UInt8.self))
            length |= (byte & 0x7F) &<< shift
            shift &+= 7
        }
        return UnsafeRawBufferPointer(start: place + 1, count: length)
    }
}
