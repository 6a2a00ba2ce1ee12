internal import NetpollProtobuf

/// A file as it was parsed: its descriptor with names not resolved yet, and where things stand.
///
/// A path names an element of the descriptor as `SourceCodeInfo` does: field numbers and indexes
/// from the file downwards.
struct ParsedFile {
    let path: String
    var descriptor = Google_Protobuf_FileDescriptorProto()
    /// Where an element begins, or where the part of it stands that may be wrong.
    var locations: [[Int32]: SourceLocation] = [:]
    var isProto3: Bool { descriptor.syntax == "proto3" }

    init(path: String) { self.path = path }

    /// The nearest known place of an element.
    func location(_ path: [Int32]) -> SourceLocation {
        var path = path[...]
        while !path.isEmpty {
            if let found = locations[Array(path)] { return found }
            path = path.dropLast()
        }
        return .start
    }
}

/// The field numbers of descriptor.proto that paths are made of.
enum PathNumber {
    enum File {
        static let dependency: Int32 = 3
        static let message: Int32 = 4
        static let enumType: Int32 = 5
        static let service: Int32 = 6
        static let syntax: Int32 = 12
        static let package: Int32 = 2
    }
    enum Message {
        static let field: Int32 = 2
        static let nested: Int32 = 3
        static let enumType: Int32 = 4
        static let oneof: Int32 = 8
    }
    enum Field {
        static let number: Int32 = 3
        static let typeName: Int32 = 6
    }
    enum Enum {
        static let value: Int32 = 2
    }
    enum EnumValue { static let number: Int32 = 2 }
    enum Service { static let method: Int32 = 2 }
    enum Method {
        static let input: Int32 = 2
        static let output: Int32 = 3
    }
}
