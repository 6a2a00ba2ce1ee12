/// The paths of a field mask as text: in lowerCamelCase, with commas between them.
enum FieldMaskText {
    /// The text, or `nil` if a path would not come back from it as it was.
    static func describe(_ paths: [String]) -> String? {
        var text: [UInt8] = []
        for path in paths {
            guard let camel = lowerCamel(path) else { return nil }
            if !text.isEmpty { text.append(UInt8(ascii: ",")) }
            text += camel
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The paths that a text stands for, or `nil` if it is not in lowerCamelCase.
    static func parse(_ text: UnsafeRawBufferPointer) -> [String]? {
        if text.isEmpty { return [] }
        var paths: [String] = []
        for camel in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            guard let path = snake(camel) else { return nil }
            paths.append(path)
        }
        return paths
    }

    private static func lowerCamel(_ path: String) -> [UInt8]? {
        guard !path.isEmpty else { return nil }
        var result: [UInt8] = []
        var isBehindUnderscore = false
        for byte in path.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"):
                result.append(isBehindUnderscore ? byte - 0x20 : byte)
                isBehindUnderscore = false
            // Only small letters come back from behind an underscore, and capitals not at all.
            case _ where isBehindUnderscore, UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: ","):
                return nil
            case UInt8(ascii: "_"): isBehindUnderscore = true
            default: result.append(byte)
            }
        }
        return isBehindUnderscore ? nil : result
    }

    private static func snake(_ camel: some Collection<UInt8>) -> String? {
        guard !camel.isEmpty else { return nil }
        var result: [UInt8] = []
        for byte in camel {
            switch byte {
            case UInt8(ascii: "_"): return nil
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                result += [UInt8(ascii: "_"), byte + 0x20]
            default: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
