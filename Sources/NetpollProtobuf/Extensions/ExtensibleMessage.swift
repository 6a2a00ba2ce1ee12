/// A message with room for extensions (proto2).
///
/// Generated types conform.
public protocol ExtensibleMessage: Message {
    /// The extensions that have values. For generated code.
    var extensionFields: ExtensionFields { get set }
}

extension ExtensibleMessage {
    /// Sets an extension; an empty list is no value.
    public mutating func setExtensionValue<Value>(
        ext: MessageExtension<Value, Self>,
        value: Value
    ) {
        // Bytes are an array too, but one value.
        if Value.self != [UInt8].self, let list = value as? any EmptyList, list.isEmpty {
            return clearExtensionValue(ext: ext)
        }
        extensionFields[ext.fieldNumber] = ExtensionField(
            TypedExtensionField(definition: ext, value: value)
        )
    }

    /// The value of an extension, or `nil` if it has none.
    public func getExtensionValue<Value>(ext: MessageExtension<Value, Self>) -> Value? {
        (extensionFields[ext.fieldNumber]?.content as? TypedExtensionField<Value, Self>)?.value
    }

    /// Whether an extension has a value.
    public func hasExtensionValue<Value>(ext: MessageExtension<Value, Self>) -> Bool {
        extensionFields[ext.fieldNumber] != nil
    }

    /// Takes the value of an extension away.
    public mutating func clearExtensionValue<Value>(ext: MessageExtension<Value, Self>) {
        extensionFields[ext.fieldNumber] = nil
    }
}

/// Tells without generics whether a list is empty.
private protocol EmptyList {
    var isEmpty: Bool { get }
}

extension Array: EmptyList {}
