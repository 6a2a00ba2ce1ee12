internal import NetpollProtobuf

extension Parser {
    mutating func parseEnum(_ path: [Int32]) throws(Failure) -> Google_Protobuf_EnumDescriptorProto
    {
        let element = open(path)
        advance()
        var item = Google_Protobuf_EnumDescriptorProto()
        item.name = try record(self.path(element, PathNumber.Enum.name)) {
            (parser) throws(Failure) in
            try parser.identifier("an enum name")
        }
        var options: [Google_Protobuf_UninterpretedOption] = []
        try block("enum \"\(item.name)\"", of: element) { (parser) throws(Failure) in
            if parser.isAt("option") {
                let location = parser.open(parser.path(element, PathNumber.Enum.options))
                options.append(
                    try parser.parseOption(location, index: options.count, isStatement: true)
                )
                parser.close(location)
            } else if parser.isAt("reserved") {
                try parser.parseReserved(&item, element)
            } else {
                try parser.parseEnumValue(&item, element)
            }
        }
        try checkAliases(item, options)
        if !options.isEmpty { item.options.uninterpretedOption = options }
        close(element)
        return item
    }

    private mutating func parseEnumValue(
        _ item: inout Google_Protobuf_EnumDescriptorProto,
        _ parent: Element
    ) throws(Failure) {
        let index = Int32(clamping: item.value.count)
        let element = open(path(parent, PathNumber.Enum.value, index))
        var value = Google_Protobuf_EnumValueDescriptorProto()
        value.name = try record(path(element, PathNumber.EnumValue.name)) {
            (parser) throws(Failure) in
            try parser.identifier("an enum value's name")
        }
        try expect("=", "the enum value has no number: ")
        value.number = try record(path(element, PathNumber.EnumValue.number)) {
            (parser) throws(Failure) in
            try parser.signedInt32("an integer")
        }
        if isAt("[") {
            value.options.uninterpretedOption = try parseBracketOptions(
                path(element, PathNumber.EnumValue.options)
            )
        }
        try expectEnd(";", of: element)
        close(element)
        item.value.append(value)
    }

    private mutating func parseBracketOptions(_ path: [Int32]) throws(Failure)
        -> [Google_Protobuf_UninterpretedOption]
    {
        let element = open(path)
        advance()
        var options: [Google_Protobuf_UninterpretedOption] = []
        repeat {
            options.append(try parseOption(element, index: options.count, isStatement: false))
        } while take(",")
        try expect("]")
        close(element)
        return options
    }

    /// `allow_alias` must be true, and there must be an alias.
    private mutating func checkAliases(
        _ item: Google_Protobuf_EnumDescriptorProto,
        _ options: [Google_Protobuf_UninterpretedOption]
    ) throws(Failure) {
        guard let option = options.first(where: { $0.simpleName == "allow_alias" }) else { return }
        guard option.identifierValue == "true" else {
            throw fail("allow_alias = false of enum \"\(item.name)\" has no effect; remove it")
        }
        guard Set(item.value.map(\.number)).count == item.value.count else { return }
        throw fail(
            "enum \"\(item.name)\" has allow_alias, but no two values have the same number; remove it"
        )
    }
}

extension Google_Protobuf_UninterpretedOption {
    /// The name of a built-in option that is not nested.
    var simpleName: String? {
        name.count == 1 && !name[0].isExtension ? name[0].namePart : nil
    }
}
