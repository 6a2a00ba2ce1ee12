extension Google_Protobuf_DoubleValue: ExpressibleByFloatLiteral {
    /// Creates a message with a value.
    public init(_ value: Double) {
        self.init()
        self.value = value
    }

    /// Creates a message from a literal.
    public init(floatLiteral value: Double) { self.init(value) }
}

extension Google_Protobuf_FloatValue: ExpressibleByFloatLiteral {
    /// Creates a message with a value.
    public init(_ value: Float) {
        self.init()
        self.value = value
    }

    /// Creates a message from a literal.
    public init(floatLiteral value: Float) { self.init(value) }
}

extension Google_Protobuf_Int64Value: ExpressibleByIntegerLiteral {
    /// Creates a message with a value.
    public init(_ value: Int64) {
        self.init()
        self.value = value
    }

    /// Creates a message from a literal.
    public init(integerLiteral value: Int64) { self.init(value) }
}

extension Google_Protobuf_UInt64Value: ExpressibleByIntegerLiteral {
    /// Creates a message with a value.
    public init(_ value: UInt64) {
        self.init()
        self.value = value
    }

    /// Creates a message from a literal.
    public init(integerLiteral value: UInt64) { self.init(value) }
}

extension Google_Protobuf_Int32Value: ExpressibleByIntegerLiteral {
    /// Creates a message with a value.
    public init(_ value: Int32) {
        self.init()
        self.value = value
    }

    /// Creates a message from a literal.
    public init(integerLiteral value: Int32) { self.init(value) }
}

extension Google_Protobuf_UInt32Value: ExpressibleByIntegerLiteral {
    /// Creates a message with a value.
    public init(_ value: UInt32) {
        self.init()
        self.value = value
    }

    /// Creates a message from a literal.
    public init(integerLiteral value: UInt32) { self.init(value) }
}

extension Google_Protobuf_BoolValue: ExpressibleByBooleanLiteral {
    /// Creates a message with a value.
    public init(_ value: Bool) {
        self.init()
        self.value = value
    }

    /// Creates a message from a literal.
    public init(booleanLiteral value: Bool) { self.init(value) }
}

extension Google_Protobuf_StringValue: ExpressibleByStringLiteral {
    /// Creates a message with a value.
    public init(_ value: String) {
        self.init()
        self.value = value
    }

    /// Creates a message from a literal.
    public init(stringLiteral value: String) { self.init(value) }
}

extension Google_Protobuf_BytesValue {
    /// Creates a message with a value.
    public init(_ value: [UInt8]) {
        self.init()
        self.value = value
    }
}
