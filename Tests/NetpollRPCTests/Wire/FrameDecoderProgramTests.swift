import NetpollTesting
import TestSupport
import Testing

@testable import NetpollRPC

@Suite("FrameDecoder under any bytes")
struct FrameDecoderProgramTests {
    /// Everything that is known to be legal, and lengths that invite mistakes.
    private static func corpus() throws -> [[UInt8]] {
        var corpus = try Array(DocumentedFrames.load().sorted { $0.key < $1.key }.map(\.value))
        for name in Recording.names {
            for direction in ["c2s", "s2c"] { corpus.append(try Recording(name, direction).bytes) }
        }
        return corpus
    }

    @Test("whole and in pieces are the same, and what is written is stable", arguments: 0..<256)
    func corpus(pieces: Int) throws {
        for (index, bytes) in try Self.corpus().enumerated() where index % 8 == pieces % 8 {
            let complaint = FrameDecoderProgram.run([UInt8(pieces)] + bytes)
            #expect(complaint == nil, "frame \(index) of the corpus")
        }
    }

    @Test("mutations of legal frames", arguments: 0..<40)
    func mutations(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let corpus = try Self.corpus()
        for round in 0..<150 {
            let bytes = mutate(corpus, &random)
            let complaint = FrameDecoderProgram.run(bytes)
            #expect(complaint == nil, "seed \(seed), round \(round): \(bytes)")
        }
    }

    private func mutate(_ corpus: [[UInt8]], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = random.bytes(1)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            bytes += corpus.randomElement(using: &random) ?? []
        }
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
            case 2: bytes[index] = [0, 1, 0x10, 0x11, 0x7F, 0x80, 0xFF][Int(random.next() % 7)]
            case 3: bytes.insert(contentsOf: random.bytes(2), at: index)
            case 4: if bytes.count > 1 { bytes.remove(at: index) }
            default: bytes.removeLast(min(bytes.count - 1, Int(random.next() % 8)))
            }
        }
        return bytes
    }

    @Test("random bytes behind a legal prefix", arguments: 0..<20)
    func noise(seed: Int) {
        var random = SeededGenerator(seed: 1000 + UInt64(seed))
        for round in 0..<150 {
            let block = random.bytes(4 * Int.random(in: 1...30, using: &random))
            let payload = random.bytes(Int.random(in: 0...40, using: &random))
            let length = UInt8(10 + block.count + payload.count)
            let prefix: [UInt8] = [0, 0, 0, length, 0x10, 0, 0, 0, 0, 0, 0, 1, 0]
            var input = random.bytes(1) + prefix
            input += [UInt8(block.count / 4), 0, 0]
            input += block.dropFirst(2) + payload
            let complaint = FrameDecoderProgram.run(input)
            #expect(complaint == nil, "seed \(1000 + seed), round \(round): \(input)")
        }
    }
}
