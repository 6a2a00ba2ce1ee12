/// The message types that a `google.protobuf.Any` may hold, by name.
///
/// Binary form carries a message in an `Any` as bytes, whatever its type is. JSON writes it out, so
/// its type must be known. A registry is a value: programs make one and pass it in the options.
///
/// ```swift
/// var options = JSONEncodingOptions()
/// options.typeRegistry = TypeRegistry([Demo_Order.self, Demo_Item.self])
/// let text = try message.jsonString(options: options)
/// ```
public struct TypeRegistry: Sendable {
    private var types: [String: any Message.Type]

    /// Creates a registry of the well-known types and of others.
    ///
    /// Messages declared inside others are types of their own.
    public init(_ types: [any Message.Type] = []) {
        self.types = Self.wellKnown
        for type in types { register(type) }
    }

    /// Adds a type.
    ///
    /// One of the same name is replaced.
    public mutating func register(_ type: any Message.Type) {
        types[type.protoMessageName] = type
    }

    /// The type of a name like `google.protobuf.Timestamp`, if it is registered.
    public func type(named name: String) -> (any Message.Type)? { types[name] }

    /// The type that a URL like `type.googleapis.com/google.protobuf.Timestamp` names.
    func type(at url: String) -> (any Message.Type)? {
        guard let name = Google_Protobuf_Any.messageName(inTypeURL: url) else { return nil }
        return types[name]
    }

    private static let wellKnown: [String: any Message.Type] = {
        let types: [any Message.Type] = [
            Google_Protobuf_Any.self, Google_Protobuf_Api.self, Google_Protobuf_Method.self,
            Google_Protobuf_Mixin.self, Google_Protobuf_Duration.self, Google_Protobuf_Empty.self,
            Google_Protobuf_FieldMask.self, Google_Protobuf_SourceContext.self,
            Google_Protobuf_Struct.self, Google_Protobuf_Value.self,
            Google_Protobuf_ListValue.self, Google_Protobuf_Timestamp.self,
            Google_Protobuf_Type.self, Google_Protobuf_Field.self, Google_Protobuf_Enum.self,
            Google_Protobuf_EnumValue.self, Google_Protobuf_Option.self,
            Google_Protobuf_DoubleValue.self, Google_Protobuf_FloatValue.self,
            Google_Protobuf_Int64Value.self, Google_Protobuf_UInt64Value.self,
            Google_Protobuf_Int32Value.self, Google_Protobuf_UInt32Value.self,
            Google_Protobuf_BoolValue.self, Google_Protobuf_StringValue.self,
            Google_Protobuf_BytesValue.self,
        ]
        return Dictionary(types.map { ($0.protoMessageName, $0) }) { first, _ in first }
    }()
}
