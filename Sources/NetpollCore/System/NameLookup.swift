internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Resolves host names on threads of its own, because getaddrinfo(3) blocks.
///
/// Numeric hosts and Unix paths are resolved at once. At most ``threadLimit`` look-ups run at a
/// time, so a dead name server cannot collect threads; more fail with `limitExceeded`.
enum NameLookup {
    typealias Completion = @Sendable (Result<[RawAddress], NetpollError>) -> Void

    static let threadLimit = 16
    private static let running = Atomic<Int>(0)

    private final class Request: Sendable {
        let address: SocketAddress
        let completion: Completion

        init(_ address: SocketAddress, _ completion: @escaping Completion) {
            self.address = address
            self.completion = completion
        }
    }

    /// Resolves an address; `completion` is called once, on this thread or on another.
    static func resolve(_ address: SocketAddress, _ completion: @escaping Completion) {
        // A name that is not numeric fails this first try without asking the network.
        if let numeric = try? RawAddress.resolve(address, passive: false, numericOnly: true) {
            return completion(.success(numeric))
        }
        guard running.wrappingAdd(1, ordering: .relaxed).newValue <= threadLimit else {
            running.wrappingSubtract(1, ordering: .relaxed)
            return completion(
                .failure(
                    NetpollError(.limitExceeded, "resolve \(address): \(threadLimit) look-ups run")
                )
            )
        }
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Request(address, completion)).toOpaque()
        let status = pthread_create(&thread, nil, { NameLookup.threadMain($0) }, argument)
        guard status == 0 else {
            Unmanaged<Request>.fromOpaque(argument).release()
            running.wrappingSubtract(1, ordering: .relaxed)
            return completion(.failure(SystemError.make(status, "pthread_create")))
        }
        pthread_detach(thread)
    }

    private static func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
    {
        guard let argument else { return nil }
        let request = Unmanaged<Request>.fromOpaque(argument).takeRetainedValue()
        let outcome = Result { () throws(NetpollError) in
            try RawAddress.resolve(request.address, passive: false)
        }
        running.wrappingSubtract(1, ordering: .relaxed)
        request.completion(outcome)
        return nil
    }
}
