internal import NetpollProtobuf

/// Numbers and names that are reserved, or left to extensions.
extension Resolver {
    static let maxFieldNumber: Int32 = 536_870_911

    mutating func validateRanges(
        _ message: Google_Protobuf_DescriptorProto,
        _ id: SymbolTable.ID,
        _ path: [Int32]
    ) {
        let extensions = message.extensionRange
        let reserved = message.reservedRange
        func extensionPath(_ index: Int) -> [Int32] {
            path + [PathNumber.Message.extensionRange, Int32(clamping: index)]
        }
        func reservedPath(_ index: Int) -> [Int32] {
            path + [PathNumber.Message.reservedRange, Int32(clamping: index)]
        }
        for (index, range) in extensions.enumerated() {
            if range.start <= 0 {
                fail(extensionPath(index), "extension numbers must be positive integers")
            }
            if range.start >= range.end {
                fail(
                    extensionPath(index),
                    "the end of an extension range must be greater than its start"
                )
            }
        }
        for (index, range) in reserved.enumerated() where range.start <= 0 {
            fail(reservedPath(index), "reserved numbers must be positive integers")
        }
        let extensionIndex = RangeIndex(extensions.map { ($0.start, $0.end) })
        let reservedIndex = RangeIndex(reserved.map { ($0.start, $0.end) })
        table.updateMessage(id) { $0.extensionRanges = extensionIndex }
        for (first, second) in reservedIndex.overlaps {
            fail(
                reservedPath(first),
                "reserved range \(shown(reserved[second])) overlaps with \(shown(reserved[first]))"
            )
        }
        for (first, second) in extensionIndex.overlaps {
            fail(
                extensionPath(first),
                "extension range \(shown(extensions[second])) overlaps with "
                    + shown(extensions[first])
            )
        }
        for (index, range) in extensions.enumerated() {
            guard let other = reservedIndex.position(meeting: range.start, range.end) else {
                continue
            }
            fail(
                extensionPath(index),
                "extension range \(shown(range)) overlaps with reserved range "
                    + shown(reserved[other])
            )
        }
        validateNumbers(message, extensionIndex, reservedIndex, path)
        validateReservedNames(message, path)
    }

    private func shown(_ range: Google_Protobuf_DescriptorProto.ExtensionRange) -> String {
        "\(range.start) to \(Int(range.end) - 1)"
    }

    private func shown(_ range: Google_Protobuf_DescriptorProto.ReservedRange) -> String {
        "\(range.start) to \(Int(range.end) - 1)"
    }

    private mutating func validateNumbers(
        _ message: Google_Protobuf_DescriptorProto,
        _ extensions: RangeIndex,
        _ reserved: RangeIndex,
        _ path: [Int32]
    ) {
        for (index, field) in message.field.enumerated() {
            let number = Int64(field.number)
            if let range = extensions.position(of: number) {
                fail(
                    path + [PathNumber.Message.extensionRange, Int32(clamping: range)],
                    "extension range \(shown(message.extensionRange[range])) includes field "
                        + "\"\(field.name)\" (\(number))"
                )
            }
            guard reserved.position(of: number) != nil else { continue }
            fail(
                path + [
                    PathNumber.Message.field, Int32(clamping: index), PathNumber.Field.number,
                ],
                "field \"\(field.name)\" uses reserved number \(number)"
            )
        }
    }

    private mutating func validateReservedNames(
        _ message: Google_Protobuf_DescriptorProto,
        _ path: [Int32]
    ) {
        // Equal are names of the same bytes, not of the same letters.
        var names = Set<[UInt8]>()
        for name in message.reservedName where !names.insert(Array(name.utf8)).inserted {
            fail(
                path + [PathNumber.Message.name],
                "field name \"\(name)\" is reserved multiple times"
            )
        }
        for (index, field) in message.field.enumerated()
        where names.contains(Array(field.name.utf8)) {
            fail(
                path + [PathNumber.Message.field, Int32(clamping: index), PathNumber.Field.name],
                "field name \"\(field.name)\" is reserved"
            )
        }
    }

    // MARK: Enums

    mutating func validateRanges(_ item: Google_Protobuf_EnumDescriptorProto, _ path: [Int32]) {
        func rangePath(_ index: Int) -> [Int32] {
            path + [PathNumber.Enum.reservedRange, Int32(clamping: index)]
        }
        for (index, range) in item.reservedRange.enumerated() where range.start > range.end {
            fail(rangePath(index), "the end of a reserved range must not be below its start")
        }
        // Enum ranges include their end.
        let reserved = RangeIndex(item.reservedRange.map { (Int64($0.start), Int64($0.end) + 1) })
        for (first, second) in reserved.overlaps {
            let ranges = item.reservedRange
            fail(
                rangePath(first),
                "reserved range \(ranges[second].start) to \(ranges[second].end) overlaps with "
                    + "\(ranges[first].start) to \(ranges[first].end)"
            )
        }
        var names = Set<[UInt8]>()
        for name in item.reservedName where !names.insert(Array(name.utf8)).inserted {
            fail(
                path + [PathNumber.Enum.name],
                "enum value \"\(name)\" is reserved multiple times"
            )
        }
        for (index, value) in item.value.enumerated() {
            let valuePath = path + [PathNumber.Enum.value, Int32(clamping: index)]
            if reserved.position(of: Int64(value.number)) != nil {
                fail(
                    valuePath + [PathNumber.EnumValue.number],
                    "enum value \"\(value.name)\" uses reserved number \(value.number)"
                )
            }
            if names.contains(Array(value.name.utf8)) {
                fail(
                    valuePath + [PathNumber.EnumValue.name],
                    "enum value \"\(value.name)\" is reserved"
                )
            }
        }
    }

    /// Values must differ in more than case and the enum's name before them, unless they have the
    /// same number: generators leave the prefix away.
    mutating func validateNames(_ item: Google_Protobuf_EnumDescriptorProto, _ path: [Int32]) {
        // In proto2 it is no error, as such enums exist.
        guard file.isProto3 else { return }
        let prefix = NameStyle.folded(item.name)
        var byName: [String: Google_Protobuf_EnumValueDescriptorProto] = [:]
        for (index, value) in item.value.enumerated() {
            let name = NameStyle.enumValue(value.name, withoutPrefix: prefix)
            guard let other = byName[name] else {
                byName[name] = value
                continue
            }
            guard other.name != value.name, other.number != value.number else { continue }
            fail(
                path + [
                    PathNumber.Enum.value, Int32(clamping: index), PathNumber.EnumValue.name,
                ],
                "enum value \"\(value.name)\" has the same name as \"\(other.name)\" if case and "
                    + "the name of the enum before it are left away"
            )
        }
    }
}
