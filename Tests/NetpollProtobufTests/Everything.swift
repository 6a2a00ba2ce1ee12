import NetpollProtobuf
import TestProtos

/// A message with a value in every field, and its bytes as Google's Python runtime writes them.
enum EverythingSample {
    static let message: Tests_Everything = .with {
        $0.doubleValue = 1.5
        $0.floatValue = -2.25
        $0.int32Value = -3
        $0.int64Value = -(1 << 40)
        $0.uint32Value = 4_000_000_000
        $0.uint64Value = .max
        $0.sint32Value = -5
        $0.sint64Value = -(1 << 50)
        $0.fixed32Value = 7
        $0.fixed64Value = 8
        $0.sfixed32Value = -9
        $0.sfixed64Value = -10
        $0.boolValue = true
        $0.stringValue = "grüße\0!"
        $0.bytesValue = [0x00, 0xFF]
        $0.color = .negative
        $0.level = .high
        $0.point.x = -1
        $0.point.y = 2
        $0.child.stringValue = "child"
        $0.optionalInt32 = 0
        $0.optionalString = ""
        $0.doubles = [0, -0.0, 1e300]
        $0.floats = [0.5]
        $0.int32List = [1, -1, 1 << 30]
        $0.int64List = [1, -1]
        $0.uint32List = [1 << 31]
        $0.sint64List = [-1, 1]
        $0.fixed32List = [1, 2]
        $0.sfixed64List = [-1]
        $0.bools = [true, false, true]
        $0.strings = ["a", "", "b"]
        $0.byteStrings = [Array("x".utf8), []]
        $0.colors = [.unspecified, .red, .green, .UNRECOGNIZED(77)]
        $0.points = [.with { $0.x = 3 }, .init()]
        $0.children = [.with { $0.int32Value = 9 }]
        $0.stringMap = ["k": "v"]
        $0.pointMap = [-4: .with { $0.x = 6 }]
        $0.colorMap = [true: .green]
        $0.bytesMap = [1 << 60: Array("z".utf8)]
        $0.choicePoint.y = 11
        $0.class = "c"
        $0.self_p = "s"
        $0.description_p = "d"
        $0.userID = "u"
        $0.httpURL = "h"
        $0.nested.deeper.text = "deep"
    }

    static let bytes = hexBytes(
        """
        09000000000000f83f15000010c018fdffffffffffffffff01208080808080e0ffffff012880d0acf30e30ffffffffffffffffff01
        380940ffffffffffffff034d070000005108000000000000005df7ffffff61f6ffffffffffffff680172096772c3bcc39f6500217a
        0200ff8001ffffffffffffffffff018a01040801100490010a9a010772056368696c64a80100b20100fa0118000000000000000000
        000000000000809c7500883ce4377e8202040000003f8a021001ffffffffffffffffff0180808080049002019002ffffffffffffff
        ffff019a02058080808008a202020102aa02080100000002000000b20208ffffffffffffffffba0203010001c2020161c20200c202
        0162ca020178ca0200d202040001024dda02020806da0200e2020218099a03060a016b120176a2030f08fcffffffffffffffff0112
        02080caa030408011002b2030c09000000000000001012017afa03021016ea120163f2120173fa120164821301758a130168821908
        0a060a0464656570
        """
    )
}

/// Bytes from hexadecimal digits; everything else is skipped.
func hexBytes(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map {
        UInt8(digits[$0] * 16 + digits[$0 + 1])
    }
}
