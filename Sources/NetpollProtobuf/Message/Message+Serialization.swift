extension Message {
    /// Decodes a message.
    ///
    /// - Parameters:
    ///   - bytes: The message in wire form, at most `Int32.max` bytes.
    ///   - extensions: The extensions to decode; others stay among the unknown fields.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds of decoding.
    /// - Throws: ``ProtobufError``.
    @inlinable public init(
        serializedBytes bytes: UnsafeRawBufferPointer,
        extensions: (any ExtensionMap)? = nil,
        partial: Bool = false,
        options: BinaryDecodingOptions = BinaryDecodingOptions()
    ) throws(ProtobufError) {
        self = try Self.decode(
            bytes,
            extensions: extensions,
            partial: partial,
            options: options
        )
    }

    /// Decodes a message; see the other initializers.
    ///
    /// - Parameters:
    ///   - bytes: The message in wire form, at most `Int32.max` bytes.
    ///   - extensions: The extensions to decode; others stay among the unknown fields.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds of decoding.
    /// - Throws: ``ProtobufError``.
    @inlinable public init(
        serializedBytes bytes: [UInt8],
        extensions: (any ExtensionMap)? = nil,
        partial: Bool = false,
        options: BinaryDecodingOptions = BinaryDecodingOptions()
    ) throws(ProtobufError) {
        self = try bytes.withRawBytes { (bytes) throws(ProtobufError) in
            try Self.decode(bytes, extensions: extensions, partial: partial, options: options)
        }
    }

    /// Decodes a message; see the other initializers.
    ///
    /// - Parameters:
    ///   - bytes: The message in wire form, at most `Int32.max` bytes.
    ///   - extensions: The extensions to decode; others stay among the unknown fields.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds of decoding.
    /// - Throws: ``ProtobufError``.
    @inlinable public init(
        serializedBytes bytes: RawSpan,
        extensions: (any ExtensionMap)? = nil,
        partial: Bool = false,
        options: BinaryDecodingOptions = BinaryDecodingOptions()
    ) throws(ProtobufError) {
        self = try bytes.withUnsafeBytes { (bytes) throws(ProtobufError) in
            try Self.decode(bytes, extensions: extensions, partial: partial, options: options)
        }
    }

    /// Decodes more fields into this message: later values win, repeated ones are added, and
    /// messages are merged.
    ///
    /// Takes time for the message as it is too, because on the wire merging is concatenation.
    ///
    /// - Parameters:
    ///   - bytes: The fields in wire form.
    ///   - extensions: The extensions to decode; others stay among the unknown fields.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds of decoding.
    /// - Throws: ``ProtobufError``; the message is then unchanged.
    public mutating func merge(
        serializedBytes bytes: [UInt8],
        extensions: (any ExtensionMap)? = nil,
        partial: Bool = false,
        options: BinaryDecodingOptions = BinaryDecodingOptions()
    ) throws(ProtobufError) {
        var encoding = BinaryEncodingOptions()
        encoding.messageDepthLimit = options.messageDepthLimit
        let (old, known) = try serializedBytesAndExtensions(partial: true, options: encoding)
        self = try Self(
            serializedBytes: old + bytes,
            extensions: ExtensionMapPair(first: known, second: extensions),
            partial: partial,
            options: options
        )
    }

    /// Creates a message of two: later values win, repeated ones are added, and messages are
    /// merged.
    ///
    /// - Parameters:
    ///   - message: The message to begin with.
    ///   - bytes: The fields to add, in wire form.
    ///   - extensions: The extensions to decode; others stay among the unknown fields.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds of decoding.
    /// - Throws: ``ProtobufError``.
    public init(
        merging message: Self,
        serializedBytes bytes: [UInt8],
        extensions: (any ExtensionMap)? = nil,
        partial: Bool = false,
        options: BinaryDecodingOptions = BinaryDecodingOptions()
    ) throws(ProtobufError) {
        self = message
        try merge(
            serializedBytes: bytes,
            extensions: extensions,
            partial: partial,
            options: options
        )
    }

    /// The message in wire form.
    ///
    /// - Parameters:
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: How the message is written.
    /// - Returns: The bytes.
    /// - Throws: ``ProtobufError``: `missingRequiredField`, or `tooLarge` above `Int32.max` bytes.
    @inlinable public func serializedBytes(
        partial: Bool = false,
        options: BinaryEncodingOptions = BinaryEncodingOptions()
    ) throws(ProtobufError) -> [UInt8] {
        var bytes: [UInt8] = []
        try withImage(partial: partial, options: options) {
            (image, context) throws(ProtobufError) in
            bytes = try MessageImage.packed(image, context)
        }
        return bytes
    }

    /// The message in wire form, and the extensions in it.
    func serializedBytesAndExtensions(partial: Bool, options: BinaryEncodingOptions)
        throws(ProtobufError) -> ([UInt8], SimpleExtensionMap)
    {
        var bytes: [UInt8] = []
        var extensions = SimpleExtensionMap()
        try withImage(partial: partial, options: options, collectingExtensions: true) {
            (image, context) throws(ProtobufError) in
            bytes = try MessageImage.packed(image)
            extensions = context.pointee.metExtensions ?? []
        }
        return (bytes, extensions)
    }
}
