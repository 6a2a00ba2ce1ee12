/// An extension of whatever message type with whatever type of value.
public protocol AnyMessageExtension: Sendable {
    /// The field number.
    var fieldNumber: Int { get }
    /// The full name in the `.proto` file.
    var fieldName: String { get }
    /// The type of the extended message.
    var messageType: any Message.Type { get }

    /// For the runtime: a message type with the extension as its only field.
    var schema: MessageSchema { get }
    /// For the runtime: the value in the image of a message of that type, if there is one.
    ///
    /// - Throws: ``ProtobufError``: what is wrong in the value.
    func decode(_ decoder: FieldDecoder) throws(ProtobufError) -> ExtensionField?
}

/// An extension of a message type.
///
/// Made by generated code; the extended message has a property for it. Never changes; any thread.
public final class MessageExtension<Value: Sendable & Hashable, Extended: ExtensibleMessage>:
    AnyMessageExtension
{
    /// The full name in the `.proto` file.
    public let fieldName: String
    /// For the runtime: a message type with the extension as its only field.
    public let schema: MessageSchema
    private let number: UInt32
    private let encodeValue: @Sendable (inout FieldEncoder, Value) throws(ProtobufError) -> Void
    private let decodeValue: @Sendable (FieldDecoder) throws(ProtobufError) -> Value?

    /// The field number.
    public var fieldNumber: Int { Int(number) }
    /// The type of the extended message.
    public var messageType: any Message.Type { Extended.self }

    private init(
        _ name: String,
        _ field: FieldSchema,
        repairsStrings: Bool,
        encode: @escaping @Sendable (inout FieldEncoder, Value) throws(ProtobufError) -> Void,
        decode: @escaping @Sendable (FieldDecoder) throws(ProtobufError) -> Value?
    ) {
        fieldName = name
        number = field.number
        schema = MessageSchema(name, [field], repairsStrings: repairsStrings)
        encodeValue = encode
        decodeValue = decode
    }

    func encode(_ value: Value, _ encoder: inout FieldEncoder) throws(ProtobufError) {
        try encodeValue(&encoder, value)
    }

    /// For the runtime: the value in the image of a message of that type, if there is one.
    ///
    /// - Throws: ``ProtobufError``: what is wrong in the value.
    public func decode(_ decoder: FieldDecoder) throws(ProtobufError) -> ExtensionField? {
        guard let value = try decodeValue(decoder) else { return nil }
        return ExtensionField(TypedExtensionField(definition: self, value: value))
    }
}

// MARK: - For generated code

extension MessageExtension where Value: FieldValue {
    /// An extension with a number, a string, bytes or an enum.
    public static func optional(
        _ name: String,
        _ field: FieldSchema,
        repairsStrings: Bool = true
    ) -> MessageExtension {
        MessageExtension(
            name,
            field,
            repairsStrings: repairsStrings,
            encode: { (encoder, value) throws(ProtobufError) in try encoder.store(0, value) },
            decode: { (decoder) throws(ProtobufError) in try decoder.optional(0) }
        )
    }
}

extension MessageExtension where Value: Message {
    /// An extension with a message.
    public static func message(
        _ name: String,
        _ field: FieldSchema,
        repairsStrings: Bool = true
    ) -> MessageExtension {
        MessageExtension(
            name,
            field,
            repairsStrings: repairsStrings,
            encode: { (encoder, value) throws(ProtobufError) in try encoder.message(0, value) },
            decode: { (decoder) throws(ProtobufError) in try decoder.message(0) }
        )
    }

    /// An extension with a group.
    public static func group(
        _ name: String,
        _ field: FieldSchema,
        repairsStrings: Bool = true
    ) -> MessageExtension {
        MessageExtension(
            name,
            field,
            repairsStrings: repairsStrings,
            encode: { (encoder, value) throws(ProtobufError) in try encoder.group(0, value) },
            decode: { (decoder) throws(ProtobufError) in try decoder.message(0) }
        )
    }
}

extension MessageExtension {
    /// An extension with a list of numbers, strings, bytes or enums.
    public static func repeated<Element: FieldValue>(
        _ name: String,
        _ field: FieldSchema,
        repairsStrings: Bool = true
    ) -> MessageExtension where Value == [Element] {
        MessageExtension(
            name,
            field,
            repairsStrings: repairsStrings,
            encode: { (encoder, value) throws(ProtobufError) in try encoder.repeated(0, value) },
            decode: { (decoder) throws(ProtobufError) in
                let values: [Element] = try decoder.repeated(0)
                return values.isEmpty ? nil : values
            }
        )
    }

    /// An extension with a list of messages.
    public static func messages<Element: Message>(
        _ name: String,
        _ field: FieldSchema,
        repairsStrings: Bool = true
    ) -> MessageExtension where Value == [Element] {
        MessageExtension(
            name,
            field,
            repairsStrings: repairsStrings,
            encode: { (encoder, value) throws(ProtobufError) in try encoder.messages(0, value) },
            decode: { (decoder) throws(ProtobufError) in
                let values: [Element] = try decoder.messages(0)
                return values.isEmpty ? nil : values
            }
        )
    }

    /// An extension with a list of groups.
    public static func groups<Element: Message>(
        _ name: String,
        _ field: FieldSchema,
        repairsStrings: Bool = true
    ) -> MessageExtension where Value == [Element] {
        MessageExtension(
            name,
            field,
            repairsStrings: repairsStrings,
            encode: { (encoder, value) throws(ProtobufError) in try encoder.groups(0, value) },
            decode: { (decoder) throws(ProtobufError) in
                let values: [Element] = try decoder.messages(0)
                return values.isEmpty ? nil : values
            }
        )
    }
}
