/// A path on the command line, to be turned into the name that imports would use.
public struct InputPath: Sendable {
    /// Why a path has no such name.
    public struct Shadowed: Error {
        /// The file that an import of the name would find.
        public let other: String
    }

    private let path: String

    /// Creates a path.
    public init(_ path: String) { self.path = Self.canonical(path) }

    /// The path relative to the first import root that it lies in.
    ///
    /// A path in none of them stands for itself: it may be a name already.
    ///
    /// - Parameters:
    ///   - roots: The import roots, first one first.
    ///   - exists: Whether there is a file at a path.
    /// - Returns: The name.
    /// - Throws: ``Shadowed`` if an import of the name would find another file.
    public func name(in roots: [String], exists: (String) -> Bool) throws(Shadowed) -> String {
        guard exists(path) else { return path }
        for (index, root) in roots.enumerated() {
            guard let name = relative(to: Self.canonical(root)) else { continue }
            for earlier in roots.prefix(index) where exists("\(earlier)/\(name)") {
                throw Shadowed(other: "\(earlier)/\(name)")
            }
            return name
        }
        return path
    }

    private func relative(to root: String) -> String? {
        if root.isEmpty {
            let leavesRoot = path.split(separator: "/").contains("..")
            return path.hasPrefix("/") || leavesRoot ? nil : path
        }
        let prefix = root.hasSuffix("/") ? root : root + "/"
        return path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : nil
    }

    /// Without "." and doubled slashes.
    private static func canonical(_ path: String) -> String {
        let parts = path.split(separator: "/").filter { $0 != "." }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
}
