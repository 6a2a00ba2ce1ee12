import NetpollProtobuf
import NetpollTesting
import TestProtos
import Testing

@Suite("Message")
struct MessageTests {
    @Test("every kind of field is written as Google's runtimes write it")
    func encodesLikeGoogle() throws {
        #expect(try EverythingSample.message.serializedBytes() == EverythingSample.bytes)
    }

    @Test("every kind of field is read back")
    func decodesEverything() throws {
        let message = try Tests_Everything(serializedBytes: EverythingSample.bytes)
        #expect(message == EverythingSample.message)
        #expect(message.doubles[1].sign == .minus)
        #expect(message.hasOptionalInt32 && !message.hasOptionalColor)
        #expect(message.choice == .choicePoint(.with { $0.y = 11 }))
    }

    @Test("a message without fields has no bytes, and no bytes are a message")
    func empty() throws {
        #expect(try Tests_Everything().serializedBytes().isEmpty)
        #expect(try Tests_Everything(serializedBytes: [] as [UInt8]) == Tests_Everything())
    }

    @Test("a negative zero is not a default")
    func negativeZero() throws {
        let bytes = try Tests_Everything.with { $0.doubleValue = -0.0 }.serializedBytes()
        #expect(try Tests_Everything(serializedBytes: bytes).doubleValue.sign == .minus)
        #expect(bytes.count == 9)
    }

    @Test(
        "unknown fields, groups and fields of another wire type are kept and written back",
        arguments: [
            "f85501", "fa550568656c6c6f", "f9550102030405060708", "fb550801fc55", "1a0161",
            "750d000000",
        ]
    )
    func unknown(hex: String) throws {
        let message = try Tests_Everything(serializedBytes: hexBytes(hex))
        #expect(message.unknownFields.bytes == hexBytes(hex))
        #expect(try message.serializedBytes() == hexBytes(hex))
    }

    @Test("unknown fields are dropped on request, at every level, and groups with them")
    func discardsUnknown() throws {
        let unknown = hexBytes("f85501fb550801fc55")
        let inner = Tests_Everything.with { $0.unknownFields.bytes = unknown }
        let outer = Tests_Everything.with {
            $0.unknownFields.bytes = unknown
            $0.child = inner
        }
        let bytes = try outer.serializedBytes()
        #expect(try Tests_Everything(serializedBytes: bytes) == outer)
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        let decoded = try Tests_Everything(serializedBytes: bytes, options: options)
        #expect(decoded == .with { $0.child = Tests_Everything() })
    }

    @Test("unknown fields survive beside known ones")
    func unknownBesideKnown() throws {
        let bytes = hexBytes("f85501") + EverythingSample.bytes
        let message = try Tests_Everything(serializedBytes: bytes)
        #expect(message.unknownFields.bytes == hexBytes("f85501"))
        #expect(try message.serializedBytes() == EverythingSample.bytes + hexBytes("f85501"))
    }

    @Test("the occurrences of a singular message are merged")
    func mergesMessages() throws {
        let first = try Tests_Everything.with {
            $0.child.int32Value = 1
            $0.child.strings = ["a"]
        }.serializedBytes()
        let second = try Tests_Everything.with {
            $0.child.stringValue = "x"
            $0.child.strings = ["b"]
        }.serializedBytes()
        let merged = try Tests_Everything(serializedBytes: first + second)
        #expect(merged.child.int32Value == 1 && merged.child.stringValue == "x")
        #expect(merged.child.strings == ["a", "b"])
    }

    @Test("the last member of a oneof counts, and the same message member is merged")
    func oneofs() throws {
        let text = try Tests_Everything.with { $0.choiceText = "t" }.serializedBytes()
        let number = try Tests_Everything.with { $0.choiceNumber = 0 }.serializedBytes()
        #expect(try Tests_Everything(serializedBytes: text + number).choice == .choiceNumber(0))
        #expect(try Tests_Everything(serializedBytes: number + text).choice == .choiceText("t"))
        let left = try Tests_Everything.with { $0.choicePoint.x = 1 }.serializedBytes()
        let right = try Tests_Everything.with { $0.choicePoint.y = 2 }.serializedBytes()
        let merged = try Tests_Everything(serializedBytes: left + right)
        #expect(
            merged.choicePoint
                == .with {
                    $0.x = 1
                    $0.y = 2
                }
        )
    }

    @Test("merging adds to lists and replaces values")
    func merge() throws {
        var message = Tests_Everything.with {
            $0.int32Value = 1
            $0.strings = ["a"]
        }
        try message.merge(
            serializedBytes: try Tests_Everything.with {
                $0.int32Value = 2
                $0.strings = ["b"]
            }.serializedBytes()
        )
        #expect(
            message
                == .with {
                    $0.int32Value = 2
                    $0.strings = ["a", "b"]
                }
        )
    }

    @Test("of a repeated map key the last value counts; a missing key and value are defaults")
    func maps() throws {
        let once = try Tests_Everything.with { $0.stringMap = ["k": "1"] }.serializedBytes()
        let twice = try Tests_Everything.with { $0.stringMap = ["k": "2"] }.serializedBytes()
        #expect(try Tests_Everything(serializedBytes: once + twice).stringMap == ["k": "2"])
        #expect(try Tests_Everything(serializedBytes: hexBytes("9a0300")).stringMap == ["": ""])
        #expect(try Tests_Everything(serializedBytes: hexBytes("a20300")).pointMap == [0: .init()])
    }

    @Test("lists of numbers are read packed and one by one")
    func packing() throws {
        #expect(
            try Tests_Everything(serializedBytes: hexBytes("880201880202")).int32List == [1, 2]
        )
        #expect(
            try Tests_Everything(serializedBytes: hexBytes("92020301027f")).int64List == [
                1, 2, 127,
            ]
        )
    }

    @Test("types that contain each other work, and copies are values")
    func recursion() throws {
        var left = Tests_Left.with { $0.right.left.right.number = 5 }
        let copy = left
        left.right.left.right.number = 6
        #expect(copy.right.left.right.number == 5)
        #expect(try Tests_Left(serializedBytes: left.serializedBytes()) == left)
        left.clearRight()
        #expect(!left.hasRight && left != copy)
    }

    @Test("two messages can be merged into a third")
    func merging() throws {
        let base = Tests_Everything.with { $0.child.int32Value = 1 }
        let bytes = try Tests_Everything.with { $0.child.stringValue = "x" }.serializedBytes()
        let merged = try Tests_Everything(merging: base, serializedBytes: bytes)
        #expect(merged.child.int32Value == 1 && merged.child.stringValue == "x")
        #expect(base.child.stringValue.isEmpty)
        var unchanged = base
        #expect(throws: ProtobufError.self) { try unchanged.merge(serializedBytes: [0x08]) }
        #expect(unchanged == base)
    }

    @Test("a NaN differs from itself, as in Swift, and keeps its bits")
    func notANumber() throws {
        let bits: UInt64 = 0x7FF8_0000_0000_1234
        let message = Tests_Everything.with { $0.doubleValue = Double(bitPattern: bits) }
        #expect(message != message)
        let decoded = try Tests_Everything(serializedBytes: message.serializedBytes())
        #expect(decoded.doubleValue.bitPattern == bits)
    }

    @Test("strings and bytes of every length around those that Swift keeps in the value survive")
    func lengths() throws {
        for length in Array(0...40) + [1_000, 70_000] {
            let message = Tests_Everything.with {
                $0.stringValue = String(repeating: "ü", count: length / 2) + "x"
                $0.strings = [$0.stringValue, String(repeating: "a", count: length)]
                $0.bytesValue = [UInt8](repeating: 7, count: length)
                $0.stringMap = [$0.stringValue: $0.strings[1]]
                $0.choiceText = $0.strings[1]
            }
            #expect(try Tests_Everything(serializedBytes: message.serializedBytes()) == message)
        }
    }

    @Test("the description has every field that is set, much as in the text format")
    func description() {
        let message = Tests_Everything.with {
            $0.int32Value = -3
            $0.sint64Value = -5
            $0.doubleValue = -0.0
            $0.boolValue = true
            $0.stringValue = "grüße\0\"\\"
            $0.child.point.x = 1
            $0.int32List = [1, 2]
            $0.stringMap = ["b": "2", "a": "1"]
            $0.unknownFields.bytes = hexBytes("f85501fb550801fc55")
        }
        #expect(
            message.debugDescription == #"""
                tests.Everything:
                  double_value: -0.0
                  int32_value: -3
                  sint64_value: -5
                  bool_value: true
                  string_value: "grüße\000\"\\"
                  child {
                    point {
                      x: 1
                    }
                  }
                  int32_list: 1
                  int32_list: 2
                  string_map {
                    key: "a"
                    value: "1"
                  }
                  string_map {
                    key: "b"
                    value: "2"
                  }
                  1375: 1
                  1375 {
                    1: 1
                  }
                """#
        )
        #expect(Tests_Everything().debugDescription == "tests.Everything:")
    }
}
