import NetpollProtobuf
import TestProtos
import Testing

@Suite("JSON of extensions")
struct JSONExtensionTests {
    private func sample() -> Tests_Extended {
        .with {
            $0.number = 1
            $0.Tests_count = 5
            $0.Tests_label = "l"
            $0.Tests_raw = [1, 2]
            $0.Tests_grade = .low
            $0.Tests_payload.again.Tests_names = ["deep"]
            $0.Tests_item.value = 3
            $0.Tests_loose = [-1, 1]
            $0.Tests_payloads = [.with { $0.text = "t" }, .init()]
            $0.Tests_grades = [.high, .low]
            $0.Tests_ratio = 0.5
        }
    }

    private let text =
        #"{"number":1,"[tests.count]":5,"[tests.label]":"l","[tests.raw]":"AQI=","#
        + #""[tests.grade]":"GRADE_LOW","[tests.payload]":{"again":{"[tests.names]":["deep"]}},"#
        + #""[tests.item]":{"value":3},"[tests.loose]":[-1,1],"#
        + #""[tests.payloads]":[{"text":"t"},{}],"[tests.grades]":["GRADE_HIGH","GRADE_LOW"],"#
        + #""[tests.ratio]":0.5}"#

    @Test("extensions have their full names in brackets, there and back")
    func roundTrip() throws {
        #expect(try sample().jsonString() == text)
        let decoded = try Tests_Extended(jsonString: text, extensions: Tests_Extensions_Extensions)
        #expect(decoded == sample())
    }

    @Test("an extension that is not in the map is an unknown field")
    func unknown() throws {
        let error = #expect(throws: ProtobufError.self) { try Tests_Extended(jsonString: text) }
        #expect(error?.code == .unknownField)
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        let decoded = try Tests_Extended(jsonString: text, options: options)
        #expect(decoded == .with { $0.number = 1 })
        let bytes = try Tests_Extended(serializedBytes: sample().serializedBytes())
        #expect(try bytes.jsonString() == #"{"number":1}"#)
    }

    @Test(
        "an extension has one value, of its type, and belongs to its message",
        arguments: [
            (#"{"[tests.count]":5,"[tests.count]":5}"#, ProtobufError.Code.duplicateField),
            (#"{"[tests.count]":"x"}"#, .invalidValue),
            (#"{"[tests.legacy_flag]":true}"#, .unknownField),
            (#"{"tests.count":1}"#, .unknownField),
            (#"{"[tests.count":1}"#, .unknownField), (#"{"[]":1}"#, .unknownField),
            (#"{"[":1}"#, .unknownField), (#"{"[tests.strict]":{}}"#, .missingRequiredField),
        ]
    )
    func refused(text: String, code: ProtobufError.Code) {
        let error = #expect(throws: ProtobufError.self) {
            try Tests_Extended(jsonString: text, extensions: Tests_Extensions_Extensions)
        }
        #expect(error?.code == code)
    }

    @Test("the items of a message set are extensions like others")
    func messageSet() throws {
        let message = Tests_Container.with { $0.Tests_Element_element.number = 7 }
        let text = #"{"[tests.Element.element]":{"number":7}}"#
        #expect(try message.jsonString() == text)
        let decoded = try Tests_Container(jsonString: text, extensions: Tests_Extensions_Extensions)
        #expect(decoded == message)
        #expect(try decoded.serializedBytes() == message.serializedBytes())
    }
}
