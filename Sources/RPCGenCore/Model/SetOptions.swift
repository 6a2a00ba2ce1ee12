/// Which fields of an options message have been set, down into the messages in it.
///
/// Whole messages are looked into only when a field of them is asked for.
struct SetOptions {
    private var unread: [[UInt8]] = []
    private var children: [Int32: SetOptions] = [:]

    /// Whether the field at a path of field numbers has been set.
    mutating func contains(_ path: ArraySlice<Int32>) -> Bool {
        guard let number = path.first else { return true }
        readContents()
        let rest = path.dropFirst()
        return children[number]?.contains(rest) ?? false
    }

    /// Notes that the field at a path has a value.
    mutating func insert(_ path: ArraySlice<Int32>, _ value: WireValue) {
        guard let number = path.first else {
            switch value {
            case .bytes(let bytes), .group(let bytes): unread.append(bytes)
            default: break
            }
            return
        }
        readContents()
        children[number, default: SetOptions()].insert(path.dropFirst(), value)
    }

    private mutating func readContents() {
        let contents = unread
        unread = []
        for bytes in contents {
            var fields = WireFields(bytes)
            while let (number, value) = fields.next() {
                children[number, default: SetOptions()].insert([], value)
            }
        }
    }
}
