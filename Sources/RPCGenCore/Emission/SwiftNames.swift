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

    /// A type's name within its parent or its file; `suffix` parts it from what Swift uses itself.
    ///
    /// A name that has the suffix already gets another where the rest would get the first, so that
    /// the two stay different.
    static func type(_ name: String, suffix: String) -> String {
        var stem = name[...]
        while stem.hasSuffix(suffix), !isReservedType(stem) { stem.removeLast(suffix.count) }
        return isReservedType(stem) ? name + suffix : name
    }

    private static func isReservedType(_ name: Substring) -> Bool {
        reservedTypeNames.contains(String(name)) || keywords.contains(String(name))
            || isUnderscores(name)
    }

    /// A property's name, with backticks if it needs them.
    static func property(_ name: String) -> String {
        let camel = lowerCamel(name)
        return quoted(camel + propertySuffix(camel))
    }

    /// The part of a name that follows `has` or `clear`.
    static func capitalizedProperty(_ name: String) -> String {
        upperCamel(name) + propertySuffix(lowerCamel(name))
    }

    /// What parts a property from what every message has, and from the `hasX` and `clearX` of
    /// another field.
    private static func propertySuffix(_ camel: String) -> String {
        let isAccessor = ["has", "clear"].contains {
            camel.hasPrefix($0) && camel.dropFirst($0.count).first?.isUppercase == true
        }
        if isAccessor || reservedPropertyNames.contains(camel) { return "_p" }
        return isUnderscores(camel) ? "__" : ""
    }

    /// The property of an extension on the extended message, and what follows `has` or `clear`.
    static func extensionProperty(_ name: String, prefix: String)
        -> (property: String, capitalized: String)
    {
        guard !prefix.isEmpty else { return (property(name), capitalizedProperty(name)) }
        var whole = prefix + lowerCamel(name)
        whole += propertySuffix(whole)
        return (quoted(whole), whole.prefix(1).uppercased() + whole.dropFirst())
    }

    /// The name of the object of an extension that is declared in a message.
    static func nestedExtension(_ name: String) -> String { escapedCase(name) }

    /// A file's name without its directory and ending, as the part of an identifier.
    static func fileIdentifier(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return upperCamel(name.hasSuffix(".proto") ? String(name.dropLast(".proto".count)) : name)
    }

    /// The stored property behind a computed one.
    static func storage(_ name: String) -> String { "_" + lowerCamel(name) }

    /// The enum of a oneof's members.
    static func oneofType(_ name: String) -> String { "OneOf_\(upperCamel(name))" }

    /// A method's name.
    static func method(_ name: String) -> String { quoted(lowerCamel(name)) }

    /// The case names of an enum's values, in order; two numbers never share a name.
    static func enumCases(_ item: Google_Protobuf_EnumDescriptorProto) -> [String] {
        let names = item.value.map { enumCase($0.name, of: item.name) }
        var numbers: [String: Set<Int32>] = [:]
        for (name, value) in zip(names, item.value) {
            numbers[name, default: []].insert(value.number)
        }
        return zip(names, item.value).map { name, value in
            guard numbers[name, default: []].count > 1 else {
                // The runtime's only requirement of an enum that SwiftProtobuf does not have.
                return name == "protoNames" ? "protoNames_" : escapedCase(name)
            }
            return name + (value.number < 0 ? "_n\(value.number.magnitude)" : "_\(value.number)")
        }
    }

    /// An enum case's name: without the enum's own name before it, as is the custom in `.proto` files.
    private static func enumCase(_ name: String, of enumName: String) -> String {
        lowerCamel(strip(prefix: enumName, from: name))
    }

    private static func escapedCase(_ name: String) -> String {
        if reservedCaseNames.contains(name) { return name + "_" }
        return isUnderscores(name) ? name + "__" : quoted(name)
    }

    private static func quoted(_ name: String) -> String {
        keywords.contains(name) ? "`\(name)`" : name
    }

    private static func isUnderscores(_ name: some StringProtocol) -> Bool {
        !name.isEmpty && name.allSatisfy { $0 == "_" }
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

    /// The words of a name, which end at underscores, digits and changes of case.
    ///
    /// Of underscores side by side the first is dropped; one at the end stays, and a digit at the
    /// start gets one.
    private static func camel(_ name: String, capitalizesFirst: Bool) -> String {
        var result = ""
        var word = ""
        var previous: Character = "-"
        func endWord() {
            if result.isEmpty, !capitalizesFirst {
                result = word
            } else if acronyms.contains(word) {
                result += word.uppercased()
            } else {
                result += word.prefix(1).uppercased() + word.dropFirst()
            }
            word = ""
        }
        for character in name {
            if character == "_" {
                endWord()
                if previous == "_" { result += "_" }
            } else if character.isASCII, character.isLetter || character.isNumber {
                if character.isNumber != previous.isNumber
                    || (character.isUppercase && !previous.isUppercase)
                {
                    endWord()
                }
                if result.isEmpty, word.isEmpty, character.isNumber { result = "_" }
                word += character.lowercased()
            } else {
                endWord()
                result +=
                    character.isLetter
                    ? String(character)
                    : character.unicodeScalars.map { "_u\($0.value)" }.joined()
            }
            previous = character
        }
        endWord()
        return previous == "_" ? result + "_" : result
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
        "return", "throw", "switch", "where", "while", "Any", "as", "false", "is", "nil",
        "self",
        "Self", "super", "throws", "true", "try",
    ]
    /// SwiftProtobuf's, and at the end those that only this runtime has to keep free.
    private static let reservedTypeNames: Set<String> = [
        "Protocol", "Type", "Extensions", "Swift", "SwiftProtobuf", "Equatable", "Hashable",
        "Sendable", "Bool", "Data", "Double", "Float", "Int", "Int32", "Int64", "String", "UInt",
        "UInt32", "UInt64", "debugDescription", "decodeMessage", "description", "dynamicType",
        "hashValue", "isInitialized", "protoMessageName", "traverse", "unknownFields",
        "__COLUMN__", "__FILE__", "__FUNCTION__", "__LINE__",
        "NetpollProtobuf", "NetpollRPC", "UInt8", "messageSchema",
    ]
    /// SwiftProtobuf's, and at the end the one that only this runtime has to keep free.
    private static let reservedPropertyNames: Set<String> = [
        "debugDescription", "description", "dynamicType", "hashValue", "init", "isInitialized",
        "self", "unknownFields",
        "extensionFields",
    ]
    private static let reservedCaseNames: Set<String> = [
        "allCases", "debugDescription", "description", "dynamicType", "hashValue", "init",
        "rawValue", "self",
    ]
}
