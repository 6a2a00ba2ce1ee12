/// The names that were given out in one Swift scope.
struct NameScope {
    private var taken: Set<String>

    init(_ taken: some Sequence<String> = []) { self.taken = Set(taken) }

    func contains(_ name: String) -> Bool { taken.contains(name) }

    mutating func add(_ names: Set<String>) { taken.formUnion(names) }

    /// Gives out names that belong together.
    ///
    /// - Parameters:
    ///   - suffix: What parts them from others.
    ///   - names: The names with something at their ends.
    /// - Returns: What stands at their ends: nothing if all are free, and otherwise the suffix, with
    ///   underscores if others have it too.
    mutating func place(_ suffix: String, _ names: (_ end: String) -> [String]) -> String {
        var end = ""
        while names(end).contains(where: taken.contains) { end += end.isEmpty ? suffix : "_" }
        taken.formUnion(names(end))
        return end
    }
}
