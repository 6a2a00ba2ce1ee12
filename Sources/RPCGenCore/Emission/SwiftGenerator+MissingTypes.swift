internal import NetpollProtobuf

extension SwiftGenerator {
    /// An error for each type that a file names and that none of the given files declares.
    ///
    /// The compiler leaves none; a descriptor set may lack imports.
    func missingTypes(_ file: Google_Protobuf_FileDescriptorProto) -> [Diagnostic] {
        var missing: [String] = []
        func check(_ name: String, _ place: String) {
            guard index.messages[name] == nil, index.enums[name] == nil else { return }
            missing.append("\"\(name)\", the type of \(place), is in none of the given files")
        }
        func check(_ field: Google_Protobuf_FieldDescriptorProto, in scope: String) {
            if field.hasTypeName { check(field.typeName, "\(scope)\(field.name)") }
            if field.hasExtendee { check(field.extendee, "what \(scope)\(field.name) extends") }
        }
        func check(_ message: Google_Protobuf_DescriptorProto, in scope: String) {
            let inner = "\(scope)\(message.name)."
            for field in message.field + message.extension { check(field, in: inner) }
            for nested in message.nestedType { check(nested, in: inner) }
        }
        for message in file.messageType { check(message, in: "") }
        for field in file.extension { check(field, in: "") }
        for service in file.service {
            for method in service.method {
                check(method.inputType, "\(service.name).\(method.name)'s request")
                check(method.outputType, "\(service.name).\(method.name)'s response")
            }
        }
        return missing.map { Diagnostic(path: file.name, location: .start, message: $0) }
    }
}
