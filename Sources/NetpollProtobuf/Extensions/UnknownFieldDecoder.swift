/// Lends the fields of a message that its type does not know.
///
/// For the runtime.
public struct UnknownFieldDecoder {
    let bytes: [UInt8]
    let context: UnsafeMutablePointer<DecodingContext>

    @usableFromInline
    init(_ image: DecodedImage, _ context: UnsafeMutablePointer<DecodingContext>) {
        bytes = Array(image.unknown)
        self.context = context
    }

    func keep(_ bytes: [UInt8], in fields: inout UnknownFields) {
        if !context.pointee.discardsUnknownFields { fields.bytes = bytes }
    }
}

extension Message {
    /// For the runtime: keeps the fields as they are, unless the options say otherwise.
    ///
    /// - Throws: Nothing.
    public mutating func decodeUnknownFields(_ decoder: UnknownFieldDecoder) throws(ProtobufError) {
        decoder.keep(decoder.bytes, in: &unknownFields)
    }
}

extension ExtensibleMessage {
    /// For the runtime: takes the known extensions and keeps the other fields as they are.
    ///
    /// - Throws: ``ProtobufError``: what is wrong in an extension.
    public mutating func decodeUnknownFields(_ decoder: UnknownFieldDecoder) throws(ProtobufError) {
        guard let extensions = decoder.context.pointee.extensions else {
            return decoder.keep(decoder.bytes, in: &unknownFields)
        }
        let sorted = try decoder.bytes.withRawBytes { (bytes) throws(ProtobufError) in
            try SortedFields(
                bytes,
                isMessageSet: Self.messageSchema.isMessageSet,
                depth: decoder.context.pointee.depth
            ) { extensions[Self.self, $0] }
        }
        var unknown = sorted.unknown
        for (number, field) in sorted.fields.sorted(by: { $0.key < $1.key }) {
            let (value, rest) = try decoder.decode(field.bytes, field.definition)
            extensionFields[number] = value
            unknown += rest
        }
        decoder.keep(unknown, in: &unknownFields)
    }
}

extension UnknownFieldDecoder {
    /// Decodes all occurrences of one extension, and tells what of them its type does not know.
    fileprivate func decode(
        _ bytes: [UInt8],
        _ definition: any AnyMessageExtension
    ) throws(ProtobufError) -> (ExtensionField?, unknown: [UInt8]) {
        try bytes.withRawBytes { (bytes) throws(ProtobufError) in
            let image = try DecodedImage(bytes, definition.schema, context)
            let field = try definition.decode(FieldDecoder(image, definition.schema, context))
            return (field, Array(image.unknown))
        }
    }
}

/// Fields by the extension that they belong to.
struct SortedFields {
    private(set) var fields: [Int: (definition: any AnyMessageExtension, bytes: [UInt8])] = [:]
    private(set) var unknown: [UInt8] = []

    init(
        _ bytes: UnsafeRawBufferPointer,
        isMessageSet: Bool,
        depth: Int,
        _ find: (Int) -> (any AnyMessageExtension)?
    ) throws(ProtobufError) {
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            let start = reader.offset
            let tag = try reader.tag()
            if isMessageSet, tag.number == MessageSetItem.number, tag.wireType == .startGroup {
                let body = try reader.groupBody(tag.number, depth: depth)
                if let item = try MessageSetItem(body, depth: depth), let definition = find(item.id)
                {
                    add(item.field, item.id, definition)
                    continue
                }
            } else {
                try reader.skipValue(tag, depth: depth)
                if let definition = find(Int(tag.number)) {
                    add(Array(reader.bytes(since: start)), Int(tag.number), definition)
                    continue
                }
            }
            unknown.append(contentsOf: reader.bytes(since: start))
        }
    }

    private mutating func add(
        _ bytes: [UInt8],
        _ number: Int,
        _ definition: any AnyMessageExtension
    ) {
        fields[number, default: (definition, [])].bytes += bytes
    }
}
