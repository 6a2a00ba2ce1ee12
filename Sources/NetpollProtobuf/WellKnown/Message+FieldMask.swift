extension Message {
    /// Whether a path of names as `.proto` files have them leads to a field of this type.
    public static func isPathValid(_ path: String) -> Bool {
        var schema: MessageSchema? = messageSchema
        for name in path.split(separator: ".", omittingEmptySubsequences: false) {
            guard let field = schema?.fields.first(where: { $0.name == name }) else { return false }
            switch field.kind {
            case .message(let resolve) where field.cardinality == .singular: schema = resolve()
            case .group(let resolve) where field.cardinality == .singular: schema = resolve()
            default: schema = nil
            }
        }
        return true
    }

    /// Takes away all fields that a mask's paths do not lead to; an empty mask changes nothing.
    ///
    /// A message that a path leads through stays, with what is left in it. Unknown fields stay too.
    ///
    /// - Parameter fieldMask: The fields to keep.
    /// - Returns: Whether the message has changed.
    /// - Throws: ``ProtobufError``: `invalidValue` if a path is not valid for this type.
    @discardableResult
    public mutating func trim(keeping fieldMask: Google_Protobuf_FieldMask) throws(ProtobufError)
        -> Bool
    {
        try Self.check(fieldMask)
        guard !fieldMask.paths.isEmpty else { return false }
        let old = self
        let (bytes, extensions) = try filtered(.others, fieldMask)
        self = try Self(serializedBytes: bytes, extensions: extensions, partial: true)
        return self != old
    }

    /// Takes over from another message the fields that a mask's paths lead to.
    ///
    /// Values are replaced, and taken away where the source has none; lists and maps are added to,
    /// and messages are merged.
    ///
    /// - Parameters:
    ///   - source: The message to take from.
    ///   - fieldMask: The fields to take.
    /// - Throws: ``ProtobufError``: `invalidValue` if a path is not valid for this type.
    public mutating func merge(from source: Self, fieldMask: Google_Protobuf_FieldMask)
        throws(ProtobufError)
    {
        try Self.check(fieldMask)
        // On the wire, merging is concatenation.
        let (own, extensions) = try filtered(.ends, fieldMask)
        let (taken, _) = try source.filtered(.othersAndUnknown, fieldMask)
        self = try Self(serializedBytes: own + taken, extensions: extensions, partial: true)
    }

    private static func check(_ mask: Google_Protobuf_FieldMask) throws(ProtobufError) {
        for path in mask.paths where !isPathValid(path) {
            throw ProtobufError(
                .invalidValue,
                "\(protoMessageName) has no field \"\(path.shortened)\""
            )
        }
    }

    private func filtered(_ mode: FieldMaskFilter.Mode, _ mask: Google_Protobuf_FieldMask)
        throws(ProtobufError) -> ([UInt8], SimpleExtensionMap)
    {
        let (all, extensions) = try serializedBytesAndExtensions(
            partial: true,
            options: BinaryEncodingOptions()
        )
        let left = try all.withRawBytes { (bytes) throws(ProtobufError) in
            try FieldMaskFilter.apply(
                mode,
                to: bytes,
                Self.messageSchema,
                mask,
                depth: BinaryDecodingOptions().messageDepthLimit
            )
        }
        return (left, extensions)
    }
}
