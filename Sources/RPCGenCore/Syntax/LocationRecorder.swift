internal import NetpollProtobuf

/// An element whose place is being recorded: its path, and which entry of the recorder it is.
///
/// A path names an element of the descriptor as `SourceCodeInfo` does: field numbers and indexes
/// from the file downwards.
struct Element {
    var path: [Int32]
    let entry: Int
}

/// Collects the places of a file's elements, in the order in which protoc lists them.
struct LocationRecorder {
    struct Entry {
        var path: [Int32]
        var line: Int
        var column: Int
        var end: (line: Int, column: Int)?
        var comments: TokenComments?
    }

    private(set) var entries: [Entry] = []

    /// Begins an element at a token.
    mutating func open(_ path: [Int32], at token: Token) -> Element {
        entries.append(Entry(path: path, line: token.line, column: token.column))
        return Element(path: path, entry: entries.count - 1)
    }

    /// Ends an element with a token; only the first call counts.
    mutating func close(_ element: Element, at token: Token) {
        guard entries[element.entry].end == nil else { return }
        entries[element.entry].end = (token.line, token.endColumn)
    }

    /// Completes a path of which only the beginning was known when its element began.
    mutating func append(_ component: Int32, to element: inout Element) {
        element.path.append(component)
        entries[element.entry].path = element.path
    }

    /// Lets an element begin where another one does.
    mutating func move(_ element: Element, toStartOf other: Element) {
        entries[element.entry].line = entries[other.entry].line
        entries[element.entry].column = entries[other.entry].column
    }

    mutating func attach(_ comments: TokenComments, to element: Element) {
        entries[element.entry].comments = comments
    }

    /// Takes the entries from a position on away.
    mutating func removeEntries(from position: Int) -> [Entry] {
        defer { entries.removeSubrange(position...) }
        return Array(entries[position...])
    }

    mutating func append(_ entry: Entry) { entries.append(entry) }

    /// The entries as a descriptor holds them.
    var sourceCodeInfo: Google_Protobuf_SourceCodeInfo {
        .with { info in info.location = entries.map(\.location) }
    }
}

extension LocationRecorder.Entry {
    /// The numbers of fields that may hold text that is not UTF-8.
    private enum FieldNumber {
        static let leadingComments = 3
        static let trailingComments = 4
        static let leadingDetachedComments = 6
    }

    fileprivate var location: Google_Protobuf_SourceCodeInfo.Location {
        var result = Google_Protobuf_SourceCodeInfo.Location()
        result.path = path
        result.span = [Int32(clamping: line), Int32(clamping: column)]
        if let end {
            if end.line != line { result.span.append(Int32(clamping: end.line)) }
            result.span.append(Int32(clamping: end.column))
        }
        guard let comments else { return result }
        let leading = RawText(bytes: comments.leading)
        if !leading.bytes.isEmpty {
            result.leadingComments = leading.text
            leading.keep(asField: FieldNumber.leadingComments, in: &result.unknownFields)
        }
        let trailing = RawText(bytes: comments.trailing)
        if !trailing.bytes.isEmpty {
            result.trailingComments = trailing.text
            trailing.keep(asField: FieldNumber.trailingComments, in: &result.unknownFields)
        }
        addDetached(comments.detached, to: &result)
        return result
    }

    /// A repeated field cannot be corrected by a later value: if one text is not UTF-8, all of them
    /// are kept as they are.
    private func addDetached(
        _ comments: [[UInt8]],
        to result: inout Google_Protobuf_SourceCodeInfo.Location
    ) {
        let texts = comments.compactMap { String(validating: $0, as: UTF8.self) }
        if texts.count == comments.count {
            result.leadingDetachedComments = texts
            return
        }
        var wire = WireWriter()
        for comment in comments {
            wire.field(FieldNumber.leadingDetachedComments, bytes: comment)
        }
        result.unknownFields.bytes += wire.bytes
    }
}
