/// The extensions of one message that have values.
///
/// For generated code: users have properties on the message.
public struct ExtensionFields: Sendable, Hashable {
    private var fields: [Int: ExtensionField] = [:]

    /// Creates an empty collection.
    public init() {}

    /// Whether no extension has a value.
    public var isEmpty: Bool { fields.isEmpty }

    /// The values in the order of their field numbers.
    var sorted: [ExtensionField] {
        fields.sorted { $0.key < $1.key }.map(\.value)
    }

    subscript(number: Int) -> ExtensionField? {
        get { fields[number] }
        set { fields[number] = newValue }
    }
}

/// An extension and its value.
public struct ExtensionField: Sendable, Hashable {
    let content: any AnyExtensionField

    init(_ content: any AnyExtensionField) { self.content = content }

    /// Whether both are values of the same type and equal.
    public static func == (left: ExtensionField, right: ExtensionField) -> Bool {
        left.content.isEqual(to: right.content)
    }

    /// Hashes the value.
    public func hash(into hasher: inout Hasher) { content.hashValue(into: &hasher) }
}

protocol AnyExtensionField: Sendable {
    var anyDefinition: any AnyMessageExtension { get }
    func encode(into encoder: inout FieldEncoder) throws(ProtobufError)
    func isEqual(to other: any AnyExtensionField) -> Bool
    func hashValue(into hasher: inout Hasher)
}

struct TypedExtensionField<Value: Sendable & Hashable, Extended: ExtensibleMessage>:
    AnyExtensionField
{
    let definition: MessageExtension<Value, Extended>
    let value: Value

    var anyDefinition: any AnyMessageExtension { definition }

    func encode(into encoder: inout FieldEncoder) throws(ProtobufError) {
        try definition.encode(value, &encoder)
    }

    func isEqual(to other: any AnyExtensionField) -> Bool {
        (other as? TypedExtensionField)?.value == value
    }

    func hashValue(into hasher: inout Hasher) { hasher.combine(value) }
}
