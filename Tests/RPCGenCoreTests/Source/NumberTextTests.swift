import Glibc
import NetpollTesting
import Testing

@testable import RPCGenCore

@Suite("NumberText")
struct NumberTextTests {
    /// What C's `printf` makes of a number.
    private func printed(_ value: Double, _ precision: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = withVaList([precision, value]) {
            vsnprintf(&buffer, buffer.count, "%.*g", $0)
        }
        return String(decoding: buffer[..<Int(count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    @Test("random doubles and floats are written as C writes them", arguments: 0..<4)
    func random(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<2000 {
            let double = Double(bitPattern: random.next())
            if double.isFinite {
                let short = printed(double, 15)
                let expected = Double(short) == double ? short : printed(double, 17)
                #expect(NumberText.double(double) == expected, "seed \(seed)")
            }
            let float = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
            if float.isFinite {
                let short = printed(Double(float), 6)
                let isExact = Float(short) == float && !float.isSubnormal
                let expected = isExact ? short : printed(Double(float), 9)
                #expect(NumberText.float(float) == expected, "seed \(seed)")
            }
        }
    }

    @Test(
        "round numbers and borders",
        arguments: [
            (0, "0"), (-0.0, "-0"), (1, "1"), (-1.5, "-1.5"), (1e10, "10000000000"),
            (1e15, "1e+15"), (999_999_999_999_999, "999999999999999"), (1e-4, "0.0001"),
            (1e-5, "1e-05"), (.infinity, "inf"), (-.infinity, "-inf"), (.nan, "nan"),
            (0.1, "0.1"), (.leastNonzeroMagnitude, "4.94065645841247e-324"),
            (1.0 / 3, "0.33333333333333331"),
            (.greatestFiniteMagnitude, "1.7976931348623157e+308"), (2.5, "2.5"),
        ] as [(Double, String)]
    )
    func borders(value: Double, text: String) {
        #expect(NumberText.double(value) == text)
    }
}
