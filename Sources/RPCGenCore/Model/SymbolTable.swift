internal import NetpollProtobuf

/// All names of a set of files as a tree, and what options and fields need to know of them.
///
/// A name is found by walking down from the root, so that deep scopes with long names cost no more
/// than their text.
struct SymbolTable {
    typealias FieldType = Google_Protobuf_FieldDescriptorProto.TypeEnum

    /// The number of a symbol; those of two tables have nothing to do with each other.
    struct ID: Hashable {
        fileprivate let index: Int
    }

    enum Kind: String {
        case package, message, `enum`, field, `extension`, oneof, service, method
        case enumValue = "enum value"

        /// Whether further names may lie below.
        var isScope: Bool { isType || self == .package || self == .service }
        var isType: Bool { self == .message || self == .enum }
    }

    struct Symbol {
        let kind: Kind
        let name: String
        let scope: ID
        /// The position of its file in ``SymbolTable/files``; for a package, that of the first.
        let file: Int
        /// The position of the details in the list for its kind.
        var details = 0
    }

    struct File {
        let name: String
        let isProto3: Bool
        let package: ID
        let publicDependencies: [Int]
        var isLite = false
        var messages: [ID] = []
        var enums: [ID] = []
        var extensions: [ID] = []
    }

    struct Message {
        let id: ID
        var fields: [ID] = []
        var extensions: [ID] = []
        var messages: [ID] = []
        var enums: [ID] = []
        var requiredFields: [ID] = []
        var reservedNames: Set<String> = []
        var extensionRanges = RangeIndex.empty
        var isMapEntry = false
        var isMessageSet = false
    }

    struct Enum {
        let id: ID
        var numbers: Set<Int32> = []
        var firstNumber: Int32?
    }

    struct EnumValue {
        let owner: ID
        let number: Int32
    }

    struct Field {
        let id: ID
        let number: Int32
        let label: Google_Protobuf_FieldDescriptorProto.Label
        /// The type; what a field with a type name really is becomes known by its resolution.
        var type: FieldType
        /// The message or enum.
        var typeID: ID?
        /// The message that has the field or, once resolved, the one that is extended.
        var owner: ID?
        var oneof: Int32?
        /// What the option `packed` says, once it was interpreted.
        var packed: Bool?
        let isProto3: Bool

        var isRepeated: Bool { label == .repeated }
        var isMessage: Bool { type == .message || type == .group }
        var isPackable: Bool {
            isRepeated && ![.string, .bytes, .message, .group].contains(type)
        }
        var isPacked: Bool { isPackable && (packed ?? isProto3) }
    }

    private struct Key: Hashable {
        let scope: ID
        let name: String
    }

    static let root = ID(index: 0)
    private var symbols = [Symbol(kind: .package, name: "", scope: root, file: 0)]
    private var children: [Key: ID] = [:]
    var files: [File] = []
    private var messages: [Message] = []
    private var enums: [Enum] = []
    private var enumValues: [EnumValue] = []
    private var fields: [Field] = []

    // MARK: Reading

    subscript(_ id: ID) -> Symbol { symbols[id.index] }

    func message(_ id: ID) -> Message { messages[self[id].details] }
    func enumeration(_ id: ID) -> Enum { enums[self[id].details] }
    func enumValue(_ id: ID) -> EnumValue { enumValues[self[id].details] }
    func field(_ id: ID) -> Field { fields[self[id].details] }

    func child(_ name: String, of scope: ID) -> ID? { children[Key(scope: scope, name: name)] }

    /// A field of a message by its name; extensions are not fields.
    func field(_ name: String, of message: ID) -> ID? {
        child(name, of: message).flatMap { self[$0].kind == .field ? $0 : nil }
    }

    /// A value of an enum by its name; it is a sibling of the enum.
    func value(_ name: String, of enumID: ID) -> ID? {
        guard let found = child(name, of: self[enumID].scope), self[found].kind == .enumValue,
            enumValue(found).owner == enumID
        else { return nil }
        return found
    }

    /// The name that begins at the root, without a dot before it.
    func fullName(_ id: ID) -> String {
        var parts: [String] = []
        var id = id
        while id != Self.root {
            parts.append(self[id].name)
            id = self[id].scope
        }
        return parts.reversed().joined(separator: ".")
    }

    /// Whether a symbol has a full name, given as its parts.
    func isNamed(_ parts: [String], _ id: ID) -> Bool {
        var id = id
        for part in parts.reversed() {
            guard id != Self.root, self[id].name == part else { return false }
            id = self[id].scope
        }
        return id == Self.root
    }

    /// The full name for people to read: parts that are too long for that are cut.
    func shownName(_ id: ID) -> String {
        var parts: [Substring] = []
        var id = id
        while id != Self.root {
            parts.append(self[id].name.prefix(200))
            id = self[id].scope
        }
        return parts.reversed().joined(separator: ".")
    }

    /// The symbol with a full name, whether visible or not.
    func find(_ name: some StringProtocol, from scope: ID = root) -> ID? {
        var id = scope
        for part in name.split(separator: ".", omittingEmptySubsequences: false) {
            guard let next = child(String(part), of: id) else { return nil }
            id = next
        }
        return id
    }

    // MARK: Adding

    /// Adds a symbol that cannot be found by its name yet; names below it may be added.
    mutating func create(_ kind: Kind, _ name: String, in scope: ID, file: Int) -> ID {
        let id = ID(index: symbols.count)
        var symbol = Symbol(kind: kind, name: name, scope: scope, file: file)
        switch kind {
        case .message:
            symbol.details = messages.count
            messages.append(Message(id: id))
        case .enum:
            symbol.details = enums.count
            enums.append(Enum(id: id))
        default: break
        }
        symbols.append(symbol)
        return id
    }

    /// Lets a symbol be found by its name; returns the symbol that has the name already, if any.
    mutating func register(_ id: ID) -> ID? {
        let key = Key(scope: self[id].scope, name: self[id].name)
        if let existing = children[key] { return existing }
        children[key] = id
        return nil
    }

    /// The package with a name, new or not; `nil` if the name is that of something else.
    mutating func addPackage(_ name: String, in scope: ID, file: Int) -> ID? {
        if let existing = child(name, of: scope) {
            return self[existing].kind == .package ? existing : nil
        }
        let id = create(.package, name, in: scope, file: file)
        children[Key(scope: scope, name: name)] = id
        return id
    }

    mutating func setDetails(_ id: ID, _ value: EnumValue) {
        symbols[id.index].details = enumValues.count
        enumValues.append(value)
    }

    mutating func setDetails(_ id: ID, _ field: Field) {
        symbols[id.index].details = fields.count
        fields.append(field)
    }

    mutating func updateMessage(_ id: ID, _ body: (inout Message) -> Void) {
        body(&messages[self[id].details])
    }

    mutating func updateEnum(_ id: ID, _ body: (inout Enum) -> Void) {
        body(&enums[self[id].details])
    }

    mutating func updateField(_ id: ID, _ body: (inout Field) -> Void) {
        body(&fields[self[id].details])
    }
}
