internal import NetpollProtobuf

/// Why an option cannot be interpreted.
struct OptionError: Error {
    /// Whether the name of the option is wrong, and not its value.
    let isAboutName: Bool
    let message: String

    static func name(_ message: String) -> OptionError {
        OptionError(isAboutName: true, message: message)
    }

    static func value(_ message: String) -> OptionError {
        OptionError(isAboutName: false, message: message)
    }
}

/// Finds out which field an option sets, and what its value is on the wire.
struct OptionInterpreter {
    /// What the file and its imports declare.
    let table: SymbolTable
    let visibility: Visibility
    /// The types of descriptor.proto, for files that do not import it.
    let builtIn: SymbolTable

    /// How deep the field that an option sets may lie; what is deeper, no runtime would decode.
    private static let nestingLimit = 100

    /// The fields that an option's name leads through; the last one has the value.
    struct Target {
        let fields: [SymbolTable.Field]
        /// Where ``fields`` are declared.
        let table: SymbolTable
        var path: [Int32] { fields.map(\.number) }
    }

    // MARK: Names

    /// Resolves an option's name.
    ///
    /// - Parameters:
    ///   - option: The option.
    ///   - optionsName: The full name of the options message.
    ///   - scope: Where the option stands.
    /// - Returns: The fields that the name leads through.
    /// - Throws: ``OptionError`` about the name.
    func target(
        of option: Google_Protobuf_UninterpretedOption,
        in optionsName: String,
        from scope: SymbolTable.ID
    ) throws(OptionError) -> Target {
        guard option.name.first?.namePart != "uninterpreted_option" else {
            throw .name("an option must not use the reserved name \"uninterpreted_option\"")
        }
        guard option.name.count <= Self.nestingLimit else {
            throw .name("the name of an option has more than \(Self.nestingLimit) parts")
        }
        let declared = table.find(optionsName)
        let schema = declared == nil ? builtIn : table
        guard var message = declared ?? builtIn.find(optionsName) else {
            throw .name("\"\(optionsName)\" is not defined")
        }
        var fields: [SymbolTable.Field] = []
        var shown = ""
        for (index, part) in option.name.enumerated() {
            shown +=
                (index > 0 ? "." : "") + (part.isExtension ? "(\(part.namePart))" : part.namePart)
            let field =
                part.isExtension
                ? try extensionField(part.namePart, of: message, declared != nil, scope, shown)
                : try field(part.namePart, of: message, in: schema, shown)
            fields.append(field)
            guard index + 1 < option.name.count else { break }
            guard field.isMessage, let type = field.typeID else {
                throw .name("option \"\(shown)\" is not a message and has no fields")
            }
            guard !field.isRepeated else {
                throw .name(
                    "option \"\(shown)\" is repeated; the fields of its messages can only be set "
                        + "all at once, with { }"
                )
            }
            message = type
        }
        return Target(fields: fields, table: schema)
    }

    private func field(
        _ name: String,
        of message: SymbolTable.ID,
        in schema: SymbolTable,
        _ shown: String
    ) throws(OptionError) -> SymbolTable.Field {
        guard let id = schema.field(name, of: message) else {
            throw .name("option \"\(shown)\" is unknown; is its file imported?")
        }
        return schema.field(id)
    }

    /// - Parameters:
    ///   - name: The extension's name.
    ///   - message: The message that is extended.
    ///   - isDeclared: Whether the message is among those of the files: an extension of the built-in
    ///     message would have to import it.
    ///   - scope: Where the option stands.
    ///   - shown: The option's name up to this part.
    /// - Returns: The field.
    /// - Throws: ``OptionError`` about the name.
    private func extensionField(
        _ name: String,
        of message: SymbolTable.ID,
        _ isDeclared: Bool,
        _ scope: SymbolTable.ID,
        _ shown: String
    ) throws(OptionError) -> SymbolTable.Field {
        let lookup = table.resolve(name, from: scope, visibility)
        guard let id = lookup.found, table[id].kind == .extension || table[id].kind == .field
        else {
            if let taken = lookup.taken {
                throw .name(
                    "option \"\(shown)\" is resolved to \"(\(taken))\", which is not defined: the "
                        + "innermost scope is searched first; begin with a dot to search from the "
                        + "outermost scope"
                )
            }
            throw .name("option \"\(shown)\" is unknown; is its file imported?")
        }
        let field = table.field(id)
        guard isDeclared, field.owner == message else {
            let extended = field.owner.map { table.shownName($0) } ?? ""
            throw .name("option \"\(shown)\" belongs to \"\(extended)\" and cannot be set here")
        }
        return field
    }

    // MARK: Values

    /// The value of an option for its field.
    func value(of option: Google_Protobuf_UninterpretedOption, for target: Target)
        throws(OptionError) -> WireValue
    {
        guard let field = target.fields.last else { throw .name("an option must have a name") }
        let name = target.table.shownName(field.id)
        switch field.type {
        case .int32, .sint32, .sfixed32:
            return field.wireValue(try integer(option, Int32.self, name))
        case .int64, .sint64, .sfixed64:
            return field.wireValue(try integer(option, Int64.self, name))
        case .uint32, .fixed32:
            return field.wireValue(Int64(try integer(option, UInt32.self, name)))
        case .uint64, .fixed64:
            return field.wireValue(Int64(bitPattern: try integer(option, UInt64.self, name)))
        case .float:
            // Directly from an integer: by way of a double it could be rounded twice.
            if option.hasPositiveIntValue {
                return .fixed32(Float(option.positiveIntValue).bitPattern)
            }
            if option.hasNegativeIntValue {
                return .fixed32(Float(option.negativeIntValue).bitPattern)
            }
            return .fixed32(Float(try number(option, name)).bitPattern)
        case .double: return .fixed64(try number(option, name).bitPattern)
        case .bool:
            guard option.hasIdentifierValue, ["true", "false"].contains(option.identifierValue)
            else { throw .value("the value of option \"\(name)\" must be true or false") }
            return .varint(option.identifierValue == "true" ? 1 : 0)
        case .enum: return try enumValue(option, field, target.table, name)
        case .string, .bytes:
            guard option.hasStringValue else {
                throw .value("the value of option \"\(name)\" must be a quoted string")
            }
            return .bytes(option.stringValue)
        case .message, .group: return try aggregate(option, field, name)
        }
    }

    private func integer<Value: FixedWidthInteger>(
        _ option: Google_Protobuf_UninterpretedOption,
        _ type: Value.Type,
        _ name: String
    ) throws(OptionError) -> Value {
        let value =
            option.hasPositiveIntValue
            ? Value(exactly: option.positiveIntValue)
            : option.hasNegativeIntValue ? Value(exactly: option.negativeIntValue) : nil
        // In front of an unsigned number not even -0 is allowed.
        guard let value, Value.isSigned || option.hasPositiveIntValue else {
            throw .value(
                "the value of option \"\(name)\" must be an integer within "
                    + "\(Value.min)...\(Value.max)"
            )
        }
        return value
    }

    private func number(
        _ option: Google_Protobuf_UninterpretedOption,
        _ name: String
    ) throws(OptionError) -> Double {
        if option.hasDoubleValue { return option.doubleValue }
        if option.hasPositiveIntValue { return Double(option.positiveIntValue) }
        if option.hasNegativeIntValue { return Double(option.negativeIntValue) }
        throw .value("the value of option \"\(name)\" must be a number")
    }

    private func enumValue(
        _ option: Google_Protobuf_UninterpretedOption,
        _ field: SymbolTable.Field,
        _ table: SymbolTable,
        _ name: String
    ) throws(OptionError) -> WireValue {
        guard option.hasIdentifierValue, let type = field.typeID else {
            throw .value("the value of option \"\(name)\" must be the name of an enum value")
        }
        guard let value = table.value(option.identifierValue, of: type) else {
            throw .value(
                "enum type \"\(table.shownName(type))\" has no value named "
                    + "\"\(option.identifierValue)\" for option \"\(name)\""
            )
        }
        return .varint(UInt64(bitPattern: Int64(table.enumValue(value).number)))
    }

    private func aggregate(
        _ option: Google_Protobuf_UninterpretedOption,
        _ field: SymbolTable.Field,
        _ name: String
    ) throws(OptionError) -> WireValue {
        guard option.hasAggregateValue, let type = field.typeID else {
            throw .value("option \"\(name)\" is a message; its value must be written in { }")
        }
        do throws(AggregateParser.Failure) {
            let bytes = try AggregateParser.parse(
                option.aggregateValue,
                as: type,
                in: table,
                visibility
            )
            return field.type == .group ? .group(bytes) : .bytes(bytes)
        } catch {
            throw .value("in the value of option \"\(name)\": \(error.message)")
        }
    }
}

extension SymbolTable.Field {
    /// An integer as this field's type is written.
    func wireValue(_ value: some BinaryInteger) -> WireValue {
        let bits = UInt64(truncatingIfNeeded: value)
        switch type {
        case .sint32, .sint64:
            return .varint((bits << 1) ^ UInt64(bitPattern: Int64(bitPattern: bits) >> 63))
        case .fixed32, .sfixed32: return .fixed32(UInt32(truncatingIfNeeded: bits))
        case .fixed64, .sfixed64: return .fixed64(bits)
        default: return .varint(bits)
        }
    }
}
