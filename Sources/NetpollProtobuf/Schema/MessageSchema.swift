internal import CProtobufC
internal import Synchronization

/// The fields of a message type, and from the first use on the tables that libprotobuf-c and the
/// scanner read.
///
/// One for each type, made by generated code, never freed.
public final class MessageSchema: Sendable {
    /// The full name of the message type.
    public let name: String
    let fields: [FieldSchema]
    /// Whether strings that are not UTF-8 are repaired (proto2) instead of refused (proto3).
    let repairsStrings: Bool
    /// Whether extensions travel as items of a message set (`message_set_wire_format`).
    let isMessageSet: Bool
    /// The address of a `MessageTable` once the type was used, else 0.
    private let published = Atomic<UInt>(0)

    /// Creates a schema.
    ///
    /// - Parameters:
    ///   - name: The full name of the message type.
    ///   - fields: The fields; a field's slot is its index here.
    ///   - repairsStrings: True for proto2 files.
    ///   - isMessageSet: True for the messages with `message_set_wire_format`.
    public init(
        _ name: String,
        _ fields: [FieldSchema],
        repairsStrings: Bool = false,
        isMessageSet: Bool = false
    ) {
        self.name = name
        self.fields = fields
        self.repairsStrings = repairsStrings
        self.isMessageSet = isMessageSet
    }

    /// The tables of the type, made on first use.
    var table: MessageTable {
        if let pointer = UnsafeRawPointer(bitPattern: published.load(ordering: .acquiring)) {
            return Unmanaged<MessageTable>.fromOpaque(pointer).takeUnretainedValue()
        }
        return makeTable()
    }

    private func makeTable() -> MessageTable {
        let table = Unmanaged.passRetained(MessageTable(self))
        let (isFirst, other) = published.compareExchange(
            expected: 0,
            desired: UInt(bitPattern: table.toOpaque()),
            ordering: .acquiringAndReleasing
        )
        if isFirst { return table.takeUnretainedValue() }
        // Another thread was quicker. What this one made is so little that it is not worth freeing.
        guard let pointer = UnsafeRawPointer(bitPattern: other) else {
            return table.takeUnretainedValue()
        }
        return Unmanaged<MessageTable>.fromOpaque(pointer).takeUnretainedValue()
    }
}
