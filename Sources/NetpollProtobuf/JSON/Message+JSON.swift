extension Message {
    /// The message as JSON, in one line.
    ///
    /// Unknown fields are left out.
    ///
    /// - Parameters:
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: How the message is written.
    /// - Returns: The text.
    /// - Throws: ``ProtobufError``: `missingRequiredField`, `invalidValue` for what has no form in
    ///   JSON, `unknownType` for a `google.protobuf.Any` whose type is not in the registry.
    public func jsonString(
        partial: Bool = false,
        options: JSONEncodingOptions = JSONEncodingOptions()
    ) throws(ProtobufError) -> String {
        String(decoding: try jsonUTF8Bytes(partial: partial, options: options), as: UTF8.self)
    }

    /// The message as JSON, in one line and in UTF-8; see ``jsonString(partial:options:)``.
    ///
    /// - Parameters:
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: How the message is written.
    /// - Returns: The text.
    /// - Throws: ``ProtobufError``, as ``jsonString(partial:options:)``.
    public func jsonUTF8Bytes(
        partial: Bool = false,
        options: JSONEncodingOptions = JSONEncodingOptions()
    ) throws(ProtobufError) -> [UInt8] {
        var encoding = BinaryEncodingOptions()
        encoding.useDeterministicOrdering = options.useDeterministicOrdering
        encoding.messageDepthLimit = options.messageDepthLimit
        let (wire, extensions) = try serializedBytesAndExtensions(
            partial: partial,
            options: encoding
        )
        var printer = JSONPrinter(options, isPartial: partial, extensions)
        do throws(ProtobufError) {
            try wire.withRawBytes { (bytes) throws(ProtobufError) in
                try printer.message(bytes, Self.messageSchema, depth: options.messageDepthLimit)
            }
        } catch {
            throw error.inside(message: Self.protoMessageName)
        }
        return printer.output.bytes
    }

    /// Decodes a message from JSON.
    ///
    /// - Parameters:
    ///   - text: One JSON value.
    ///   - extensions: The extensions to decode; others are unknown fields.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds and rules of decoding.
    /// - Throws: ``ProtobufError``, with the place in the text where it applies.
    public init(
        jsonString text: String,
        extensions: (any ExtensionMap)? = nil,
        partial: Bool = false,
        options: JSONDecodingOptions = JSONDecodingOptions()
    ) throws(ProtobufError) {
        try self.init(
            jsonUTF8Bytes: Array(text.utf8),
            extensions: extensions,
            partial: partial,
            options: options
        )
    }

    /// Decodes a message from JSON in UTF-8.
    ///
    /// - Parameters:
    ///   - bytes: One JSON value.
    ///   - extensions: The extensions to decode; others are unknown fields.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds and rules of decoding.
    /// - Throws: ``ProtobufError``, with the place in the text where it applies.
    public init(
        jsonUTF8Bytes bytes: [UInt8],
        extensions: (any ExtensionMap)? = nil,
        partial: Bool = false,
        options: JSONDecodingOptions = JSONDecodingOptions()
    ) throws(ProtobufError) {
        self = try bytes.withRawBytes { (bytes) throws(ProtobufError) in
            try Self(
                jsonUTF8Bytes: bytes,
                extensions: extensions,
                partial: partial,
                options: options
            )
        }
    }

    /// Decodes a message from JSON in UTF-8.
    ///
    /// - Parameters:
    ///   - bytes: One JSON value.
    ///   - extensions: The extensions to decode; others are unknown fields.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds and rules of decoding.
    /// - Throws: ``ProtobufError``, with the place in the text where it applies.
    public init(
        jsonUTF8Bytes bytes: UnsafeRawBufferPointer,
        extensions: (any ExtensionMap)? = nil,
        partial: Bool = false,
        options: JSONDecodingOptions = JSONDecodingOptions()
    ) throws(ProtobufError) {
        guard bytes.count <= options.byteLimit else {
            throw ProtobufError(
                .tooLarge,
                "\(bytes.count) bytes of JSON exceed the limit of \(options.byteLimit)"
            )
        }
        do {
            _ = try UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span)
        } catch {
            throw ProtobufError(
                .invalidUTF8,
                "the text is not UTF-8",
                offset: error.byteOffsets.lowerBound
            )
        }
        var parser = JSONParser(JSONReader(bytes), options, isPartial: partial, extensions)
        do throws(ProtobufError) {
            try parser.message(Self.messageSchema, depth: options.messageDepthLimit)
            try parser.reader.end()
        } catch {
            throw error.inside(message: Self.protoMessageName)
        }
        try self.init(
            serializedBytes: parser.wire.bytes,
            extensions: extensions,
            partial: partial,
            options: options.binary
        )
    }
}
