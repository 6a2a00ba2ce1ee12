/// Lengths of time as text: `1.500s`.
enum DurationText {
    /// Most seconds either way: about 10,000 years.
    static let secondsLimit: Int64 = 315_576_000_000

    /// The text with 0, 3, 6 or 9 digits after the point; `nil` out of range, or if seconds and
    /// nanoseconds have different signs.
    static func describe(_ duration: Google_Protobuf_Duration) -> String? {
        let (seconds, nanos) = (duration.seconds, duration.nanos)
        guard (-secondsLimit...secondsLimit).contains(seconds),
            (-999_999_999...999_999_999).contains(nanos),
            seconds.signum() * Int64(nanos).signum() >= 0
        else { return nil }
        return (seconds < 0 || nanos < 0 ? "-" : "") + String(seconds.magnitude)
            + DecimalFields.fraction(nanos: Int(nanos.magnitude)) + "s"
    }

    /// The duration that a text stands for.
    static func parse(_ text: UnsafeRawBufferPointer) -> Google_Protobuf_Duration? {
        var reader = DecimalFields.Reader(text)
        let sign: Int64 = reader.skip("-") ? -1 : 1
        guard let seconds = reader.number(upTo: secondsLimit), let nanos = reader.fraction(),
            reader.skip("s"), reader.isAtEnd
        else { return nil }
        return Google_Protobuf_Duration(seconds: sign * seconds, nanos: Int32(sign) * Int32(nanos))
    }
}
