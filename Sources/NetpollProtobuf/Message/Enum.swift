/// A protobuf enum.
///
/// Generated types conform.
///
/// An enum of a proto3 file keeps numbers it does not know as `UNRECOGNIZED`; one of a proto2 file
/// has no such case, and a field with an unknown number keeps it among the unknown fields.
public protocol Enum: RawRepresentable<Int>, FieldValue {
    /// Creates the first value.
    init()
    /// The value of a number, or `nil` if the enum is closed and does not know it.
    init?(rawValue: Int)
    /// The values' names in the `.proto` file.
    static var protoNames: EnumNames { get }
}
