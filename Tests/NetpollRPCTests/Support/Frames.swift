import NetpollCore

@testable import NetpollRPC

/// All frames of a byte string; what is left over must be none.
func decodeAll(_ bytes: [UInt8], limits: WireLimits = WireLimits()) throws -> [Frame] {
    var input = LinkBuffer()
    input.write(bytes)
    var frames: [Frame] = []
    while !input.isEmpty {
        guard case .frame(let frame) = try FrameDecoder(limits: limits).next(&input) else {
            throw Leftover()
        }
        frames.append(frame)
    }
    return frames
}

struct Leftover: Error {}

extension FrameDecoder {
    /// The next frame of a connection that remembers nothing.
    func next(_ input: inout LinkBuffer) throws(WireError) -> Result {
        var headers = HeaderMemo()
        return try next(&input, &headers)
    }
}

/// The bytes of one frame.
func encode(_ head: FrameHead, body: [UInt8], limits: WireLimits = WireLimits()) throws -> [UInt8] {
    var output = LinkBuffer()
    let byteCount = try FrameEncoder.byteCount(of: head, bodyByteCount: body.count, limits: limits)
    let target = FrameEncoder.append(head, byteCount: byteCount, to: &output)
    UnsafeMutableRawBufferPointer(start: target, count: body.count).copyBytes(from: body)
    FrameEncoder.finish(head, byteCount: byteCount, body: target, in: &output)
    return output.readArray(byteCount) ?? []
}

/// A pair of a header, for comparison without order.
struct Pair: Hashable {
    let key: String
    let value: String
}

extension Frame {
    var pairs: Set<Pair> {
        Set(header.strings.map { Pair(key: $0.key, value: $0.value) })
            .union(header.integers.map { Pair(key: "#\($0.key)", value: $0.value) })
    }
}
