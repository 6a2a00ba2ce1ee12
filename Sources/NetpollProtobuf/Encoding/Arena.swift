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
@usableFromInline
struct Arena: ~Copyable {
    /// Lives in the first chunk, so that the C allocator can find it.
    @usableFromInline
    struct State {
        @usableFromInline var cursor: UnsafeMutableRawPointer
        @usableFromInline var end: UnsafeMutableRawPointer
        @usableFromInline var budget: Int
        var nextChunkByteCount: Int
        /// The chunks behind the first, each with a ``ChunkHeader``, newest first.
        @usableFromInline var chunks: UnsafeMutableRawPointer?
        /// A chunk that was given back and waits for its next use.
        var spare: UnsafeMutableRawPointer?
        /// Bytes taken from the budget that do not come back when the arena is rewound.
        @usableFromInline var chargedByteCount = 0
    }

    private struct ChunkHeader {
        var previous: UnsafeMutableRawPointer?
        var byteCount: Int
    }

    let state: UnsafeMutablePointer<State>

    private static let headerByteCount = (MemoryLayout<State>.size + 15) & ~15
    private static let firstChunkByteCount = 16 << 10
    /// The largest chunk that more than one allocation shares.
    private static let largestChunkByteCount = 1 << 20

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
        Self.freeChunks(state, downTo: nil)
        state.pointee.spare?.deallocate()
        ThreadChunk.giveBack(UnsafeMutableRawPointer(state))
    }

    /// Uninitialised memory aligned to 8 bytes, or `nil` beyond the budget.
    @inline(__always)
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

    /// Takes bytes from the budget for good, for memory elsewhere; false if they are not there.
    static func charge(_ state: UnsafeMutablePointer<State>, _ byteCount: Int) -> Bool {
        guard byteCount <= state.pointee.budget else { return false }
        state.pointee.budget -= byteCount
        state.pointee.chargedByteCount += byteCount
        return true
    }

    /// Where the arena is, to go back to.
    @usableFromInline
    struct Mark {
        @usableFromInline let cursor: UnsafeMutableRawPointer
        @usableFromInline let end: UnsafeMutableRawPointer
        @usableFromInline let chunks: UnsafeMutableRawPointer?
        @usableFromInline let budget: Int
        @usableFromInline let chargedByteCount: Int

        @inlinable init(_ state: State) {
            cursor = state.cursor
            end = state.end
            chunks = state.chunks
            budget = state.budget
            chargedByteCount = state.chargedByteCount
        }
    }

    @inlinable
    static func mark(_ state: UnsafeMutablePointer<State>) -> Mark {
        Mark(state.pointee)
    }

    /// Forgets all that was allocated since a mark.
    @inlinable
    static func rewind(_ state: UnsafeMutablePointer<State>, to mark: Mark) {
        if state.pointee.chunks != mark.chunks { freeChunks(state, downTo: mark.chunks) }
        state.pointee.cursor = mark.cursor
        state.pointee.end = mark.end
        let charged = state.pointee.chargedByteCount - mark.chargedByteCount
        state.pointee.budget = mark.budget - charged
    }

    private static func addChunk(_ state: UnsafeMutablePointer<State>, _ minimum: Int) {
        let headerByteCount = MemoryLayout<ChunkHeader>.size
        let wanted = minimum + headerByteCount
        var header = ChunkHeader(
            previous: state.pointee.chunks,
            byteCount: max(state.pointee.nextChunkByteCount, wanted)
        )
        let chunk: UnsafeMutableRawPointer
        if let spare = state.pointee.spare, spare.load(as: ChunkHeader.self).byteCount >= wanted {
            chunk = spare
            header.byteCount = spare.load(as: ChunkHeader.self).byteCount
            state.pointee.spare = nil
        } else {
            chunk = .allocate(byteCount: header.byteCount, alignment: 16)
            state.pointee.nextChunkByteCount = min(header.byteCount * 2, largestChunkByteCount)
        }
        chunk.storeBytes(of: header, as: ChunkHeader.self)
        state.pointee.chunks = chunk
        state.pointee.cursor = chunk + headerByteCount
        state.pointee.end = chunk + header.byteCount
    }

    @usableFromInline
    static func freeChunks(
        _ state: UnsafeMutablePointer<State>,
        downTo last: UnsafeMutableRawPointer?
    ) {
        while let chunk = state.pointee.chunks, chunk != last {
            let header = chunk.load(as: ChunkHeader.self)
            state.pointee.chunks = header.previous
            if state.pointee.spare == nil, header.byteCount <= largestChunkByteCount {
                state.pointee.spare = chunk
            } else {
                chunk.deallocate()
            }
        }
    }

    /// The allocator that libprotobuf-c takes its memory from; valid as long as the arena.
    static func allocator(_ state: UnsafeMutablePointer<State>) -> ProtobufCAllocator {
        ProtobufCAllocator(
            alloc: allocateForC,
            free: { _, _ in },
            allocator_data: UnsafeMutableRawPointer(state)
        )
    }
}

/// What libprotobuf-c calls for memory; inlined into the function that C sees.
@inline(__always)
private func allocateForC(_ data: UnsafeMutableRawPointer?, _ size: Int) -> UnsafeMutableRawPointer?
{
    guard let data else { return nil }
    return Arena.allocate(data.assumingMemoryBound(to: Arena.State.self), size)
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
