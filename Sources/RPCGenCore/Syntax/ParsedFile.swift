internal import NetpollProtobuf

/// A file as it was parsed: its descriptor with names and options not interpreted yet.
struct ParsedFile {
    let path: String
    var descriptor = Google_Protobuf_FileDescriptorProto()
    var isProto3: Bool { descriptor.syntax == "proto3" }

    init(path: String) { self.path = path }

    /// The place of an element, or of the nearest element around it that has one.
    ///
    /// It searches the file's locations: it is meant for errors, of which there are few.
    func location(_ path: [Int32]) -> SourceLocation {
        var path = path[...]
        while true {
            let found = descriptor.sourceCodeInfo.location.first {
                $0.path.elementsEqual(path) && $0.span.count >= 2
            }
            if let found {
                return SourceLocation(line: Int(found.span[0]) + 1, column: Int(found.span[1]) + 1)
            }
            guard !path.isEmpty else { return .start }
            path = path.dropLast()
        }
    }
}

/// The field numbers of descriptor.proto that paths are made of.
enum PathNumber {
    enum File {
        static let package: Int32 = 2
        static let dependency: Int32 = 3
        static let message: Int32 = 4
        static let enumType: Int32 = 5
        static let service: Int32 = 6
        static let `extension`: Int32 = 7
        static let options: Int32 = 8
        static let publicDependency: Int32 = 10
        static let weakDependency: Int32 = 11
        static let syntax: Int32 = 12
    }
    enum Message {
        static let name: Int32 = 1
        static let field: Int32 = 2
        static let nested: Int32 = 3
        static let enumType: Int32 = 4
        static let extensionRange: Int32 = 5
        static let `extension`: Int32 = 6
        static let options: Int32 = 7
        static let oneof: Int32 = 8
        static let reservedRange: Int32 = 9
        static let reservedName: Int32 = 10
    }
    /// The same for the ranges of messages and of enums.
    enum Range {
        static let start: Int32 = 1
        static let end: Int32 = 2
        static let options: Int32 = 3
    }
    enum Field {
        static let name: Int32 = 1
        static let extendee: Int32 = 2
        static let number: Int32 = 3
        static let label: Int32 = 4
        static let type: Int32 = 5
        static let typeName: Int32 = 6
        static let defaultValue: Int32 = 7
        static let options: Int32 = 8
        static let jsonName: Int32 = 10
    }
    enum Oneof {
        static let name: Int32 = 1
        static let options: Int32 = 2
    }
    enum Enum {
        static let name: Int32 = 1
        static let value: Int32 = 2
        static let options: Int32 = 3
        static let reservedRange: Int32 = 4
        static let reservedName: Int32 = 5
    }
    enum EnumValue {
        static let name: Int32 = 1
        static let number: Int32 = 2
        static let options: Int32 = 3
    }
    enum Service {
        static let name: Int32 = 1
        static let method: Int32 = 2
        static let options: Int32 = 3
    }
    enum Method {
        static let name: Int32 = 1
        static let input: Int32 = 2
        static let output: Int32 = 3
        static let options: Int32 = 4
        static let clientStreaming: Int32 = 5
        static let serverStreaming: Int32 = 6
    }
    enum Option {
        /// `uninterpreted_option` of every options message.
        static let uninterpreted: Int32 = 999
        static let name: Int32 = 2
        static let identifierValue: Int32 = 3
        static let positiveIntValue: Int32 = 4
        static let negativeIntValue: Int32 = 5
        static let doubleValue: Int32 = 6
        static let stringValue: Int32 = 7
        static let aggregateValue: Int32 = 8
        /// `name_part` of one part of a name.
        static let namePart: Int32 = 1
    }
}
