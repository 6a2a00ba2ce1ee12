import NetpollProtobuf
import TestProtos
import Testing

@Suite("Names that clash")
struct ClashTests {
    @Test("a type outside is meant where a type in the message has its name")
    func hiddenTypes() throws {
        let message = Hiding.with {
            $0.outside.outer = 1
            $0.inside.inner = "a"
            $0.inside.outside.outer = 2
            $0.list = [Hidden.with { $0.outer = 3 }]
            $0.map = ["k": Hidden.with { $0.outer = 4 }]
            $0.outsideKind = .outer
            $0.insideKind = .hidingInner
            $0.kindMap = ["k": HiddenKind.outer]
            $0.chosen.outer = 5
        }
        let bytes: [UInt8] = try message.serializedBytes()
        #expect(try Hiding(serializedBytes: bytes) == message)
        #expect(
            try message.jsonString()
                == #"{"outside":{"outer":1},"inside":{"inner":"a","outside":{"outer":2}},"#
                + #""list":[{"outer":3}],"map":{"k":{"outer":4}},"outsideKind":"HIDDEN_KIND_OUTER","#
                + #""insideKind":"HIDING_INNER","kindMap":{"k":"HIDDEN_KIND_OUTER"},"#
                + #""chosen":{"outer":5}}"#
        )
        let lowers = Lowers.with {
            $0.lower.x = 1
            $0.merges = [merge()]
        }
        #expect(try lowers.serializedBytes() == [10, 2, 8, 1, 18, 0] as [UInt8])
        #expect(Hiding().outsideKind == HiddenKind.outer)
        #expect(Hiding().insideKind == Hiding.HiddenKind.hidingInner)
    }

    @Test("a type may have the name of the one that it is declared in")
    func sameName() throws {
        let message = Same.with { $0.same.same = Same.Same() }
        let bytes: [UInt8] = try message.serializedBytes()
        #expect(bytes == [10, 2, 10, 0])
        #expect(try Same(serializedBytes: bytes).same.hasSame)
    }

    @Test("an extension's value is of the type outside, and extensions differ by their numbers")
    func extensions() throws {
        var message = Extended()
        message.fooBar = 1
        message.foo_Bar = 2
        message.foo_Bar_101 = 3
        message.fooBar_102 = 4
        message.hidden.outer = 5
        message.clearThe_way = 7
        message.Lowers_hiding.outside.outer = 8
        message.Hiding_Extended_hiding.outer = 6
        let bytes: [UInt8] = try message.serializedBytes()
        let decoded = try Extended(serializedBytes: bytes, extensions: Clashes_Extensions)
        #expect(decoded == message)
        #expect(decoded.getExtensionValue(ext: Extensions_hidden)?.outer == 5)
    }

    @Test("fields, members and values with one name differ by their numbers")
    func numbers() throws {
        let fields = ClashingFields.with {
            $0.fooBar = 1
            $0.fooBar_2 = 2
            $0.___ = 5
            $0.____ = 6
        }
        #expect(try fields.serializedBytes() == [8, 1, 16, 2, 40, 5, 48, 6] as [UInt8])
        let oneofs = ClashingOneofs.with {
            $0.fooBar_1 = .first_2(1)
            $0.fooBar = 3
            $0.foo = .second(4)
            $0.foo_5 = .third(5)
        }
        #expect(try oneofs.serializedBytes() == [16, 1, 24, 3, 32, 4, 40, 5] as [UInt8])
        #expect(ClashingValues.Value.allCases.map(\.rawValue) == Array(0...7))
        #expect(ClashingValues.Value.description__4.rawValue == 4)
    }
}
