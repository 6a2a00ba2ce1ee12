internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Resolves host names on threads of its own, because getaddrinfo(3) blocks.
///
/// Numeric hosts and Unix paths are resolved at once. At most ``threadLimit`` look-ups run at a
/// time, so a dead name server cannot collect threads; more fail with `limitExceeded`.
enum NameLookup {
    typealias Completion = @Sendable (Result<[RawAddress], NetpollError>) -> Void

    static let threadLimit = 16
    private static let running = Atomic<Int>(0)

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
        do throws(NetpollError) {
            try SystemThread.start {
                let outcome = Result { () throws(NetpollError) in
                    try RawAddress.resolve(address, passive: false)
                }
                running.wrappingSubtract(1, ordering: .relaxed)
                completion(outcome)
            }
        } catch {
            running.wrappingSubtract(1, ordering: .relaxed)
            completion(.failure(error))
        }
    }
}
