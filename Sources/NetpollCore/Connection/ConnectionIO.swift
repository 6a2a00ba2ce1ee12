#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// What a connection moves its bytes through: a socket, or memory of this process.
///
/// Reading is for the loop; one thread at a time may write.
enum ConnectionIO: Sendable {
    /// The descriptor of a socket that the connection owns.
    case socket(Int32)
    case memory(MemoryEndpoint)

    /// Takes what has come, at most as much as the pieces hold.
    func read(
        into pieces: UnsafeMutableBufferPointer<iovec>,
        _ faults: (any SystemCallFaults)?
    ) -> IOResult {
        var pieces = pieces
        if let faults, let failed = limit(&pieces, faults, .read) { return failed }
        switch self {
        case .socket(let fileDescriptor): return Socket.read(fileDescriptor, into: pieces)
        case .memory(let endpoint): return endpoint.read(into: pieces)
        }
    }

    /// Sends the pieces in order, as far as there is room.
    func write(
        _ pieces: UnsafeMutableBufferPointer<iovec>,
        _ faults: (any SystemCallFaults)?
    ) -> IOResult {
        var pieces = pieces
        if let faults, let failed = limit(&pieces, faults, .write) { return failed }
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

    /// Lets a test make the call move fewer bytes, or fail.
    ///
    /// - Returns: The failure.
    private func limit(
        _ pieces: inout UnsafeMutableBufferPointer<iovec>,
        _ faults: any SystemCallFaults,
        _ call: SystemCall
    ) -> IOResult? {
        let fileDescriptor: Int32 = if case .socket(let number) = self { number } else { -1 }
        while let fault = faults.fault(for: call, on: fileDescriptor) {
            switch fault {
            case .short(let limit):
                guard pieces.count > 0 else { return nil }
                pieces[0].iov_len = min(pieces[0].iov_len, max(1, limit))
                pieces = UnsafeMutableBufferPointer(rebasing: pieces[..<1])
                return nil
            // The caller of a real call makes it again.
            case .failure(EINTR): continue
            case .failure(let number): return .failed(number)
            }
        }
        return nil
    }
}
