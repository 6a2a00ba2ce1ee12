extension Google_Protobuf_Duration {
    /// Creates a duration from seconds and nanoseconds.
    ///
    /// Whole seconds among the nanoseconds are carried, and both get the same sign; the seconds stay
    /// within what an `Int64` can hold.
    public init(seconds: Int64 = 0, nanos: Int32 = 0) {
        self.init(SecondsAndNanos(seconds, Int64(nanos)))
    }

    /// Creates a duration from Swift's own.
    ///
    /// What is finer than a nanosecond is cut off towards zero.
    public init(_ duration: Swift.Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(SecondsAndNanos(seconds, attoseconds / 1_000_000_000))
    }

    /// Creates a duration from seconds, rounded to the nanosecond.
    ///
    /// What an `Int64` cannot hold becomes the nearest that it can; NaN becomes 0.
    public init(timeInterval interval: Double) { self.init(SecondsAndNanos(interval)) }

    init(_ value: SecondsAndNanos) {
        self.init()
        (seconds, nanos) = value.signed
    }

    /// The duration as Swift's own.
    public var duration: Swift.Duration { .seconds(seconds) + .nanoseconds(nanos) }

    /// The seconds.
    public var timeInterval: Double { Double(seconds) + Double(nanos) / 1e9 }

    /// The same length in the other direction.
    public static prefix func - (operand: Self) -> Self {
        .with {
            $0.seconds = Int64(0).clampingSubtract(operand.seconds)
            $0.nanos = operand.nanos == .min ? .max : -operand.nanos
        }
    }

    /// The sum of two lengths of time.
    public static func + (left: Self, right: Self) -> Self {
        Self(
            SecondsAndNanos(
                left.seconds.clampingAdd(right.seconds),
                Int64(left.nanos) + Int64(right.nanos)
            )
        )
    }

    /// The difference of two lengths of time.
    public static func - (left: Self, right: Self) -> Self { left + -right }
}

extension Swift.Duration {
    /// Creates a duration from a message.
    public init(_ duration: Google_Protobuf_Duration) { self = duration.duration }
}
