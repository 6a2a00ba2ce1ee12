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

    /// The names of types side by side; each has a suffix that parts it from what Swift uses itself
    /// and from another with its name.
    static func types(_ types: [(name: String, suffix: String)]) -> [String] {
        let names = types.map { type($0.name, suffix: $0.suffix) }
        // Those that are as they were written do not give way.
        var scope = NameScope(zip(types, names).lazy.filter { $0.name == $1 }.map(\.1))
        return zip(types, names).map { type, name in
            type.name == name ? name : name + scope.place(type.suffix) { [name + $0] }
        }
    }

    /// A name that has the suffix already gets another where the rest would get the first.
    private static func type(_ name: String, suffix: String) -> String {
        var stem = name[...]
        while stem.hasSuffix(suffix), !isReservedType(stem) { stem.removeLast(suffix.count) }
        return isReservedType(stem) ? name + suffix : name
    }

    private static func isReservedType(_ name: Substring) -> Bool {
        // Looking up long ones would take long for a name that has the suffix many times.
        if isUnderscores(name) { return true }
        return name.utf8.count <= longestReservedType
            && (reservedTypeNames.contains(String(name)) || keywords.contains(String(name)))
    }

    /// The names of a property in a message.
    static func property(_ name: String, isExtensible: Bool) -> PropertyNames {
        let camel = lowerCamel(name)
        let suffix = propertySuffix(camel, isExtensible: isExtensible)
        return PropertyNames(plain: camel + suffix, capitalized: upperCamel(name) + suffix)
    }

    /// The names of the property of an extension on the extended message; `prefix` is that of the
    /// file.
    static func extensionProperty(_ name: String, prefix: String) -> PropertyNames {
        guard !prefix.isEmpty else { return property(name, isExtensible: true) }
        let whole = prefix + lowerCamel(name)
        return PropertyNames(whole + propertySuffix(whole, isExtensible: true))
    }

    /// The names of the property of an extension that is declared in a message.
    static func extensionProperty(_ name: String, message: String) -> PropertyNames {
        PropertyNames("\(message.split(separator: ".").joined(separator: "_"))_\(lowerCamel(name))")
    }

    /// What parts a property from what every message has, and from the `hasX` and `clearX` of
    /// another field.
    private static func propertySuffix(_ camel: String, isExtensible: Bool) -> String {
        let isAccessor = ["has", "clear"].contains {
            camel.hasPrefix($0) && camel.dropFirst($0.count).first?.isUppercase == true
        }
        if isAccessor || reservedPropertyNames.contains(camel) { return "_p" }
        if isExtensible, camel == "extensionFields" { return "_p" }
        return isUnderscores(camel) ? "__" : ""
    }

    /// The name of the object of an extension that is declared in a message, without backticks.
    static func nestedExtension(_ name: String) -> String {
        ["NetpollProtobuf", "Protocol", "Type"].contains(name) ? name + "_" : escaped(name)
    }

    /// A file's name without its directory and ending, as the part of an identifier.
    static func fileIdentifier(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return upperCamel(name.hasSuffix(".proto") ? String(name.dropLast(".proto".count)) : name)
    }

    /// The stored property behind a computed one.
    static func storage(_ name: String) -> String { "_" + lowerCamel(name) }

    /// The enum of a oneof's members.
    static func oneofType(_ name: String) -> String { "OneOf_\(upperCamel(name))" }

    /// The names of a service's methods, without backticks; no two are the same.
    static func methods(_ service: Google_Protobuf_ServiceDescriptorProto) -> [String] {
        var counts: [String: Int] = [:]
        var scope = NameScope()
        return service.method.map { method in
            let name = plainMethod(method.name)
            counts[name, default: 0] += 1
            return name + scope.place("_\(counts[name, default: 0])") { [name + $0] }
        }
    }

    private static func plainMethod(_ name: String) -> String {
        let camel = lowerCamel(name)
        if camel == "self" { return "self_" }
        return isUnderscores(camel) ? camel + "__" : camel
    }

    /// The case names of an enum's values, in order; two numbers never share a name.
    static func enumCases(_ item: Google_Protobuf_EnumDescriptorProto) -> [String] {
        let names = item.value.map { enumCase($0.name, of: item.name) }
        var numbers: [String: Set<Int32>] = [:]
        for (name, value) in zip(names, item.value) {
            numbers[name, default: []].insert(value.number)
        }
        var given: [String: Int32] = [:]
        return zip(names, item.value).map { name, value in
            let end = value.number < 0 ? "_n\(value.number.magnitude)" : "_\(value.number)"
            let plain = numbers[name, default: []].count > 1 ? name + end : escapedCase(name)
            var unique = plain
            while let other = given[unique], other != value.number {
                unique += unique == plain ? end : "_"
            }
            given[unique] = value.number
            return quoted(unique)
        }
    }

    /// An enum case's name: without the enum's own name before it, as is the custom in `.proto` files.
    private static func enumCase(_ name: String, of enumName: String) -> String {
        lowerCamel(strip(prefix: enumName, from: name))
    }

    private static func escapedCase(_ name: String) -> String {
        // An enum has `protoNames` from this runtime, all others from Swift.
        name == "protoNames" ? "protoNames_" : escaped(name)
    }

    private static func escaped(_ name: String) -> String {
        if reservedCaseNames.contains(name) { return name + "_" }
        return isUnderscores(name) ? name + "__" : name
    }

    /// A name with backticks if it needs them.
    static func quoted(_ name: String) -> String {
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
    private static let longestReservedType = reservedTypeNames.lazy.map(\.utf8.count).max() ?? 0
    private static let reservedPropertyNames: Set<String> = [
        "debugDescription", "description", "dynamicType", "hashValue", "init", "isInitialized",
        "self", "unknownFields",
    ]
    private static let reservedCaseNames: Set<String> = [
        "allCases", "debugDescription", "description", "dynamicType", "hashValue", "init",
        "rawValue", "self",
    ]
}
