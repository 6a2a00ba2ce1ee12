/// Writes floating-point numbers as descriptors hold them: as C's `%g` does, with as few digits as
/// 15 (6 for a float) if they are exact, else with 17 (9); as protoc does, a subnormal float never
/// with 6.
enum NumberText {
    static func double(_ value: Double) -> String {
        let short = general(value, precision: 15)
        return Double(short) == value || value.isNaN ? short : general(value, precision: 17)
    }

    static func float(_ value: Float) -> String {
        let short = general(Double(value), precision: 6)
        let isExact = Float(short) == value && !value.isSubnormal
        return isExact || value.isNaN ? short : general(Double(value), precision: 9)
    }

    /// `%.<precision>g`.
    private static func general(_ value: Double, precision: Int) -> String {
        if value.isNaN { return "nan" }
        let sign = value.sign == .minus ? "-" : ""
        if value.isInfinite { return sign + "inf" }
        if value == 0 { return sign + "0" }
        var (digits, exponent) = decimal(value)
        round(&digits, &exponent, to: precision)
        while digits.count > 1, digits.last == 0 { digits.removeLast() }
        let text = digits.map(String.init).joined()
        if exponent < -4 || exponent >= precision {
            let fraction = text.dropFirst()
            let magnitude = String(exponent.magnitude)
            return sign + text.prefix(1) + (fraction.isEmpty ? "" : "." + fraction)
                + (exponent < 0 ? "e-" : "e+") + (magnitude.count < 2 ? "0" : "") + magnitude
        }
        if exponent < 0 {
            return sign + "0." + String(repeating: "0", count: -exponent - 1) + text
        }
        let whole = exponent + 1
        if digits.count <= whole {
            return sign + text + String(repeating: "0", count: whole - digits.count)
        }
        return sign + text.prefix(whole) + "." + text.dropFirst(whole)
    }

    /// All decimal digits of a finite number other than zero, and the power of ten of the first.
    private static func decimal(_ value: Double) -> (digits: [UInt8], exponent: Int) {
        var mantissa = value.significandBitPattern
        var power = Int(value.exponentBitPattern) - 1075
        if value.exponentBitPattern == 0 { power += 1 } else { mantissa |= 1 << 52 }
        let trailing = mantissa.trailingZeroBitCount
        mantissa >>= UInt64(trailing)
        power += trailing
        // A number below one is multiplied by a power of ten, of which the twos cancel.
        var number = DecimalInteger(mantissa)
        number.multiply(by: power < 0 ? 5 : 2, times: abs(power))
        let digits = number.digits
        return (digits, digits.count - 1 - (power < 0 ? -power : 0))
    }

    /// Rounds to a number of digits, a tie to even.
    private static func round(_ digits: inout [UInt8], _ exponent: inout Int, to count: Int) {
        guard digits.count > count else { return }
        let rest = digits[count...]
        let isMore = rest[count] > 5 || (rest[count] == 5 && rest.dropFirst().contains { $0 != 0 })
        let isTie = rest[count] == 5 && !isMore
        let goesUp = isMore || (isTie && digits[count - 1] % 2 == 1)
        digits.removeSubrange(count...)
        guard goesUp else { return }
        var position = count - 1
        while position >= 0, digits[position] == 9 {
            digits[position] = 0
            position -= 1
        }
        if position >= 0 {
            digits[position] += 1
        } else {
            digits.insert(1, at: 0)
            digits.removeLast()
            exponent += 1
        }
    }
}

/// A non-negative integer of any size, in limbs of nine decimal digits.
private struct DecimalInteger {
    private static let base: UInt64 = 1_000_000_000
    /// The lowest limb first.
    private var limbs: [UInt64] = []

    init(_ value: UInt64) {
        var rest = value
        repeat {
            limbs.append(rest % Self.base)
            rest /= Self.base
        } while rest > 0
    }

    mutating func multiply(by factor: UInt64, times: Int) {
        var remaining = times
        while remaining > 0 {
            // Thirteen fives or twos at a time stay below 2^32.
            let step = min(remaining, 13)
            multiply(by: (0..<step).reduce(1) { product, _ in product * factor })
            remaining -= step
        }
    }

    private mutating func multiply(by factor: UInt64) {
        var carry: UInt64 = 0
        for index in limbs.indices {
            let product = limbs[index] * factor + carry
            limbs[index] = product % Self.base
            carry = product / Self.base
        }
        while carry > 0 {
            limbs.append(carry % Self.base)
            carry /= Self.base
        }
    }

    /// The digits without leading zeros, the highest first.
    var digits: [UInt8] {
        var result: [UInt8] = []
        for limb in limbs.reversed() {
            var divisor = Self.base / 10
            while divisor > 0 {
                result.append(UInt8(truncatingIfNeeded: limb / divisor % 10))
                divisor /= 10
            }
        }
        return Array(result.drop { $0 == 0 })
    }
}
