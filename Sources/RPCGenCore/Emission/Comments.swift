internal import NetpollProtobuf

/// The comments of a file, by the path of what they belong to.
struct Comments {
    private var texts: [[Int32]: String] = [:]

    init(_ file: Google_Protobuf_FileDescriptorProto) {
        for location in file.sourceCodeInfo.location {
            let parts = [
                location.hasLeadingComments ? location.leadingComments : "",
                location.hasTrailingComments ? location.trailingComments : "",
            ].filter { !$0.isEmpty }
            if !parts.isEmpty { texts[location.path] = parts.joined(separator: "\n") }
        }
    }

    subscript(path: [Int32]) -> String? { texts[path] }
}
