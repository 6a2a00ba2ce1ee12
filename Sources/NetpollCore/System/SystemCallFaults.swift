/// A system call that a test can make fail.
package enum SystemCall: Sendable, Hashable {
    case read, write, accept, connect
}

/// What happens instead of a system call.
package enum SystemCallFault: Sendable, Hashable {
    /// The call fails with this `errno`, without being made.
    case failure(Int32)
    /// The call is made with at most so many bytes; at least one.
    case short(Int)
}

/// Stands between the core and the kernel in tests of what the kernel may do.
///
/// Called on whatever thread makes the call.
package protocol SystemCallFaults: AnyObject, Sendable {
    /// What to do instead of the next call, or `nil` to make it as it is.
    func fault(for call: SystemCall, on fileDescriptor: Int32) -> SystemCallFault?
}
