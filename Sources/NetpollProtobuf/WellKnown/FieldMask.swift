extension Google_Protobuf_FieldMask: ExpressibleByArrayLiteral {
    /// Creates a mask from paths of names as `.proto` files have them: `user.display_name`.
    public init(protoPaths: [String]) {
        self.init()
        paths = protoPaths
    }

    /// Creates a mask from paths of names as `.proto` files have them: `user.display_name`.
    public init(protoPaths: String...) { self.init(protoPaths: protoPaths) }

    /// Creates a mask from a literal of paths.
    public init(arrayLiteral elements: String...) { self.init(protoPaths: elements) }

    /// Creates a mask from paths in lowerCamelCase: `user.displayName`.
    ///
    /// Returns `nil` if one of them has an underscore or is empty.
    public init?(jsonPaths: String...) {
        var paths: [String] = []
        for text in jsonPaths {
            guard let path = Array(text.utf8).withUnsafeBytes(FieldMaskText.parse),
                path.count == 1
            else { return nil }
            paths += path
        }
        self.init(protoPaths: paths)
    }

    /// Creates a mask with a path for each field of a message type.
    public init<M: Message>(allFieldsOf type: M.Type) {
        self.init(protoPaths: M.messageSchema.fields.map(\.name))
    }

    /// Whether all paths lead to fields of a message type.
    ///
    /// A list or map can only be the end of a path.
    public func isValid<M: Message>(for type: M.Type) -> Bool {
        paths.allSatisfy { M.isPathValid($0) }
    }

    // MARK: Masks as sets of paths

    /// The mask with its paths sorted, and without those that another path covers.
    public var canonical: Self {
        var kept: [String] = []
        for path in paths.sorted(by: Self.precedes)
        where kept.last.map({ !Self.covers($0, path) }) ?? true {
            kept.append(path)
        }
        return Self(protoPaths: kept)
    }

    /// Whether a path, or one that leads to it, is in the mask.
    public func contains(_ path: String) -> Bool { paths.contains { Self.covers($0, path) } }

    /// The paths of both masks, in canonical form.
    public func union(_ other: Self) -> Self { Self(protoPaths: paths + other.paths).canonical }

    /// The paths that both masks cover, in canonical form.
    public func intersect(_ other: Self) -> Self {
        Self(protoPaths: paths.filter(other.contains) + other.paths.filter(contains)).canonical
    }

    /// The paths of this mask that the other does not cover, in canonical form.
    public func subtract(_ other: Self) -> Self {
        Self(protoPaths: paths.filter { !other.contains($0) }).canonical
    }

    /// Whether a path is another or leads to it.
    private static func covers(_ path: String, _ other: String) -> Bool {
        other.utf8.starts(with: path.utf8)
            && (other.utf8.count == path.utf8.count
                || other.utf8.dropFirst(path.utf8.count).first == UInt8(ascii: "."))
    }

    /// Orders paths by their names, so that what a path covers stands right behind it.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.split(separator: ".").lexicographicallyPrecedes(right.split(separator: "."))
    }
}
