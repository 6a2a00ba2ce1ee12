internal import Synchronization

/// The names of a message type's fields in JSON, and the type's own form in JSON if it has one.
final class FieldNames: Sendable {
    /// A field's names as JSON writes them: in quotes, and with the colon.
    struct Keys {
        let json: [UInt8]
        let proto: [UInt8]
    }

    /// By the index of the field.
    let keys: [Keys]
    /// The indices of the fields in the order of their numbers.
    let byNumber: [Int]
    let form: WellKnownForm?
    /// Both names of each field.
    private let indices: [String: Int]

    init(_ schema: MessageSchema) {
        keys = schema.fields.map { field in
            Keys(json: Self.key(field.jsonName), proto: Self.key(field.name))
        }
        byNumber = schema.fields.indices.sorted {
            schema.fields[$0].number < schema.fields[$1].number
        }
        form = WellKnownForm(schema.name)
        var indices: [String: Int] = [:]
        for (index, field) in schema.fields.enumerated() { indices[field.name] = index }
        // Where one field's JSON name is another's name in the `.proto` file, the JSON name counts.
        for (index, field) in schema.fields.enumerated() { indices[field.jsonName] = index }
        self.indices = indices
    }

    /// The index of a field by either name.
    func index(_ name: String) -> Int? { indices[name] }

    private static func key(_ name: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.string(name)
        return writer.bytes + [UInt8(ascii: ":")]
    }
}

/// The names of a message type's fields once they were needed; never freed.
final class LazyFieldNames: Sendable {
    /// The address of a `FieldNames`, or 0.
    private let published = Atomic<UInt>(0)

    func value(for schema: MessageSchema) -> FieldNames {
        if let pointer = UnsafeRawPointer(bitPattern: published.load(ordering: .acquiring)) {
            return Unmanaged<FieldNames>.fromOpaque(pointer).takeUnretainedValue()
        }
        let names = Unmanaged.passRetained(FieldNames(schema))
        // Where two threads come first, both have the same names, and either's will do.
        published.store(UInt(bitPattern: names.toOpaque()), ordering: .releasing)
        return names.takeUnretainedValue()
    }
}

/// The message types that JSON does not write as an object of their fields.
enum WellKnownForm {
    case any, duration, fieldMask, listValue, `struct`, timestamp, value
    /// A number, string or bytes alone.
    case wrapper

    init?(_ name: String) {
        switch name {
        case "google.protobuf.Any": self = .any
        case "google.protobuf.Duration": self = .duration
        case "google.protobuf.FieldMask": self = .fieldMask
        case "google.protobuf.ListValue": self = .listValue
        case "google.protobuf.Struct": self = .struct
        case "google.protobuf.Timestamp": self = .timestamp
        case "google.protobuf.Value": self = .value
        case "google.protobuf.DoubleValue", "google.protobuf.FloatValue",
            "google.protobuf.Int64Value", "google.protobuf.UInt64Value",
            "google.protobuf.Int32Value", "google.protobuf.UInt32Value",
            "google.protobuf.BoolValue", "google.protobuf.StringValue",
            "google.protobuf.BytesValue":
            self = .wrapper
        default: return nil
        }
    }
}

extension FieldSchema {
    /// The name in JSON.
    var jsonName: String { customJSONName ?? Self.jsonName(name) }

    /// `foo_bar` to `fooBar`: letters behind underscores become capitals, all else stays.
    static func jsonName(_ name: String) -> String {
        var result: [UInt8] = []
        var capitalizes = false
        for byte in name.utf8 {
            if byte == UInt8(ascii: "_") {
                capitalizes = true
            } else {
                let isSmall = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                result.append(capitalizes && isSmall ? byte - 0x20 : byte)
                capitalizes = false
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Whether "not set" differs from the default.
    func hasPresence(in schema: MessageSchema) -> Bool {
        switch kind {
        case .message, .group: cardinality == .singular
        default:
            cardinality == .singular && (isOptional || oneof != nil || schema.repairsStrings)
        }
    }
}
