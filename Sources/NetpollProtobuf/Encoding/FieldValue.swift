/// A value that stands in one slot of a C image: numbers, `Bool`, strings, bytes and enums.
///
/// libprotobuf-c sees `Bool` as a 64-bit integer, `Float` and `Double` as fixed integers, and
/// strings as bytes: so every bit pattern, NUL and -0.0 included, survives.
public protocol FieldValue: Sendable, Hashable {
    /// Bytes of one element in a C array.
    static var imageByteCount: Int { get }
    /// The proto3 default, left out on encoding when a field has no presence.
    var isFieldDefault: Bool { get }
    /// Stores the value. The encoder provides memory for what lies outside the slot.
    ///
    /// - Throws: ``ProtobufError`` with code `tooLarge` when there is no memory.
    func store(at place: UnsafeMutableRawPointer, _ encoder: inout FieldEncoder)
        throws(ProtobufError)
    /// Loads a value, or `nil` if a closed enum does not know its number.
    ///
    /// - Throws: ``ProtobufError`` with code `invalidUTF8`.
    static func load(from place: UnsafeRawPointer, _ decoder: FieldDecoder) throws(ProtobufError)
        -> Self?
}

/// Fixed-size values, stored as their own bits.
public protocol PlainFieldValue: FieldValue {}

extension PlainFieldValue {
    /// Bytes of one element in a C array.
    @inlinable public static var imageByteCount: Int { MemoryLayout<Self>.size }
    /// Stores the value in its slot.
    ///
    /// - Throws: Nothing.
    @inlinable public func store(
        at place: UnsafeMutableRawPointer,
        _ encoder: inout FieldEncoder
    ) throws(ProtobufError) {
        place.storeBytes(of: self, as: Self.self)
    }
    /// Loads the value from its slot.
    ///
    /// - Throws: Nothing.
    @inlinable public static func load(
        from place: UnsafeRawPointer,
        _ decoder: FieldDecoder
    ) throws(ProtobufError) -> Self? {
        place.loadUnaligned(as: Self.self)
    }
}

extension Int32: PlainFieldValue {
    /// Whether the value is what a missing field means.
    @inlinable public var isFieldDefault: Bool { self == 0 }
}
extension Int64: PlainFieldValue {
    /// Whether the value is what a missing field means.
    @inlinable public var isFieldDefault: Bool { self == 0 }
}
extension UInt32: PlainFieldValue {
    /// Whether the value is what a missing field means.
    @inlinable public var isFieldDefault: Bool { self == 0 }
}
extension UInt64: PlainFieldValue {
    /// Whether the value is what a missing field means.
    @inlinable public var isFieldDefault: Bool { self == 0 }
}
extension Float: PlainFieldValue {
    /// Whether the value is what a missing field means.
    @inlinable public var isFieldDefault: Bool { bitPattern == 0 }
}
extension Double: PlainFieldValue {
    /// Whether the value is what a missing field means.
    @inlinable public var isFieldDefault: Bool { bitPattern == 0 }
}

extension Bool: FieldValue {
    /// Bytes of one element in a C array.
    @inlinable public static var imageByteCount: Int { 8 }
    /// Whether the value is what a missing field means.
    @inlinable public var isFieldDefault: Bool { !self }
    /// Stores the value in its slot.
    ///
    /// - Throws: Nothing.
    @inlinable public func store(
        at place: UnsafeMutableRawPointer,
        _ encoder: inout FieldEncoder
    ) throws(ProtobufError) {
        place.storeBytes(of: self ? 1 : 0, as: UInt64.self)
    }
    /// Loads the value from its slot.
    ///
    /// - Throws: Nothing.
    @inlinable public static func load(
        from place: UnsafeRawPointer,
        _ decoder: FieldDecoder
    ) throws(ProtobufError) -> Bool? {
        place.load(as: UInt64.self) != 0
    }
}

extension String: FieldValue {
    /// Bytes of one element in a C array.
    @inlinable public static var imageByteCount: Int { 16 }
    /// Whether the value is what a missing field means.
    @inlinable public var isFieldDefault: Bool { isEmpty }
    /// Stores the value in its slot.
    ///
    /// - Throws: ``ProtobufError`` with code `tooLarge` when there is no memory.
    public func store(
        at place: UnsafeMutableRawPointer,
        _ encoder: inout FieldEncoder
    ) throws(ProtobufError) {
        let isStored = utf8Span.span.withUnsafeBufferPointer { bytes in
            // Long strings have their bytes on the heap, shorter ones in themselves.
            if bytes.count > Self.longestInline {
                encoder.storeReference(UnsafeRawBufferPointer(bytes), at: place)
                return true
            }
            return encoder.storeCopy(UnsafeRawBufferPointer(bytes), at: place)
        }
        guard isStored else { throw .memoryLimit }
    }
    private static var longestInline: Int {
        #if canImport(ObjectiveC)
        // There a string's bytes may also be a temporary copy: none is referred to.
        .max
        #else
        15
        #endif
    }
    /// Loads the value from its slot.
    ///
    /// - Throws: ``ProtobufError`` with code `invalidUTF8`.
    public static func load(
        from place: UnsafeRawPointer,
        _ decoder: FieldDecoder
    ) throws(ProtobufError) -> String? {
        let raw = FieldDecoder.bytes(at: place)
        let bytes = raw.assumingMemoryBound(to: UInt8.self)
        if raw.isASCII {
            return String(copying: UTF8Span(unchecked: bytes.span, isKnownASCII: true))
        }
        do {
            return String(copying: try UTF8Span(validating: bytes.span))
        } catch {
            guard decoder.repairsStrings else { throw .invalidUTF8 }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension [UInt8]: FieldValue {
    /// Bytes of one element in a C array.
    @inlinable public static var imageByteCount: Int { 16 }
    /// Whether the value is what a missing field means.
    @inlinable public var isFieldDefault: Bool { isEmpty }
    /// Stores the value in its slot.
    ///
    /// - Throws: Nothing.
    public func store(
        at place: UnsafeMutableRawPointer,
        _ encoder: inout FieldEncoder
    ) throws(ProtobufError) {
        withUnsafeBytes { encoder.storeReference($0, at: place) }
    }
    /// Loads the value from its slot.
    ///
    /// - Throws: Nothing.
    public static func load(
        from place: UnsafeRawPointer,
        _ decoder: FieldDecoder
    ) throws(ProtobufError) -> [UInt8]? {
        Array(FieldDecoder.bytes(at: place))
    }
}

extension Enum {
    /// Bytes of one element in a C array.
    @inlinable public static var imageByteCount: Int { 4 }
    /// Whether the value is what a missing field means.
    @inlinable public var isFieldDefault: Bool { rawValue == 0 }
    /// Stores the value in its slot.
    ///
    /// - Throws: Nothing.
    @inlinable public func store(
        at place: UnsafeMutableRawPointer,
        _ encoder: inout FieldEncoder
    ) throws(ProtobufError) {
        place.storeBytes(of: Int32(truncatingIfNeeded: rawValue), as: Int32.self)
    }
    /// Loads the value from its slot.
    ///
    /// - Throws: Nothing.
    @inlinable public static func load(
        from place: UnsafeRawPointer,
        _ decoder: FieldDecoder
    ) throws(ProtobufError) -> Self? {
        Self(rawValue: Int(place.load(as: Int32.self)))
    }
}
