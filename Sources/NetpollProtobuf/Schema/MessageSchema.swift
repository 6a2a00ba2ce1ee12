/// The fields of a message type, and the tables made of them that libprotobuf-c and the scanner
/// read.
///
/// One for each type, made by generated code, never freed: a copy is a pointer.
public struct MessageSchema: @unchecked Sendable {
    // @unchecked: the table is filled before it is shared, and never changed or freed.

    let table: UnsafePointer<MessageTable>

    /// The full name of the message type.
    public var name: String { table.pointee.name }
    var fields: [FieldSchema] { table.pointee.fields }
    /// Whether strings that are not UTF-8 are repaired (proto2) instead of refused (proto3).
    var repairsStrings: Bool { table.pointee.repairsStrings }
    /// Whether extensions travel as items of a message set (`message_set_wire_format`).
    var isMessageSet: Bool { table.pointee.isMessageSet }
    /// The message type, if it has room for extensions.
    var extensibleType: (any ExtensibleMessage.Type)? { table.pointee.extensibleType }
    /// The names of the fields in JSON, made on first use.
    var fieldNames: FieldNames { table.pointee.fieldNames.value(for: self) }

    /// Creates a schema.
    ///
    /// - Parameters:
    ///   - name: The full name of the message type.
    ///   - fields: The fields; a field's slot is its index here.
    ///   - repairsStrings: True for proto2 files.
    ///   - isMessageSet: True for the messages with `message_set_wire_format`.
    ///   - extensibleType: The message type, if it has room for extensions.
    public init(
        _ name: String,
        _ fields: [FieldSchema],
        repairsStrings: Bool = false,
        isMessageSet: Bool = false,
        extensibleType: (any ExtensibleMessage.Type)? = nil
    ) {
        let table = UnsafeMutablePointer<MessageTable>.allocate(capacity: 1)
        table.initialize(
            to: MessageTable(
                name,
                fields,
                repairsStrings: repairsStrings,
                isMessageSet: isMessageSet,
                extensibleType: extensibleType
            )
        )
        self.table = UnsafePointer(table)
    }
}
