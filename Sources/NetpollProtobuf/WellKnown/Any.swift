extension Google_Protobuf_Any {
    /// Packs a message.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - typePrefix: What stands before the slash and the type's name in the URL.
    /// - Throws: ``ProtobufError`` when the message cannot be encoded.
    public init(
        message: some Message,
        partial: Bool = false,
        typePrefix: String = "type.googleapis.com"
    ) throws(ProtobufError) {
        self.init()
        let name = type(of: message).protoMessageName
        typeURL = typePrefix + (typePrefix.hasSuffix("/") ? "" : "/") + name
        value = try message.serializedBytes(partial: partial)
    }

    /// Whether the message inside is of a type.
    public func isA<M: Message>(_ type: M.Type) -> Bool {
        Self.messageName(inTypeURL: typeURL) == M.protoMessageName
    }

    /// Unpacks the message inside.
    ///
    /// - Parameters:
    ///   - target: Is replaced by the message; left as it is if that fails.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds of decoding.
    /// - Throws: ``ProtobufError``: `unknownType` for a message of another type, or why its bytes
    ///   cannot be decoded.
    public func unpackTo<M: Message>(
        _ target: inout M,
        partial: Bool = false,
        options: BinaryDecodingOptions = BinaryDecodingOptions()
    ) throws(ProtobufError) {
        target = try M(unpackingAny: self, partial: partial, options: options)
    }

    /// The name behind the last slash of a type's URL; `nil` if there is no slash or no name.
    static func messageName(inTypeURL url: String) -> String? {
        guard let slash = url.lastIndex(of: "/") else { return nil }
        let name = url[url.index(after: slash)...]
        return name.isEmpty ? nil : String(name)
    }
}

extension Message {
    /// Unpacks the message in a `google.protobuf.Any`.
    ///
    /// - Parameters:
    ///   - any: A packed message of this type.
    ///   - partial: Whether required fields (proto2) may be missing.
    ///   - options: The bounds of decoding.
    /// - Throws: ``ProtobufError``: `unknownType` for a message of another type, or why its bytes
    ///   cannot be decoded.
    public init(
        unpackingAny any: Google_Protobuf_Any,
        partial: Bool = false,
        options: BinaryDecodingOptions = BinaryDecodingOptions()
    ) throws(ProtobufError) {
        guard any.isA(Self.self) else {
            throw ProtobufError(
                .unknownType,
                "\"\(any.typeURL.shortened)\" is not the type \(Self.protoMessageName)"
            )
        }
        try self.init(serializedBytes: any.value, partial: partial, options: options)
    }
}
