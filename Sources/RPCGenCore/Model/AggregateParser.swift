internal import NetpollProtobuf

/// Reads the value of a message option, which is in protobuf's text format, and writes it in wire
/// form.
struct AggregateParser {
    /// How deep messages may nest; what is deeper, no runtime would decode.
    private static let nestingLimit = 100

    let table: SymbolTable
    let visibility: Visibility
    var lexer: Lexer
    private var depth = 0

    struct Failure: Error {
        let message: String
    }

    /// Parses a message without the braces around it.
    static func parse(
        _ text: String,
        as type: SymbolTable.ID,
        in table: SymbolTable,
        _ visibility: Visibility
    ) throws(Failure) -> [UInt8] {
        var parser = AggregateParser(
            table: table,
            visibility: visibility,
            lexer: Lexer(Array(text.utf8), path: "")
        )
        parser.lexer.advance()
        var message = AggregateMessage(type: type)
        while !parser.isAtEnd { try parser.parseField(of: &message) }
        return try message.encode(in: table)
    }

    private init(table: SymbolTable, visibility: Visibility, lexer: Lexer) {
        self.table = table
        self.visibility = visibility
        self.lexer = lexer
    }
}

// MARK: - Tokens

extension AggregateParser {
    var token: Token { lexer.current }

    /// A number sign begins a comment in the text format, and all is on one line.
    private var isAtEnd: Bool { token.kind == .end || token.text == "#" }

    func fail(_ message: String) -> Failure { Failure(message: message) }

    mutating func take(_ text: String) -> Bool {
        guard token.text == text else { return false }
        lexer.advance()
        return true
    }

    private mutating func expect(_ text: String) throws(Failure) {
        guard take(text) else { throw fail("expected \"\(text)\" but found \(token.shown)") }
    }

    mutating func identifier() throws(Failure) -> String {
        guard token.kind == .identifier else {
            throw fail("expected an identifier but found \(token.shown)")
        }
        defer { lexer.advance() }
        return token.text
    }

    private mutating func dottedName() throws(Failure) -> String {
        var name = try identifier()
        while take(".") { name += "." + (try identifier()) }
        return name
    }
}

// MARK: - Fields

extension AggregateParser {
    private mutating func parseField(of message: inout AggregateMessage) throws(Failure) {
        let isAny = table.isNamed(["google", "protobuf", "Any"], message.type)
        if isAny, take("[") { return try parseAny(&message) }
        let field: SymbolTable.Field
        if take("[") {
            field = try extensionField(of: message.type)
        } else {
            let name = try identifier()
            guard let id = fieldID(name, of: message.type) else {
                guard table.message(message.type).reservedNames.contains(name) else {
                    throw fail(
                        "message type \"\(table.shownName(message.type))\" has no field \"\(name)\""
                    )
                }
                return try skipField()
            }
            field = table.field(id)
        }
        try message.checkIsUnset(field, in: table)
        if field.isMessage { _ = take(":") } else { try expect(":") }
        if field.isRepeated, take("[") {
            if !take("]") {
                repeat { message.add(try parseValue(of: field), to: field) } while take(",")
                try expect("]")
            }
        } else {
            message.add(try parseValue(of: field), to: field)
        }
        _ = take(";") || take(",")
    }

    /// A group is known by the name of its type.
    private func fieldID(_ name: String, of message: SymbolTable.ID) -> SymbolTable.ID? {
        func isGroup(_ id: SymbolTable.ID) -> Bool { table.field(id).type == .group }
        if let id = table.field(name, of: message) {
            let typeName = table.field(id).typeID.map { table[$0].name }
            return !isGroup(id) || typeName == name ? id : nil
        }
        guard let id = table.field(name.lowercased(), of: message), isGroup(id),
            table.field(id).typeID.map({ table[$0].name }) == name
        else { return nil }
        return id
    }

    private mutating func extensionField(of message: SymbolTable.ID) throws(Failure)
        -> SymbolTable.Field
    {
        let name = try dottedName()
        try expect("]")
        let lookup = table.resolve(name, from: table[message].scope, visibility)
        if let id = lookup.found {
            // A field may stand in brackets too.
            if [.extension, .field].contains(table[id].kind), table.field(id).owner == message {
                return table.field(id)
            }
            // In a message set, a message stands for the extension that it declares for itself.
            if table[id].kind == .message, table.message(message).isMessageSet,
                let item = messageSetItem(id, of: message)
            {
                return item
            }
        }
        throw fail(
            "extension \"\(name)\" is not defined or is not an extension of "
                + "\"\(table.shownName(message))\""
        )
    }

    private func messageSetItem(_ type: SymbolTable.ID, of message: SymbolTable.ID)
        -> SymbolTable.Field?
    {
        table.message(type).extensions.map { table.field($0) }.first {
            $0.owner == message && $0.type == .message && $0.label == .optional && $0.typeID == type
        }
    }

    /// `[type.googleapis.com/name] { ... }`, the content of an `Any`.
    private mutating func parseAny(_ message: inout AggregateMessage) throws(Failure) {
        let prefix = try dottedName()
        try expect("/")
        let name = try dottedName()
        try expect("]")
        _ = take(":")
        let prefixes = ["type.googleapis.com", "type.googleprod.com"]
        guard prefixes.contains(prefix),
            let type = table.resolve("." + name, from: SymbolTable.root, visibility).found,
            table[type].kind == .message,
            let url = table.field("type_url", of: message.type),
            let value = table.field("value", of: message.type)
        else { throw fail("the type \"\(prefix)/\(name)\" of an Any was not found") }
        let bytes = try parseMessage(type)
        try message.checkIsUnset(table.field(url), in: table)
        try message.checkIsUnset(table.field(value), in: table)
        message.add(.bytes(Array("\(prefix)/\(name)".utf8)), to: table.field(url))
        message.add(.bytes(bytes), to: table.field(value))
    }

    mutating func parseMessage(_ type: SymbolTable.ID) throws(Failure) -> [UInt8] {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.nestingLimit else {
            throw fail("messages are nested more than \(Self.nestingLimit) levels deep")
        }
        let end = try openMessage()
        var message = AggregateMessage(type: type)
        while token.text != ">", token.text != "}" { try parseField(of: &message) }
        try expect(end)
        return try message.encode(in: table)
    }

    private mutating func openMessage() throws(Failure) -> String {
        if take("<") { return ">" }
        try expect("{")
        return "}"
    }

    // MARK: Fields that are reserved

    private mutating func skipField() throws(Failure) {
        let hasColon = take(":")
        if hasColon, token.text != "{", token.text != "<" {
            try skipValue()
        } else {
            try skipMessage()
        }
    }

    private mutating func skipMessage() throws(Failure) {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.nestingLimit else {
            throw fail("messages are nested more than \(Self.nestingLimit) levels deep")
        }
        let end = try openMessage()
        while token.text != ">", token.text != "}" {
            if take("[") {
                _ = try dottedName()
                if take("/") { _ = try dottedName() }
                try expect("]")
            } else {
                _ = try identifier()
            }
            try skipField()
            _ = take(";") || take(",")
        }
        try expect(end)
    }

    private mutating func skipValue() throws(Failure) {
        if token.kind == .string {
            while token.kind == .string { lexer.advance() }
            return
        }
        if take("[") {
            depth += 1
            defer { depth -= 1 }
            guard depth <= Self.nestingLimit else { throw fail("lists are nested too deep") }
            repeat {
                if token.text == "{" || token.text == "<" {
                    try skipMessage()
                } else {
                    try skipValue()
                }
            } while take(",")
            return try expect("]")
        }
        _ = take("-")
        guard [.integer, .float, .identifier].contains(token.kind) else {
            throw fail("expected a value but found \(token.shown)")
        }
        lexer.advance()
    }
}
