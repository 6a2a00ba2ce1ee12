internal import NetpollProtobuf

/// Swift names for protobuf names, by SwiftProtobuf's rules, so that code written for it fits.
enum SwiftNames {
    /// What stands before the names of a file's top-level types: its `swift_prefix`, or its package.
    static func typePrefix(_ file: Google_Protobuf_FileDescriptorProto) -> String {
        if file.hasOptions, file.options.hasSwiftPrefix { return file.options.swiftPrefix }
        let parts = file.package.split(separator: ".").map { part in
            part.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
                + "_"
        }
        let prefix = parts.joined()
        return prefix.first?.isNumber == true ? "_" + prefix : prefix
    }

    /// Whether a text can name a module or a type as it is.
    static func isIdentifier(_ text: some StringProtocol) -> Bool {
        guard let first = text.first, !first.isNumber else { return false }
        return !keywords.contains(String(text))
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" }
    }

    /// A type's name within its parent; `suffix` parts it from what Swift uses itself.
    static func type(_ name: String, suffix: String) -> String {
        reservedTypeNames.contains(name) || keywords.contains(name) ? name + suffix : name
    }

    /// A property's name, with backticks if it needs them.
    static func property(_ name: String) -> String {
        let camel = lowerCamel(name)
        if isTaken(camel) { return camel + "_p" }
        return keywords.contains(camel) ? "`\(camel)`" : camel
    }

    /// Whether a property of this name would clash with what every message has, or with the `hasX`
    /// and `clearX` of another field.
    private static func isTaken(_ camel: String) -> Bool {
        if reservedPropertyNames.contains(camel) || camel.allSatisfy({ $0 == "_" }) { return true }
        return ["has", "clear"].contains {
            camel.hasPrefix($0) && camel.dropFirst($0.count).first?.isUppercase == true
        }
    }

    /// The part of a name that follows `has` or `clear`.
    static func capitalizedProperty(_ name: String) -> String {
        let camel = lowerCamel(name)
        let capital = camel.prefix(1).uppercased() + camel.dropFirst()
        return isTaken(camel) ? capital + "_p" : capital
    }

    /// The property of an extension on the extended message, and what follows `has` or `clear`.
    static func extensionProperty(_ name: String, prefix: String)
        -> (property: String, capitalized: String)
    {
        guard !prefix.isEmpty else { return (property(name), capitalizedProperty(name)) }
        let whole = prefix + lowerCamel(name)
        return (whole, whole.prefix(1).uppercased() + whole.dropFirst())
    }

    /// The name of the object of an extension that is declared in a message.
    static func nestedExtension(_ name: String) -> String {
        if reservedCaseNames.contains(name) { return name + "_" }
        return keywords.contains(name) ? "`\(name)`" : name
    }

    /// A file's name without its directory and ending, as the part of an identifier.
    static func fileIdentifier(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let stem = name.hasSuffix(".proto") ? String(name.dropLast(".proto".count)) : name
        return upperCamel(String(stem.map { $0.isLetter || $0.isNumber ? $0 : "_" }))
    }

    /// The stored property behind a computed one.
    static func storage(_ name: String) -> String { "_" + lowerCamel(name) }

    /// The enum of a oneof's members.
    static func oneofType(_ name: String) -> String { "OneOf_\(upperCamel(name))" }

    /// A method's name.
    static func method(_ name: String) -> String {
        let camel = lowerCamel(name)
        return keywords.contains(camel) || camel == "init" ? "`\(camel)`" : camel
    }

    /// The case names of an enum's values, in order; two numbers never share a name.
    static func enumCases(_ item: Google_Protobuf_EnumDescriptorProto) -> [String] {
        var names = item.value.map { enumCase($0.name, of: item.name) }
        for position in clashes(names, item) {
            names[position] = escapedCase(lowerCamel(item.value[position].name))
        }
        for position in clashes(names, item) {
            let number = item.value[position].number
            names[position] += number < 0 ? "_n\(number.magnitude)" : "_\(number)"
        }
        return names
    }

    /// The positions of values whose name also stands for another number.
    private static func clashes(
        _ names: [String],
        _ item: Google_Protobuf_EnumDescriptorProto
    ) -> [Int] {
        var numbers: [String: Set<Int32>] = [:]
        for (name, value) in zip(names, item.value) {
            numbers[name, default: []].insert(value.number)
        }
        return names.indices.filter { numbers[names[$0], default: []].count > 1 }
    }

    /// An enum case's name: without the enum's own name before it, as is the custom in `.proto` files.
    static func enumCase(_ name: String, of enumName: String) -> String {
        let stripped = strip(prefix: enumName, from: name)
        let camel = lowerCamel(stripped)
        return escapedCase(camel.isEmpty ? lowerCamel(name) : camel)
    }

    private static func escapedCase(_ camel: String) -> String {
        if reservedCaseNames.contains(camel) { return camel + "_" }
        return keywords.contains(camel) ? "`\(camel)`" : camel
    }

    /// The rest of `name` behind `prefix`, comparing without case and underscores; the whole name
    /// when the prefix is not there or nothing usable would be left.
    private static func strip(prefix: String, from name: String) -> String {
        var wanted = prefix.lowercased().filter { $0 != "_" }[...]
        var rest = name[...]
        while let next = wanted.first {
            guard let first = rest.popFirst() else { return name }
            if first == "_" { continue }
            guard first.lowercased() == String(next) else { return name }
            wanted.removeFirst()
        }
        while rest.first == "_" { rest.removeFirst() }
        guard let first = rest.first, !first.isNumber else { return name }
        return String(rest)
    }

    static func lowerCamel(_ name: String) -> String { camel(name, capitalizesFirst: false) }
    static func upperCamel(_ name: String) -> String { camel(name, capitalizesFirst: true) }

    /// Words end at underscores, digits and changes of case; a leading underscore stays, and so do
    /// underscores between digits.
    private static func camel(_ name: String, capitalizesFirst: Bool) -> String {
        var result = ""
        for (index, word) in words(name).enumerated() {
            if index == 0, !capitalizesFirst {
                result += word
            } else if acronyms.contains(word) {
                result += word.uppercased()
            } else {
                result += word.prefix(1).uppercased() + word.dropFirst()
            }
        }
        return result
    }

    /// The words of a name in small letters, digits apart.
    private static func words(_ name: String) -> [String] {
        var words: [String] = []
        var current = ""
        var previous: Character = "_"
        func isBoundary(_ character: Character) -> Bool {
            character.isNumber != previous.isNumber
                || (character.isUppercase && !previous.isUppercase)
        }
        for character in name {
            if character == "_" {
                let keeps = words.isEmpty && current.isEmpty || previous.isNumber
                if !current.isEmpty { words.append(current) }
                current = ""
                if keeps, words.isEmpty { words.append("_") }
            } else {
                if !current.isEmpty, isBoundary(character) {
                    words.append(current)
                    current = ""
                }
                current += character.lowercased()
            }
            previous = character
        }
        if !current.isEmpty { words.append(current) }
        return words
    }

    private static let acronyms: Set<String> = ["url", "http", "https", "id"]

    private static let keywords: Set<String> = [
        "associatedtype", "class", "deinit", "enum", "extension", "fileprivate", "func", "import",
        "init",
        "inout", "internal", "let", "open", "operator", "private", "precedencegroup", "protocol",
        "public",
        "rethrows", "static", "struct", "subscript", "typealias", "var", "break", "case", "catch",
        "continue", "default", "defer", "do", "else", "fallthrough", "for", "guard", "if", "in",
        "repeat",
        "return", "throw", "switch", "where", "while", "Any", "as", "await", "false", "is", "nil",
        "self",
        "Self", "super", "throws", "true", "try",
    ]
    private static let reservedTypeNames: Set<String> = [
        "Any", "Protocol", "Self", "Type", "RawValue", "Message", "Enum", "Box", "String", "Bool",
        "Int32",
        "Int64", "UInt32", "UInt64", "Float", "Double", "Int", "UInt8", "Array", "Dictionary",
        "Optional",
        "Hasher", "Swift", "NetpollProtobuf", "NetpollRPC", "Extensions",
    ]
    private static let reservedPropertyNames: Set<String> = [
        "debugDescription", "description", "dynamicType", "hashValue", "init", "self",
        "unknownFields",
        "messageSchema", "protoMessageName", "encodeFields", "decodeFields", "serializedBytes",
        "withSerialization", "isInitialized", "extensionFields", "decodeUnknownFields",
    ]
    private static let reservedCaseNames: Set<String> = [
        "init", "self", "allCases", "protoNames", "rawValue", "hashValue", "none", "some",
    ]
}
