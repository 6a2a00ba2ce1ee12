import Testing

@testable import NetpollRPC

@Suite("StringMapJSON")
struct StringMapJSONTests {
    @Test(
        "what is written is read back",
        arguments: [
            [:], ["k": "v"], ["a\"b\\": "\n\t\u{1}", "ü": "😀"], ["": ""],
        ]
    )
    func roundTrip(map: [String: String]) {
        #expect(StringMapJSON.decode(StringMapJSON.encode(map)) == map)
    }

    @Test("escapes and space of other writers are read")
    func foreign() {
        #expect(
            StringMapJSON.decode(#" { "a" : "\u00e9\ud83d\ude00\/" , "b":"" } "#) == [
                "a": "é😀/", "b": "",
            ]
        )
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "[]", "{", #"{"a"}"#, #"{"a":1}"#, #"{"a":"b",}"#, #"{"a":"b"} x"#, #"{"a":"\q"}"#,
            #"{"a":"\u12"}"#,
        ]
    )
    func refused(text: String) { #expect(StringMapJSON.decode(text) == nil) }
}
