/// Finds the extensions that decoding should know.
public protocol ExtensionMap: Sendable {
    /// The extension of a message type at a field number, if it is known.
    subscript(messageType: any Message.Type, fieldNumber: Int) -> (any AnyMessageExtension)? { get }
    /// The field number of an extension of a message type by its full name in the `.proto` file.
    func fieldNumberForProto(messageType: any Message.Type, protoFieldName: String) -> Int?
}

/// A set of extensions; every generated file with extensions has one of all of them.
public struct SimpleExtensionMap: ExtensionMap, ExpressibleByArrayLiteral {
    private struct Key: Hashable {
        let type: ObjectIdentifier
        let number: Int
    }
    private var extensions: [Key: any AnyMessageExtension] = [:]

    /// Creates an empty set.
    public init() {}

    /// Whether there are none.
    public var isEmpty: Bool { extensions.isEmpty }

    /// Creates a set of extensions.
    public init(arrayLiteral extensions: any AnyMessageExtension...) {
        insert(contentsOf: extensions)
    }

    /// Creates the union of sets; where they differ the last counts.
    public init(_ others: SimpleExtensionMap...) {
        for other in others { formUnion(other) }
    }

    /// The extension of a message type at a field number, if it is in the set.
    public subscript(messageType: any Message.Type, fieldNumber: Int)
        -> (any AnyMessageExtension)?
    {
        extensions[Key(type: ObjectIdentifier(messageType), number: fieldNumber)]
    }

    /// The field number of an extension of a message type by its full name in the `.proto` file.
    ///
    /// Takes time linear in the number of extensions.
    public func fieldNumberForProto(messageType: any Message.Type, protoFieldName: String) -> Int? {
        extensions.values.first {
            $0.messageType == messageType && $0.fieldName == protoFieldName
        }?.fieldNumber
    }

    /// The extension of a number of the message type with this full name.
    func first(extending name: String, number: Int) -> (any AnyMessageExtension)? {
        extensions.values.first {
            $0.fieldNumber == number && $0.messageType.protoMessageName == name
        }
    }

    /// Adds an extension, in the place of another of its type and number.
    public mutating func insert(_ new: any AnyMessageExtension) {
        let key = Key(type: ObjectIdentifier(new.messageType), number: new.fieldNumber)
        extensions[key] = new
    }

    /// Adds extensions.
    public mutating func insert(contentsOf new: [any AnyMessageExtension]) {
        for item in new { insert(item) }
    }

    /// Adds the extensions of another set, which count where both have one.
    public mutating func formUnion(_ other: SimpleExtensionMap) {
        extensions.merge(other.extensions) { _, new in new }
    }

    /// The extensions of both sets; where both have one, the other's counts.
    public func union(_ other: SimpleExtensionMap) -> SimpleExtensionMap {
        var result = self
        result.formUnion(other)
        return result
    }
}

/// Looks in one map first and then in another.
struct ExtensionMapPair: ExtensionMap {
    let first: SimpleExtensionMap
    let second: (any ExtensionMap)?

    subscript(messageType: any Message.Type, fieldNumber: Int) -> (any AnyMessageExtension)? {
        first[messageType, fieldNumber] ?? second?[messageType, fieldNumber]
    }

    func fieldNumberForProto(messageType: any Message.Type, protoFieldName: String) -> Int? {
        first.fieldNumberForProto(messageType: messageType, protoFieldName: protoFieldName)
            ?? second?.fieldNumberForProto(messageType: messageType, protoFieldName: protoFieldName)
    }
}
