extension Google_Protobuf_Struct: ExpressibleByDictionaryLiteral {
    /// Creates an object from its members.
    public init(fields: [String: Google_Protobuf_Value]) {
        self.init()
        self.fields = fields
    }

    /// Creates an object from a literal; of a repeated key the last value counts.
    public init(dictionaryLiteral elements: (String, Google_Protobuf_Value)...) {
        self.init(fields: Dictionary(elements) { _, last in last })
    }

    /// The value of a key, if there is one.
    public subscript(key: String) -> Google_Protobuf_Value? {
        get { fields[key] }
        set { fields[key] = newValue }
    }
}

extension Google_Protobuf_ListValue: ExpressibleByArrayLiteral {
    /// Creates an array from its elements.
    public init(values: [Google_Protobuf_Value]) {
        self.init()
        self.values = values
    }

    /// Creates an array from a literal.
    public init(arrayLiteral elements: Google_Protobuf_Value...) { self.init(values: elements) }

    /// The element at a position, which must exist.
    public subscript(index: Int) -> Google_Protobuf_Value {
        get { values[index] }
        set { values[index] = newValue }
    }
}

extension Google_Protobuf_Value {
    /// Creates a number.
    public init(numberValue: Double) { self = .with { $0.numberValue = numberValue } }

    /// Creates a string.
    public init(stringValue: String) { self = .with { $0.stringValue = stringValue } }

    /// Creates a Boolean.
    public init(boolValue: Bool) { self = .with { $0.boolValue = boolValue } }

    /// Creates an object.
    public init(structValue: Google_Protobuf_Struct) {
        self = .with { $0.structValue = structValue }
    }

    /// Creates an array.
    public init(listValue: Google_Protobuf_ListValue) { self = .with { $0.listValue = listValue } }
}

extension Google_Protobuf_Value: ExpressibleByNilLiteral {
    /// Creates null.
    public init(nilLiteral: ()) { self = .with { $0.nullValue = .nullValue } }
}

extension Google_Protobuf_Value: ExpressibleByFloatLiteral {
    /// Creates a number from a literal.
    public init(floatLiteral value: Double) { self.init(numberValue: value) }
}

extension Google_Protobuf_Value: ExpressibleByIntegerLiteral {
    /// Creates a number from a literal.
    public init(integerLiteral value: Int64) { self.init(numberValue: Double(value)) }
}

extension Google_Protobuf_Value: ExpressibleByStringLiteral {
    /// Creates a string from a literal.
    public init(stringLiteral value: String) { self.init(stringValue: value) }
}

extension Google_Protobuf_Value: ExpressibleByBooleanLiteral {
    /// Creates a Boolean from a literal.
    public init(booleanLiteral value: Bool) { self.init(boolValue: value) }
}

extension Google_Protobuf_Value: ExpressibleByDictionaryLiteral {
    /// Creates an object from a literal; of a repeated key the last value counts.
    public init(dictionaryLiteral elements: (String, Google_Protobuf_Value)...) {
        let fields = Dictionary(elements) { _, last in last }
        self.init(structValue: Google_Protobuf_Struct(fields: fields))
    }
}

extension Google_Protobuf_Value: ExpressibleByArrayLiteral {
    /// Creates an array from a literal.
    public init(arrayLiteral elements: Google_Protobuf_Value...) {
        self.init(listValue: Google_Protobuf_ListValue(values: elements))
    }
}
