/// Writes messages for people to read, by reflection: no speed is asked of it.
enum DebugText {
    static func describe(_ message: some Message) -> String {
        var lines = ["\(type(of: message).protoMessageName):"]
        append(message, indent: "  ", to: &lines)
        return lines.joined(separator: "\n")
    }

    private static func append(_ message: Any, indent: String, to lines: inout [String]) {
        for child in Mirror(reflecting: message).children {
            guard let label = child.label, let value = shown(child.value) else { continue }
            let name = label.hasPrefix("_") ? String(label.dropFirst()) : label
            if value is any Message {
                lines.append("\(indent)\(name):")
                append(value, indent: indent + "  ", to: &lines)
            } else {
                lines.append("\(indent)\(name): \(value)")
            }
        }
    }

    /// The value without wrappers, or `nil` when there is nothing to show.
    private static func shown(_ value: Any) -> Any? {
        if let unknown = value as? UnknownFields { return unknown.isEmpty ? nil : unknown.bytes }
        if let text = value as? String { return text.isEmpty ? nil : "\"\(text)\"" }
        if let boxed = value as? any BoxedValue { return boxed.anyValue }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.flatMap { shown($0.value) }
        case .collection, .dictionary: return mirror.children.isEmpty ? nil : value
        default: return value
        }
    }
}

/// Lets reflection see through a ``Box``.
protocol BoxedValue {
    var anyValue: Any? { get }
}
