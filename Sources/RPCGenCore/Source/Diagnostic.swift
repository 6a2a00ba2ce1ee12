/// A place in a source file; lines and columns count from 1.
///
/// Columns count bytes, except that a tab goes to the next multiple of eight, as in protoc.
public struct SourceLocation: Sendable, Hashable {
    /// The line.
    public var line: Int
    /// The column.
    public var column: Int

    /// Creates a location.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The beginning of a file.
    public static let start = SourceLocation(line: 1, column: 1)
}

/// Something wrong in a source file.
public struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    /// The file, as it was named on the command line or in an import.
    public let path: String
    /// Where in the file.
    public let location: SourceLocation
    /// What is wrong.
    public let message: String

    /// Creates a diagnostic.
    public init(path: String, location: SourceLocation, message: String) {
        self.path = path
        self.location = location
        self.message = message
    }

    /// `path:line:column: error: message`.
    public var description: String {
        "\(path):\(location.line):\(location.column): error: \(message)"
    }
}

/// What is wrong with a set of files, in the order in which it was found.
public struct Diagnostics: Sendable {
    /// More errors than this are not kept: whoever has so many looks at the first ones.
    static let limit = 100

    /// The errors.
    public private(set) var errors: [Diagnostic] = []

    /// Whether nothing is wrong.
    public var isEmpty: Bool { errors.isEmpty }

    /// Whether further errors would be dropped, so that looking for them is of no use.
    var isFull: Bool { errors.count >= Self.limit }

    mutating func add(_ path: String, _ location: SourceLocation, _ message: String) {
        guard !isFull else { return }
        errors.append(Diagnostic(path: path, location: location, message: message))
    }

    mutating func add(_ others: Diagnostics) {
        errors += others.errors.prefix(Self.limit - errors.count)
    }
}
