internal import NetpollProtobuf

/// The descriptors of a service's `.proto` file and of all that it imports, as generated code carries
/// them.
///
/// Costs nothing until somebody asks for them: the text stays where the program's image has it.
public struct FileDescriptors: Sendable, Hashable {
    private let text: StaticString

    /// Creates descriptors.
    ///
    /// - Parameter text: An encoded `google.protobuf.FileDescriptorSet` in Base64.
    public init(base64 text: StaticString) { self.text = text }

    /// Reads the text.
    ///
    /// - Returns: The files; none if the text is not what it should be.
    func decoded() -> [Google_Protobuf_FileDescriptorProto] {
        let set = Base64.decoded(text).flatMap {
            try? Google_Protobuf_FileDescriptorSet(serializedBytes: $0)
        }
        return set?.file ?? []
    }

    /// Whether the texts are the same.
    public static func == (one: FileDescriptors, other: FileDescriptors) -> Bool {
        one.text.description == other.text.description
    }

    /// Feeds the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(text.description) }
}
