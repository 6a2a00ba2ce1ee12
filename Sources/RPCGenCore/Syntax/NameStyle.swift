/// How protoc turns names into other names.
enum NameStyle {
    /// `foo_bar` to `fooBar`, the name of a field in JSON: letters behind underscores become
    /// capitals, all else stays.
    static func json(_ name: String) -> String { joined(name, capitalizesFirst: false) }

    /// `foo_bar` to `FooBarEntry`, the message behind a map field.
    static func mapEntry(_ name: String) -> String {
        joined(name, capitalizesFirst: true) + "Entry"
    }

    /// The name without underscores and in lower case.
    static func folded(_ name: String) -> String {
        String(decoding: name.utf8.filter { $0 != 0x5F }.map(lower), as: UTF8.self)
    }

    /// The oneof of a proto3 `optional` field, before it is made unique.
    static func syntheticOneof(_ name: String) -> String { name.hasPrefix("_") ? name : "_" + name }

    /// `MY_ENUM_FOO_BAR` of `MyEnum` to `FooBar`: what generators make of an enum value's name.
    ///
    /// - Parameters:
    ///   - name: The value's name.
    ///   - prefix: The folded name of the enum.
    /// - Returns: The short name.
    static func enumValue(_ name: String, withoutPrefix prefix: String) -> String {
        var result: [UInt8] = []
        var capitalizes = true
        for byte in withoutPrefix(Array(name.utf8), prefix.utf8) {
            if byte == 0x5F {
                capitalizes = true
            } else {
                result.append(capitalizes ? upper(byte) : lower(byte))
                capitalizes = false
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// A value's name behind the name of its enum, unless nothing would be left.
    private static func withoutPrefix(_ name: [UInt8], _ prefix: String.UTF8View)
        -> ArraySlice<UInt8>
    {
        var rest = name[...]
        var expected = prefix[...]
        while let byte = rest.first, let next = expected.first {
            if byte != 0x5F {
                guard lower(byte) == next else { return name[...] }
                expected.removeFirst()
            }
            rest.removeFirst()
        }
        rest = rest.drop { $0 == 0x5F }
        return expected.isEmpty && !rest.isEmpty ? rest : name[...]
    }

    private static func joined(_ name: String, capitalizesFirst: Bool) -> String {
        var result: [UInt8] = []
        var capitalizes = capitalizesFirst
        for byte in name.utf8 {
            if byte == 0x5F {
                capitalizes = true
            } else {
                result.append(capitalizes ? upper(byte) : byte)
                capitalizes = false
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte + 0x20 : byte
    }

    private static func upper(_ byte: UInt8) -> UInt8 {
        (0x61...0x7A).contains(byte) ? byte - 0x20 : byte
    }
}
