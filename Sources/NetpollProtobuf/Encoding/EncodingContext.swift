/// What one encoding shares over all the messages in it.
@usableFromInline
struct EncodingContext {
    let arena: UnsafeMutablePointer<Arena.State>
    let isPartial: Bool
    /// Maps are written in the order of their keys.
    @usableFromInline let isDeterministic: Bool
    /// How many levels of messages may be in the current one.
    @usableFromInline var depth: Int
    /// The extensions whose values were met, if somebody asks.
    var metExtensions: SimpleExtensionMap?
    /// At least as many bytes as the encoding of all that was stored so far takes.
    @usableFromInline var byteCountBound = 0
    /// How many of them are those of strings, bytes and unknown fields.
    var contentByteCount = 0
    var isMostlyContent: Bool { byteCountBound - contentByteCount <= byteCountBound / 8 }

    /// Most bytes of a tag with a number, or with a length: five and ten.
    @usableFromInline static let valueByteCount = 16
}

extension EncodingContext {
    /// Sets an encoding up and runs it.
    ///
    /// Not generic, and so the same code for all messages.
    @usableFromInline
    static func run(
        _ schema: MessageSchema,
        isPartial: Bool,
        _ options: BinaryEncodingOptions,
        collectsExtensions: Bool,
        _ body: (UnsafeMutablePointer<EncodingContext>) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        do throws(ProtobufError) {
            let arena = Arena(budget: .max)
            var context = EncodingContext(
                arena: arena.state,
                isPartial: isPartial,
                isDeterministic: options.useDeterministicOrdering,
                depth: options.messageDepthLimit,
                metExtensions: collectsExtensions ? [] : nil
            )
            try withUnsafeMutablePointer(to: &context, body)
            withExtendedLifetime(arena) {}
        } catch {
            throw error.inside(message: schema.name)
        }
    }
}
