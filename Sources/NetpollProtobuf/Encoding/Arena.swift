internal import CProtobufC

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Bump-allocated scratch memory for one encoding or decoding, with a budget.
///
/// Nothing is freed one by one; everything goes at the end. An allocation beyond the budget gives
/// `nil`, which libprotobuf-c reports as a failed call, so no input can make it take more.
///
/// Each thread keeps one first chunk for its next arena, so that small messages take no memory from
/// the system. Encoding and decoding never suspend, so an arena ends on the thread it began on.
struct Arena: ~Copyable {
    /// Lives in the first chunk, so that the C allocator can find it.
    struct State {
        var cursor: UnsafeMutableRawPointer
        var end: UnsafeMutableRawPointer
        var budget: Int
        var nextChunkByteCount: Int
        var chunks: UnsafeMutableRawPointer?
    }

    let state: UnsafeMutablePointer<State>

    private static let headerByteCount = (MemoryLayout<State>.size + 15) & ~15
    private static let firstChunkByteCount = 16 << 10

    init(budget: Int) {
        let first = ThreadChunk.take(byteCount: Self.firstChunkByteCount)
        state = first.bindMemory(to: State.self, capacity: 1)
        state.initialize(
            to: State(
                cursor: first + Self.headerByteCount,
                end: first + Self.firstChunkByteCount,
                budget: budget,
                nextChunkByteCount: 2 * Self.firstChunkByteCount,
                chunks: nil
            )
        )
    }

    deinit {
        var chunk = state.pointee.chunks
        while let current = chunk {
            chunk = current.load(as: UnsafeMutableRawPointer?.self)
            current.deallocate()
        }
        ThreadChunk.giveBack(UnsafeMutableRawPointer(state))
    }

    /// Uninitialised memory aligned to 8 bytes, or `nil` beyond the budget.
    static func allocate(_ state: UnsafeMutablePointer<State>, _ byteCount: Int)
        -> UnsafeMutableRawPointer?
    {
        guard byteCount >= 0, byteCount <= state.pointee.budget else { return nil }
        let rounded = (byteCount + 7) & ~7
        if state.pointee.end - state.pointee.cursor < rounded { addChunk(state, rounded) }
        state.pointee.budget -= byteCount
        let result = state.pointee.cursor
        state.pointee.cursor += rounded
        return result
    }

    private static func addChunk(_ state: UnsafeMutablePointer<State>, _ minimum: Int) {
        let byteCount = max(state.pointee.nextChunkByteCount, minimum + 16)
        let chunk = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 16)
        chunk.storeBytes(of: state.pointee.chunks, as: UnsafeMutableRawPointer?.self)
        state.pointee.chunks = chunk
        state.pointee.cursor = chunk + 16
        state.pointee.end = chunk + byteCount
        state.pointee.nextChunkByteCount = min(byteCount * 2, 1 << 20)
    }

    /// The allocator that libprotobuf-c takes its memory from; valid as long as the arena.
    var allocator: ProtobufCAllocator {
        ProtobufCAllocator(
            alloc: { data, size in
                guard let data, let byteCount = Int(exactly: size) else { return nil }
                return Arena.allocate(data.assumingMemoryBound(to: State.self), byteCount)
            },
            free: { _, _ in },
            allocator_data: UnsafeMutableRawPointer(state)
        )
    }
}

/// The chunk that a thread keeps between arenas; freed when the thread ends.
private enum ThreadChunk {
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        // Without a key no chunk is kept, which costs time and nothing else.
        return pthread_key_create(&key) { free($0) } == 0 ? key : nil
    }()

    static func take(byteCount: Int) -> UnsafeMutableRawPointer {
        if let key, let kept = pthread_getspecific(key) {
            pthread_setspecific(key, nil)
            return kept
        }
        guard let chunk = malloc(byteCount) else {
            preconditionFailure("no memory is left for \(byteCount) bytes")
        }
        return chunk
    }

    static func giveBack(_ chunk: UnsafeMutableRawPointer) {
        // An arena inside another one finds the place taken when the outer one has given back.
        guard let key, pthread_getspecific(key) == nil, pthread_setspecific(key, chunk) == 0 else {
            return free(chunk)
        }
    }
}
