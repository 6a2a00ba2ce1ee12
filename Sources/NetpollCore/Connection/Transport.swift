#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// What a connection moves its bytes through: a socket, or memory of this process.
///
/// Reading is for the loop; one thread at a time may write.
enum Transport: Sendable {
    /// The descriptor of a socket that the connection owns.
    case socket(Int32)
    case memory(MemoryEndpoint)

    /// Takes what has come, at most as much as `space` holds.
    func read(
        into space: UnsafeMutableRawBufferPointer,
        _ faults: (any SystemCallFaults)?
    ) -> IOResult {
        var space = space
        if let faults {
            switch shorten(space.count, faults, .read) {
            case .success(let count):
                space = UnsafeMutableRawBufferPointer(rebasing: space[..<count])
            case .failure(let failed): return failed.result
            }
        }
        switch self {
        case .socket(let fileDescriptor): return Socket.read(fileDescriptor, into: space)
        case .memory(let endpoint): return endpoint.read(into: space)
        }
    }

    /// Sends the pieces in order, as far as there is room.
    func write(
        _ pieces: UnsafeMutableBufferPointer<iovec>,
        _ faults: (any SystemCallFaults)?
    ) -> IOResult {
        var pieces = pieces
        if let faults, pieces.count > 0 {
            switch shorten(pieces[0].iov_len, faults, .write) {
            case .success(let count):
                if count < pieces[0].iov_len {
                    pieces[0].iov_len = count
                    pieces = UnsafeMutableBufferPointer(rebasing: pieces[..<1])
                }
            case .failure(let failed): return failed.result
            }
        }
        switch self {
        case .socket(let fileDescriptor): return Socket.write(fileDescriptor, pieces)
        case .memory(let endpoint): return endpoint.write(pieces)
        }
    }

    /// Ends the write direction or both.
    func shutdown(_ direction: Socket.ShutdownDirection) {
        switch self {
        case .socket(let fileDescriptor): Socket.shutdown(fileDescriptor, direction)
        case .memory(let endpoint): endpoint.shutdown(direction)
        }
    }

    private struct Failed: Error {
        let result: IOResult
    }

    /// How many of `count` bytes a test lets the call move, or its failure instead.
    private func shorten(_ count: Int, _ faults: any SystemCallFaults, _ call: SystemCall)
        -> Result<Int, Failed>
    {
        let fileDescriptor: Int32 = if case .socket(let number) = self { number } else { -1 }
        while let fault = faults.fault(for: call, on: fileDescriptor) {
            switch fault {
            case .short(let limit): return .success(min(count, max(1, limit)))
            // The caller of a real call makes it again.
            case .failure(EINTR): continue
            case .failure(let number): return .failure(Failed(result: .failed(number)))
            }
        }
        return .success(count)
    }
}
