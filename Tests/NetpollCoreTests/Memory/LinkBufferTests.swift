import Glibc
import NetpollTesting
import Synchronization
import TestSupport
import Testing

@testable import NetpollCore

@Suite("LinkBuffer")
struct LinkBufferTests {
    /// A buffer with one block for each element.
    private func buffer(_ blocks: [[UInt8]]) -> LinkBuffer {
        var result = LinkBuffer()
        for block in blocks { result.append(BufferSlice(copying: block)) }
        return result
    }

    /// All ways to part the bytes from 0 on into at most three blocks of at most three bytes.
    private static let layouts: [[[UInt8]]] = (0...3).flatMap { first in
        (0...3).flatMap { second in
            (0...3).map { third in
                var next: UInt8 = 0
                return [first, second, third].map { count in
                    (0..<count).map { _ in
                        defer { next += 1 }
                        return next
                    }
                }
            }
        }
    }

    @Test("every layout reads alike, whatever is cut off first")
    func layouts() {
        for layout in Self.layouts {
            let model = layout.flatMap { $0 }
            for first in 0...model.count + 1 {
                var copied = buffer(layout)
                let array = copied.readArray(first)
                #expect(array == (first <= model.count ? Array(model.prefix(first)) : nil))
                var sliced = buffer(layout)
                let slice = sliced.readSlice(first).map { Array($0) }
                #expect(slice == array)
                var parted = buffer(layout)
                var part = parted.slice(first)
                let partBytes = part?.readArray(first)
                #expect(partBytes == array)
                let rest = sliced.readArray(sliced.byteCount)
                let expected = first <= model.count ? Array(model.dropFirst(first)) : model
                #expect(rest == expected)
            }
        }
    }

    @Test("every layout takes a slice at every place, and peeks alike before and after")
    func insertions() {
        for layout in Self.layouts {
            let model = layout.flatMap { $0 }
            for following in 0...model.count {
                var changed = buffer(layout)
                changed.insert(BufferSlice(copying: [100, 101]), beforeLast: following)
                var expected = model
                expected.insert(contentsOf: [100, 101], at: model.count - following)
                for count in 0...expected.count {
                    let slice = changed.peekSlice(count).map { Array($0) }
                    #expect(slice == Array(expected.prefix(count)))
                }
                changed.write([102])
                let all = changed.readArray(changed.byteCount)
                #expect(all == expected + [102])
            }
        }
    }

    @Test("payloads are spliced into one reservation without a copy")
    func splicing() throws {
        var buffer = LinkBuffer()
        buffer.write(upTo: 10) { room in for byte in UInt8(1)...6 { room.append(byte) } }
        let payload = BufferSlice(copying: [UInt8](repeating: 9, count: 5000))
        buffer.insert(payload, beforeLast: 4)
        buffer.insert(payload, beforeLast: 1)
        let segments = buffer.segmentCount
        #expect(segments == 5)
        var regions: [Int] = []
        var isShared = false
        buffer.forEachRegion { region in
            regions.append(region.byteCount)
            region.withUnsafeBytes { region in
                payload.withUnsafeBytes {
                    if region.baseAddress == $0.baseAddress { isShared = true }
                }
            }
        }
        #expect(regions == [2, 5000, 3, 5000, 1] && isShared)
        // What is written next goes on in the reservation's block.
        buffer.write([7])
        let after = buffer.segmentCount
        #expect(after == 5)
    }

    @Test("a drained block is used again, unless a slice still reads it")
    func reuse() async throws {
        // On a thread with a cache, which counts the blocks that are taken.
        let taken = try await blocking { () -> [Int] in
            BufferCache.attachToThread()
            defer { BufferCache.detachFromThread() }
            func count() -> Int {
                BufferCache.current.map { $0.statistics.hits + $0.statistics.misses } ?? -1
            }
            var counts: [Int] = []
            var buffer = LinkBuffer()
            for round in UInt8(0)..<10 {
                buffer.write([round, round, round])
                buffer.skip(3)
            }
            counts.append(count())
            buffer.write([4])
            let slice = buffer.readSlice(1)
            buffer.write([5])
            counts.append(count())
            let rest = buffer.readByte()
            #expect(slice.map { Array($0) } == [4] && rest == 5)
            return counts
        }
        #expect(taken == [1, 2])
    }

    @Test("memory that is handed over is freed once, when the last slice is gone")
    func ownership() {
        final class Counter: Sendable { let value = Atomic<Int>(0) }
        let freed = Counter()
        do {
            let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 10, alignment: 1)
            var buffer = LinkBuffer()
            buffer.append(
                BufferSlice(owning: memory) {
                    freed.value.add(1, ordering: .relaxed)
                    $0.deallocate()
                }
            )
            let part = buffer.readSlice(4)
            buffer.removeAll()
            #expect(part?.count == 4 && freed.value.load(ordering: .relaxed) == 0)
        }
        #expect(freed.value.load(ordering: .relaxed) == 1)
    }

    @Test("random programs do to the buffer what they do to an array", arguments: 0..<100)
    func programs(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var program = LinkBufferProgram()
        let difference = program.run(random.bytes(900))
        #expect(difference == nil, "seed \(seed)")
    }

    @Test("small writes share a block, and slices of one block copy nothing")
    func packing() throws {
        var buffer = LinkBuffer()
        for number in 0..<100 { buffer.write(UInt32(number)) }
        let segments = buffer.segmentCount
        #expect(segments == 1)
        let slices = [buffer.readSlice(4), buffer.readSlice(4)]
        let first = try #require(slices[0])
        let second = try #require(slices[1])
        let distance = try first.withUnsafeBytes { left in
            try second.withUnsafeBytes { right in
                try #require(right.baseAddress) - #require(left.baseAddress)
            }
        }
        #expect(distance == 4)
    }

    @Test("a slice outlives its buffer and later writes")
    func lifetime() throws {
        var buffer = LinkBuffer()
        buffer.write([1, 2, 3])
        let cut = buffer.readSlice(3)
        let slice = try #require(cut)
        for _ in 0..<1000 { buffer.write([9, 9, 9, 9, 9]) }
        buffer.removeAll()
        #expect(Array(slice) == [1, 2, 3])
        #expect(Array(slice.slice(1..<2)) == [2])
        #expect(slice.slice(5..<9).isEmpty)
    }

    @Test(
        "a message whose length is known lands in one block, and a claim buys no more than it earns"
    )
    func contiguity() throws {
        var buffer = LinkBuffer()
        buffer.write([UInt8](repeating: 1, count: 100))
        buffer.prepareContiguous(10_000)
        let room = buffer.reserveAtLeast(1).count
        #expect(room >= 9900)
        var claimed = LinkBuffer()
        claimed.write([0])
        claimed.prepareContiguous(1 << 30)
        let claimedRoom = claimed.reserveAtLeast(1).count
        #expect(claimedRoom < 1 << 17)
    }

    @Test("an integer is read across blocks and not before it is complete")
    func integers() {
        var split = buffer([[0x12], [0x34, 0x56], [0x78]])
        let value = split.readInteger(as: UInt32.self)
        let after = split.readInteger(as: UInt8.self)
        #expect(value == 0x1234_5678 && after == nil)
    }

    @Test("a reservation is filled, filled in part, or given up with what was written to it")
    func reservations() throws {
        struct Failure: Error {}
        var buffer = LinkBuffer()
        buffer.write([1])
        buffer.write(upTo: 8) { room in
            room.append(2)
            room.append(3)
        }
        buffer.write(upTo: 4) { _ in }
        #expect(throws: Failure.self) {
            try buffer.write(upTo: 4) { room throws in
                room.append(9)
                throw Failure()
            }
        }
        let free = buffer.write(upTo: 100) { room in
            let free = room.freeCapacity
            while room.freeCapacity > 0 { room.append(4) }
            return free
        }
        #expect(free == 100)
        let bytes = buffer.readArray(buffer.byteCount)
        #expect(bytes == [1, 2, 3] + [UInt8](repeating: 4, count: 100))
    }

    @Test("reading fills the last block and then a new one, however much comes")
    func vectors() {
        for (held, room, moved) in [
            (0, 100, 100), (0, 100, 7), (1000, 8000, 8000), (1000, 8000, 3096), (1000, 8000, 3097),
            (1000, 8000, 1), (4000, 5000, 5000), (4096, 10, 10),
        ] {
            var buffer = LinkBuffer()
            var model = (0..<held).map { UInt8(truncatingIfNeeded: $0) }
            buffer.write(model)
            let came = (0..<moved).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let result = buffer.read(upTo: room) { vectors in
                var rest = came[...]
                for vector in vectors where !rest.isEmpty {
                    let part = rest.prefix(vector.iov_len)
                    vector.iov_base.copyMemory(from: Array(part), byteCount: part.count)
                    rest = rest.dropFirst(part.count)
                }
                return .moved(moved - rest.count)
            }
            #expect(result == .moved(moved))
            model += came
            buffer.write([5])
            model += [5]
            let bytes = buffer.readArray(buffer.byteCount)
            #expect(bytes == model, "\(held) held, \(moved) of \(room) came")
        }
        var buffer = LinkBuffer()
        let result = buffer.read(upTo: 10) { _ in .wouldBlock }
        let isEmpty = buffer.isEmpty
        #expect(result == .wouldBlock && isEmpty)
    }

    @Test("text is read as UTF-8, repaired where it is not")
    func strings() {
        var buffer = LinkBuffer()
        buffer.write("gr\u{fc}\u{df}e")
        buffer.write([0xFF])
        let count = buffer.byteCount
        let tooMuch = buffer.readString(count + 1)
        let text = buffer.readString(count)
        let isEmpty = buffer.isEmpty
        #expect(tooMuch == nil && text == "gr\u{fc}\u{df}e\u{FFFD}" && isEmpty)
    }
}
