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
    /// The address of a `MessageTable` once the type is prepared, else 0.
    private let published = Atomic<UInt>(0)
    private let lazyFieldNames = LazyFieldNames()

    /// Creates a schema.
    ///
    /// - Parameters:
    ///   - name: The full name of the message type.
    ///   - fields: The fields; a field's slot is its index here.
    ///   - repairsStrings: True for proto2 files.
    public init(_ name: String, _ fields: [FieldSchema], repairsStrings: Bool = false) {
        self.name = name
        self.fields = fields
        self.repairsStrings = repairsStrings
    }

    /// The tables of the type, made on first use for it and all types it refers to.
    var table: MessageTable {
        if let pointer = UnsafeRawPointer(bitPattern: published.load(ordering: .acquiring)) {
            return Unmanaged<MessageTable>.fromOpaque(pointer).takeUnretainedValue()
        }
        return MessageTable.prepare(self)
    }

    /// The names of the fields in JSON, made on first use.
    var fieldNames: FieldNames { lazyFieldNames.value(for: self) }

    var isPrepared: Bool { published.load(ordering: .acquiring) != 0 }

    func publish(_ table: MessageTable) {
        published.store(
            UInt(bitPattern: Unmanaged.passRetained(table).toOpaque()),
            ordering: .releasing
        )
    }
}
