/// A value that may be the key of a map: integers, `Bool` and strings.
///
/// For generated code.
public protocol MapKey: FieldValue {
    /// The order in which deterministic encoding writes a map's entries.
    static func precedes(_ left: Self, _ right: Self) -> Bool
}

extension MapKey where Self: Comparable {
    /// The order in which deterministic encoding writes a map's entries.
    public static func precedes(_ left: Self, _ right: Self) -> Bool { left < right }
}

extension Int32: MapKey {}
extension Int64: MapKey {}
extension UInt32: MapKey {}
extension UInt64: MapKey {}

extension Bool: MapKey {
    /// The order in which deterministic encoding writes a map's entries: false first.
    public static func precedes(_ left: Bool, _ right: Bool) -> Bool { !left && right }
}

extension String: MapKey {
    /// The order in which deterministic encoding writes a map's entries: that of the UTF-8 bytes.
    public static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }
}
