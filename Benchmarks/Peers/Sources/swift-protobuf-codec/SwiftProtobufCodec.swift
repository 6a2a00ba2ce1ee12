import CodecHarness
import SwiftProtobuf

/// Prints what `netpoll-bench codec --peer` reads.
@main
enum SwiftProtobufCodec {
    static func main() throws {
        let rows =
            try measure(Samples.text, "text") + measure(Samples.order, "order")
            + measure(Samples.listing, "listing")
        for row in rows { print(row.line) }
    }

    private static func measure<M: SwiftProtobuf.Message & Equatable>(_ message: M, _ name: String)
        throws -> [CodecRow]
    {
        let bytes: [UInt8] = try message.serializedBytes()
        let decoded = try M(serializedBytes: bytes)
        precondition(decoded == message)
        return [
            CodecStopwatch.measure(name, "encode") { iterations in
                for _ in 0..<iterations {
                    CodecStopwatch.use((try? message.serializedBytes() as [UInt8])?.count ?? 0)
                }
            },
            CodecStopwatch.measure(name, "decode") { iterations in
                for _ in 0..<iterations {
                    CodecStopwatch.use((try? M(serializedBytes: bytes)) == nil ? 0 : 1)
                }
            },
        ]
    }
}
