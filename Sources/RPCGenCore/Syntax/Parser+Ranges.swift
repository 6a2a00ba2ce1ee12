internal import NetpollProtobuf

/// The numbers of an `extensions` or `reserved` statement, the end not included; `nil` stands for
/// `max`, whose meaning depends on the message's options.
private struct NumberRange {
    let start: Int32
    let end: Int32?
}

extension Parser {
    private static let maxFieldNumber: Int32 = 536_870_911
    /// What `max` becomes until the message's options are known.
    private static let unlimited: Int32 = -1

    // MARK: Messages

    mutating func parseExtensionRanges(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ parent: Element
    ) throws(Failure) {
        let element = open(path(parent, PathNumber.Message.extensionRange))
        advance()
        let first = message.extensionRange.count
        repeat {
            let index = Int32(clamping: message.extensionRange.count)
            let location = open(path(element, index))
            let range = try parseRange(location, "a range of field numbers")
            close(location)
            message.extensionRange.append(
                .with {
                    $0.start = range.start
                    $0.end = range.end ?? Self.unlimited
                }
            )
        } while take(",")
        if isAt("[") { try parseRangeOptions(&message, element, first) }
        try expectEnd(";", of: element)
        close(element)
    }

    /// All ranges of a statement have its options, and each has the places of them.
    private mutating func parseRangeOptions(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ element: Element,
        _ first: Int
    ) throws(Failure) {
        let mark = locations.entries.count
        let location = open(path(element, 0, PathNumber.Range.options))
        advance()
        var options: [Google_Protobuf_UninterpretedOption] = []
        repeat {
            options.append(
                try parseOption(location, index: options.count, isStatement: false)
            )
        } while take(",")
        try expect("]")
        close(location)
        let ranges = message.extensionRange.count - first
        let (copies, isHuge) = ranges.multipliedReportingOverflow(by: options.count)
        guard !isHuge, copies <= rangeOptionBudget else {
            throw fail("the file has too many options of extension ranges")
        }
        rangeOptionBudget -= copies
        let entries = locations.removeEntries(from: mark)
        for index in first..<message.extensionRange.count {
            message.extensionRange[index].options.uninterpretedOption = options
            for var entry in entries {
                entry.path[element.path.count] = Int32(clamping: index)
                locations.append(entry)
            }
        }
    }

    mutating func parseReserved(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ parent: Element
    ) throws(Failure) {
        let start = token
        advance()
        if token.kind == .string {
            let element = locations.open(path(parent, PathNumber.Message.reservedName), at: start)
            message.reservedName += try parseReservedNames(
                element,
                firstIndex: message.reservedName.count,
                "a field name"
            )
            return
        }
        let element = locations.open(path(parent, PathNumber.Message.reservedRange), at: start)
        var what = "a field name or a range of field numbers"
        repeat {
            let location = open(path(element, Int32(clamping: message.reservedRange.count)))
            let range = try parseRange(location, what)
            close(location)
            message.reservedRange.append(
                .with {
                    $0.start = range.start
                    $0.end = range.end ?? Self.unlimited
                }
            )
            what = "a range of field numbers"
        } while take(",")
        try expectEnd(";", of: element)
        close(element)
    }

    /// Gives `max` its meaning: message sets have larger numbers.
    func setRangeLimits(
        _ message: inout Google_Protobuf_DescriptorProto,
        _ options: [Google_Protobuf_UninterpretedOption]
    ) {
        let isMessageSet = options.contains {
            $0.name.count == 1 && $0.name[0].namePart == "message_set_wire_format"
                && $0.identifierValue == "true"
        }
        let limit = isMessageSet ? Int32.max : Self.maxFieldNumber + 1
        for index in message.extensionRange.indices
        where message.extensionRange[index].end == Self.unlimited {
            message.extensionRange[index].end = limit
        }
        for index in message.reservedRange.indices
        where message.reservedRange[index].end == Self.unlimited {
            message.reservedRange[index].end = limit
        }
    }

    private mutating func parseRange(_ location: Element, _ what: String) throws(Failure)
        -> NumberRange
    {
        let start = token
        let first = try int32(what)
        record(path(location, PathNumber.Range.start), from: start)
        guard take("to") else {
            record(path(location, PathNumber.Range.end), from: start)
            return NumberRange(start: first, end: behind(first))
        }
        let endPath = path(location, PathNumber.Range.end)
        if isAt("max") {
            record(endPath, from: token, to: token)
            advance()
            return NumberRange(start: first, end: nil)
        }
        let last = try record(endPath) { (parser) throws(Failure) in
            try parser.int32("a field number")
        }
        return NumberRange(start: first, end: behind(last))
    }

    /// The first number behind a range; as in protoc, what lies behind the largest wraps around and
    /// makes the range empty, which is an error later.
    private func behind(_ number: Int32) -> Int32 { number &+ 1 }

    private mutating func parseReservedNames(
        _ element: Element,
        firstIndex: Int,
        _ what: String
    ) throws(Failure) -> [String] {
        var names: [String] = []
        repeat {
            let name = try record(path(element, Int32(clamping: firstIndex + names.count))) {
                (parser) throws(Failure) in
                RawText(bytes: try parser.string(what)).text
            }
            names.append(name)
        } while take(",")
        try expectEnd(";", of: element)
        close(element)
        return names
    }

    // MARK: Enums

    mutating func parseReserved(
        _ item: inout Google_Protobuf_EnumDescriptorProto,
        _ parent: Element
    ) throws(Failure) {
        let start = token
        advance()
        if token.kind == .string {
            let element = locations.open(path(parent, PathNumber.Enum.reservedName), at: start)
            item.reservedName += try parseReservedNames(
                element,
                firstIndex: item.reservedName.count,
                "an enum value's name"
            )
            return
        }
        let element = locations.open(path(parent, PathNumber.Enum.reservedRange), at: start)
        var what = "an enum value or a range of numbers"
        repeat {
            let location = open(path(element, Int32(clamping: item.reservedRange.count)))
            item.reservedRange.append(try parseEnumRange(location, what))
            close(location)
            what = "a range of enum numbers"
        } while take(",")
        try expectEnd(";", of: element)
        close(element)
    }

    /// Unlike a message's, an enum's reserved range includes its end.
    private mutating func parseEnumRange(_ location: Element, _ what: String) throws(Failure)
        -> Google_Protobuf_EnumDescriptorProto.EnumReservedRange
    {
        let start = token
        var range = Google_Protobuf_EnumDescriptorProto.EnumReservedRange()
        range.start = try signedInt32(what)
        record(path(location, PathNumber.Range.start), from: start)
        guard take("to") else {
            // Of a negative number only the sign, as in protoc.
            record(path(location, PathNumber.Range.end), from: start, to: start)
            range.end = range.start
            return range
        }
        range.end = try record(path(location, PathNumber.Range.end)) { (parser) throws(Failure) in
            if parser.take("max") { return Int32.max }
            return try parser.signedInt32("an enum number")
        }
        return range
    }
}
