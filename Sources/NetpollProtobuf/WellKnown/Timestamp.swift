extension Google_Protobuf_Timestamp {
    /// Creates a timestamp from seconds since 1970-01-01T00:00:00Z and nanoseconds after them.
    ///
    /// Nanoseconds below 0 or above 999,999,999 are carried into the seconds, which stay within what
    /// an `Int64` can hold.
    public init(seconds: Int64 = 0, nanos: Int32 = 0) {
        self.init()
        let carried = SecondsAndNanos(seconds, Int64(nanos)).floored
        self.seconds = carried.seconds
        self.nanos = carried.nanos
    }

    /// Creates a timestamp from the length of time since 1970-01-01T00:00:00Z.
    ///
    /// What is finer than a nanosecond is rounded down.
    public init(durationSince1970 duration: Swift.Duration) {
        let (seconds, attoseconds) = duration.components
        let nanosecond: Int64 = 1_000_000_000
        var nanos = attoseconds / nanosecond
        if attoseconds % nanosecond < 0 { nanos -= 1 }
        self.init()
        let carried = SecondsAndNanos(seconds, nanos).floored
        self.seconds = carried.seconds
        self.nanos = carried.nanos
    }

    /// Creates a timestamp from seconds since 1970-01-01T00:00:00Z, rounded to the nanosecond.
    ///
    /// What an `Int64` cannot hold becomes the nearest that it can; NaN becomes 0.
    public init(timeIntervalSince1970 interval: Double) {
        self.init()
        let carried = SecondsAndNanos(interval).floored
        seconds = carried.seconds
        nanos = carried.nanos
    }

    /// Creates a timestamp from text like `2026-11-24T23:05:00.25Z` or `2026-11-25T01:05:00+02:00`
    /// (RFC 3339), with at most nine digits after the point.
    ///
    /// - Throws: ``ProtobufError``: `invalidValue`.
    public init(rfc3339 text: String) throws(ProtobufError) {
        guard let timestamp = Array(text.utf8).withUnsafeBytes(TimestampText.parse) else {
            throw ProtobufError(.invalidValue, "the text is not an RFC 3339 timestamp")
        }
        self = timestamp
    }

    /// The text of the timestamp (RFC 3339), in UTC and with 0, 3, 6 or 9 digits after the point.
    ///
    /// - Returns: The text.
    /// - Throws: ``ProtobufError``: `invalidValue` before the year 1 and after the year 9999.
    public func rfc3339() throws(ProtobufError) -> String {
        guard let text = TimestampText.describe(self) else {
            throw ProtobufError(.invalidValue, "the timestamp is out of range")
        }
        return text
    }

    /// The length of time since 1970-01-01T00:00:00Z.
    public var durationSince1970: Swift.Duration { .seconds(seconds) + .nanoseconds(nanos) }

    /// The seconds since 1970-01-01T00:00:00Z.
    public var timeIntervalSince1970: Double { Double(seconds) + Double(nanos) / 1e9 }

    /// The length of time from one point in time to another; of what a duration cannot hold, the
    /// nearest that it can.
    public static func - (left: Self, right: Self) -> Google_Protobuf_Duration {
        Google_Protobuf_Duration(
            SecondsAndNanos(
                left.seconds.clampingSubtract(right.seconds),
                Int64(left.nanos) - Int64(right.nanos)
            )
        )
    }

    /// The point in time that is later by a length of time.
    public static func + (left: Self, right: Google_Protobuf_Duration) -> Self {
        let sum = SecondsAndNanos(
            left.seconds.clampingAdd(right.seconds),
            Int64(left.nanos) + Int64(right.nanos)
        ).floored
        return .with {
            $0.seconds = sum.seconds
            $0.nanos = sum.nanos
        }
    }

    /// The point in time that is earlier by a length of time.
    public static func - (left: Self, right: Google_Protobuf_Duration) -> Self { left + -right }
}
