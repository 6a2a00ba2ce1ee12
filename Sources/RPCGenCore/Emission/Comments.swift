internal import NetpollProtobuf

/// The comments of a file, by the path of what they belong to.
struct Comments {
    private var leading: [[Int32]: String] = [:]

    init(_ file: Google_Protobuf_FileDescriptorProto) {
        for location in file.sourceCodeInfo.location where location.hasLeadingComments {
            leading[location.path] = location.leadingComments
        }
    }

    subscript(path: [Int32]) -> String? { leading[path] }
}
