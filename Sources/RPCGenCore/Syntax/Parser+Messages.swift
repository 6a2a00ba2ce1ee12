internal import NetpollProtobuf

/// What the fields of a message or of an `extend` block may add to the declaration around them:
/// groups and maps are message types of their own.
struct FieldScope {
    /// The message, or the file.
    let parent: Element
    /// The number of the parent's list of message types.
    let nestedNumber: Int32
    var nested: [Google_Protobuf_DescriptorProto]
    /// How deep the parent is nested.
    let depth: Int
}

extension Parser {
    mutating func parseMessage(_ path: [Int32], depth: Int) throws(Failure)
        -> Google_Protobuf_DescriptorProto
    {
        let element = open(path)
        advance()
        var message = Google_Protobuf_DescriptorProto()
        message.name = try record(self.path(element, PathNumber.Message.name)) {
            (parser) throws(Failure) in
            try parser.identifier("a message name")
        }
        try parseMessageBlock(&message, element, depth)
        if isProto3 { addSyntheticOneofs(&message) }
        close(element)
        return message
    }

    mutating func parseMessageBlock(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ element: Element,
        _ depth: Int
    ) throws(Failure) {
        try checkDepth(depth)
        var options: [Google_Protobuf_UninterpretedOption] = []
        try block("message \"\(message.name)\"", of: element) { (parser) throws(Failure) in
            try parser.parseMessageStatement(&message, element, depth, &options)
        }
        setRangeLimits(&message, options)
        if !options.isEmpty { message.options.uninterpretedOption = options }
    }

    mutating func checkDepth(_ depth: Int) throws(Failure) {
        guard depth <= Self.nestingLimit else {
            throw fail("messages are nested more than \(Self.nestingLimit) levels deep")
        }
    }

    private mutating func parseMessageStatement(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ element: Element,
        _ depth: Int,
        _ options: inout [Google_Protobuf_UninterpretedOption]
    ) throws(Failure) {
        switch token.kind == .identifier ? token.text : "" {
        case "message":
            let index = Int32(clamping: message.nestedType.count)
            let nested = path(element, PathNumber.Message.nested, index)
            message.nestedType.append(try parseMessage(nested, depth: depth + 1))
        case "enum":
            let index = Int32(clamping: message.enumType.count)
            message.enumType.append(
                try parseEnum(path(element, PathNumber.Message.enumType, index))
            )
        case "extensions": try parseExtensionRanges(&message, element)
        case "reserved": try parseReserved(&message, element)
        case "option":
            let location = open(path(element, PathNumber.Message.options))
            options.append(
                try parseOption(location, index: options.count, isStatement: true)
            )
            close(location)
        case "extend":
            try withFieldScope(of: &message, element, depth) {
                (parser, message, scope) throws(Failure) in
                message.extension += try parser.parseExtend(
                    parser.path(element, PathNumber.Message.extension),
                    firstIndex: message.extension.count,
                    &scope
                )
            }
        case "oneof":
            try withFieldScope(of: &message, element, depth) {
                (parser, message, scope) throws(Failure) in
                try parser.parseOneof(&message, &scope)
            }
        default:
            try withFieldScope(of: &message, element, depth) {
                (parser, message, scope) throws(Failure) in
                let index = Int32(clamping: message.field.count)
                let location = parser.open(parser.path(element, PathNumber.Message.field, index))
                message.field.append(
                    try parser.parseField(Google_Protobuf_FieldDescriptorProto(), location, &scope)
                )
                parser.close(location)
            }
        }
    }

    /// Lends the message's nested types to its fields.
    private mutating func withFieldScope(
        of message: inout Google_Protobuf_DescriptorProto,
        _ element: Element,
        _ depth: Int,
        _ body: (inout Parser, inout Google_Protobuf_DescriptorProto, inout FieldScope)
            throws(Failure) -> Void
    ) throws(Failure) {
        var scope = FieldScope(
            parent: element,
            nestedNumber: PathNumber.Message.nested,
            nested: [],
            depth: depth
        )
        swap(&scope.nested, &message.nestedType)
        defer { swap(&scope.nested, &message.nestedType) }
        try body(&self, &message, &scope)
    }

    /// A proto3 `optional` field is the only member of a oneof of its own, behind the written ones.
    private func addSyntheticOneofs(_ message: inout Google_Protobuf_DescriptorProto) {
        var names = Set(message.oneofDecl.map(\.name) + message.field.map(\.name))
        for index in message.field.indices where message.field[index].proto3Optional {
            var name = NameStyle.syntheticOneof(message.field[index].name)
            while names.contains(name) { name = "X" + name }
            names.insert(name)
            message.field[index].oneofIndex = Int32(clamping: message.oneofDecl.count)
            message.oneofDecl.append(.with { $0.name = name })
        }
    }

    // MARK: Oneofs and extensions

    private mutating func parseOneof(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ scope: inout FieldScope
    ) throws(Failure) {
        let index = Int32(clamping: message.oneofDecl.count)
        let element = open(path(scope.parent, PathNumber.Message.oneof, index))
        advance()
        var oneof = Google_Protobuf_OneofDescriptorProto()
        oneof.name = try record(path(element, PathNumber.Oneof.name)) { (parser) throws(Failure) in
            try parser.identifier("a oneof name")
        }
        message.oneofDecl.append(oneof)
        try expectEnd("{", of: element)
        var options: [Google_Protobuf_UninterpretedOption] = []
        repeat {
            guard token.kind != .end, !hasEnoughErrors else {
                throw fail(
                    "the end of the file is inside of oneof \"\(oneof.name)\", a '}' is missing"
                )
            }
            if isAt("option") {
                let location = open(path(element, PathNumber.Oneof.options))
                options.append(
                    try parseOption(location, index: options.count, isStatement: true)
                )
                close(location)
            } else {
                try parseMember(of: index, &message, &scope)
            }
        } while !takeEnd("}", of: nil)
        if !options.isEmpty {
            message.oneofDecl[Int(index)].options.uninterpretedOption = options
        }
        close(element)
    }

    private mutating func parseMember(
        of oneof: Int32,
        _ message: inout Google_Protobuf_DescriptorProto,
        _ scope: inout FieldScope
    ) throws(Failure) {
        if Self.labels[token.text] != nil {
            report("a field of a oneof has no label")
            advance()
        }
        let index = Int32(clamping: message.field.count)
        let location = open(path(scope.parent, PathNumber.Message.field, index))
        var field = Google_Protobuf_FieldDescriptorProto()
        field.label = .optional
        field.oneofIndex = oneof
        do throws(Failure) {
            message.field.append(try parseFieldWithoutLabel(field, location, &scope))
        } catch {
            skipStatement()
        }
        close(location)
    }

    mutating func parseExtend(
        _ path: [Int32],
        firstIndex: Int,
        _ scope: inout FieldScope
    ) throws(Failure) -> [Google_Protobuf_FieldDescriptorProto] {
        let element = open(path)
        advance()
        let extendeeStart = token
        let extendee = try typeName()
        let extendeeEnd = previous
        try expectEnd("{", of: element)
        var fields: [Google_Protobuf_FieldDescriptorProto] = []
        repeat {
            guard token.kind != .end, !hasEnoughErrors else {
                throw fail("the end of the file is inside of an extend block, a '}' is missing")
            }
            let location = open(self.path(element, Int32(clamping: firstIndex + fields.count)))
            record(
                self.path(location, PathNumber.Field.extendee),
                from: extendeeStart,
                to: extendeeEnd
            )
            var field = Google_Protobuf_FieldDescriptorProto()
            field.extendee = extendee
            do throws(Failure) {
                fields.append(try parseField(field, location, &scope))
            } catch {
                skipStatement()
            }
            close(location)
        } while !takeEnd("}", of: nil)
        close(element)
        return fields
    }
}
