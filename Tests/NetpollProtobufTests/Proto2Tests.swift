import NetpollProtobuf
import Testing

/// The descriptor types are generated from a proto2 file.
@Suite("proto2")
struct Proto2Tests {
    @Test("fields have presence and defaults of their own")
    func presence() throws {
        var options = Google_Protobuf_FileOptions()
        #expect(
            options.optimizeFor == .speed && !options.hasOptimizeFor && !options.javaMultipleFiles
        )
        options.javaMultipleFiles = false
        #expect(options.hasJavaMultipleFiles)
        #expect(try options.serializedBytes() == hexBytes("5000"))
        options.clearJavaMultipleFiles()
        #expect(try options.serializedBytes().isEmpty)
    }

    @Test("a number that a closed enum does not know stays among the unknown fields")
    func closedEnums() throws {
        let known = try Google_Protobuf_FieldDescriptorProto(serializedBytes: hexBytes("2001"))
        #expect(known.label == .optional && known.unknownFields.isEmpty)
        let unknown = try Google_Protobuf_FieldDescriptorProto(serializedBytes: hexBytes("2009"))
        #expect(!unknown.hasLabel && unknown.unknownFields.bytes == hexBytes("2009"))
        #expect(try unknown.serializedBytes() == hexBytes("2009"))
    }

    @Test("a missing required field is an error on both sides, unless the message may be partial")
    func required() throws {
        typealias Part = Google_Protobuf_UninterpretedOption.NamePart
        let error = #expect(throws: ProtobufError.self) { try Part().serializedBytes() }
        #expect(error?.code == .missingRequiredField)
        #expect(error?.message.contains("name_part") == true)
        #expect(throws: ProtobufError.self) { try Part(serializedBytes: hexBytes("0a0161")) }
        let nested = hexBytes("12030a0161")
        #expect(throws: ProtobufError.self) {
            try Google_Protobuf_UninterpretedOption(serializedBytes: nested)
        }
        let partial = try Google_Protobuf_UninterpretedOption(
            serializedBytes: nested,
            partial: true
        )
        #expect(partial.name[0].namePart == "a" && !partial.name[0].hasIsExtension)
    }

    @Test("packed and unpacked lists are written as the file says")
    func packing() throws {
        var location = Google_Protobuf_SourceCodeInfo.Location()
        location.path = [4, 0]
        #expect(try location.serializedBytes() == hexBytes("0a020400"))
        var file = Google_Protobuf_FileDescriptorProto()
        file.publicDependency = [1, 2]
        #expect(try file.serializedBytes() == hexBytes("50015002"))
    }

    @Test("a message is initialized when its required fields and those in it have values")
    func initialized() {
        var message = Google_Protobuf_UninterpretedOption()
        #expect(message.isInitialized)
        message.name = [.init()]
        #expect(!message.isInitialized)
        message.name[0].namePart = "a"
        #expect(!message.isInitialized)
        message.name[0].isExtension = false
        #expect(message.isInitialized)
    }

    @Test("an error says which field of which message it is about")
    func paths() {
        let error = #expect(throws: ProtobufError.self) {
            try Google_Protobuf_UninterpretedOption(
                serializedBytes: hexBytes("12050a01611001 12030a0162")
            )
        }
        #expect(error?.path == "google.protobuf.UninterpretedOption.name[1].is_extension")
        #expect(
            error?.description
                == "missingRequiredField: google.protobuf.UninterpretedOption.name[1].is_extension: "
                + "the required field has no value"
        )
    }
}
