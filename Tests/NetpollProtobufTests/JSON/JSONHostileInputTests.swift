import NetpollProtobuf
import NetpollTesting
import TestProtos
import Testing

@Suite("JSON from hostile peers", .timeLimit(.minutes(2)))
struct JSONHostileInputTests {
    private func code(_ text: String, _ options: JSONDecodingOptions = .init())
        -> ProtobufError.Code?
    {
        do {
            _ = try Tests_JSONForms(jsonString: text, options: options)
            return nil
        } catch {
            return error.code
        }
    }

    private func repeated(_ text: String, _ count: Int) -> String {
        String(repeating: text, count: count)
    }

    @Test("nesting is limited for messages, values, messages in Any and what is skipped")
    func nesting() throws {
        var ignoring = JSONDecodingOptions()
        ignoring.ignoreUnknownFields = true
        let any = #"{"@type":"type.googleapis.com/google.protobuf.Any","value":"#
        for depth in [101, 200, 10_000, 200_000] {
            #expect(code(repeated(#"{"chosenMessage":"#, depth)) == .tooDeep)
            #expect(code(#"{"value":"# + repeated("[", depth)) == .tooDeep)
            #expect(code(#"{"struct":"# + repeated(#"{"n":"#, depth)) == .tooDeep)
            #expect(code(#"{"unknown":"# + repeated("[", depth), ignoring) == .tooDeep)
            #expect(code(#"{"unknown":"# + repeated(#"{"n":"#, depth), ignoring) == .tooDeep)
            let packed = repeated(any, depth) + "{}" + repeated("}", depth)
            #expect(code(#"{"any":"# + packed + "}") == .tooDeep)
        }
        let deep = repeated(#"{"chosenMessage":"#, 99) + "{}" + repeated("}", 99)
        #expect(code(deep) == nil)
        #expect(code(repeated(#"{"chosenMessage":"#, 100) + "{}" + repeated("}", 100)) == .tooDeep)
        for value in ["[", #"{"n":"#] {
            let closing = value == "[" ? "]" : "}"
            let text = #"{"value":"# + repeated(value, 25) + "1" + repeated(closing, 25) + "}"
            let message = try Tests_JSONForms(jsonString: text)
            #expect(try message.jsonString() == text)
        }
    }

    @Test("what decodes from JSON decodes from binary form with the same limit")
    func sameLimit() throws {
        for depth in 1...60 {
            for (open, close) in [("[", "]"), (#"{"n":"#, "}")] {
                let text =
                    #"{"value":"# + repeated(open, depth) + "1" + repeated(close, depth) + "}"
                guard let message = try? Tests_JSONForms(jsonString: text) else { continue }
                let bytes = try message.serializedBytes()
                #expect(try Tests_JSONForms(serializedBytes: bytes) == message)
                #expect(try message.jsonString() == text)
            }
        }
    }

    @Test("long strings and keys pass, long numbers are read or refused")
    func long() throws {
        let long = repeated("ab\\n", 300_000)
        let message = try Tests_Everything(jsonString: #"{"stringValue":""# + long + "\"}")
        #expect(message.stringValue.utf8.count == 900_000)
        #expect(try message.jsonString() == #"{"stringValue":""# + long + "\"}")
        #expect(code("{\"" + repeated("k", 1 << 20) + "\":1}") == .unknownField)
        let digits = repeated("9", 1 << 20)
        #expect(code(#"{"kept":"# + digits + "}") == .invalidValue)
        #expect(code(#"{"kept":1e"# + digits + "}") == .invalidValue)
        #expect(code(#"{"kept":1e-"# + digits + "}") == .invalidValue)
        #expect(code(#"{"doubleWrapper":"# + digits + "}") == .invalidValue)
        let third = try Tests_JSONForms(jsonString: #"{"value":0."# + repeated("3", 1 << 20) + "}")
        #expect(third.value.numberValue == 1.0 / 3)
        let one = try Tests_JSONForms(jsonString: #"{"kept":1."# + repeated("0", 1 << 20) + "}")
        #expect(one.kept == 1)
    }

    @Test(
        "text that is not UTF-8 is refused with its place",
        arguments: [
            [0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80],
        ] as [[UInt8]]
    )
    func invalidUTF8(bytes: [UInt8]) {
        let text = Array(#"{"stringValue":""#.utf8) + bytes + Array("\"}".utf8)
        let error = #expect(throws: ProtobufError.self) {
            try Tests_Everything(jsonUTF8Bytes: text)
        }
        #expect(error?.code == .invalidUTF8)
        #expect(error?.offset == 16)
    }

    @Test("errors stay small, whatever names the text has")
    func smallErrors() {
        let marks = "a" + repeated("\u{301}", 100_000)
        let texts = [
            "{\"\(marks)\":1}", "{\"valueMap\":{\"\(marks)\":x}}",
            "{\"any\":{\"@type\":\"a/\(marks)\"}}",
        ]
        for text in texts {
            let error = #expect(throws: ProtobufError.self) {
                try Tests_JSONForms(jsonString: text)
            }
            #expect(error.map { "\($0)".utf8.count < 600 } == true)
        }
    }

    @Test("the byte limit holds before anything is read, the memory limit after")
    func limits() {
        var options = JSONDecodingOptions()
        options.byteLimit = 100
        #expect(code("{\"renamed\":\"" + repeated("x", 100) + "\"}", options) == .tooLarge)
        #expect(code(repeated(" ", 98) + "{}", options) == nil)
        options = JSONDecodingOptions()
        options.memoryLimit = 4096
        let many = #"{"values":["# + repeated("1,", 10_000) + "1]}"
        #expect(code(many, options) == .tooLarge)
        #expect(code(many) == nil)
    }

    @Test("many members take time linear in their number")
    func many() throws {
        let keys = (0..<100_000).map { "\"\($0)\":1" }.joined(separator: ",")
        let message = try Tests_JSONForms(jsonString: "{\"struct\":{\(keys)}}")
        #expect(message.struct.fields.count == 100_000)
        #expect(code("{\"struct\":{\(keys),\"7\":2}}") == .duplicateField)
    }

    @Test(
        "text with random changes is refused or read, and what was read is written and read again"
    )
    func mutations() throws {
        for seed in 0..<300 {
            var random = SeededGenerator(seed: UInt64(seed))
            var text = Array(JSONSample.everything.utf8)
            for _ in 0...random.next() % 3 {
                let position = Int(random.next() % UInt64(text.count))
                switch random.next() % 3 {
                case 0: text[position] = UInt8(truncatingIfNeeded: random.next())
                case 1: text.remove(at: position)
                default:
                    text.insert(Array("{}[],:\"\\0-e".utf8)[Int(random.next() % 11)], at: position)
                }
            }
            guard let message = try? Tests_Everything(jsonUTF8Bytes: text) else { continue }
            let again = try Tests_Everything(jsonString: message.jsonString())
            #expect(again == message, "seed \(seed)")
        }
    }
}
