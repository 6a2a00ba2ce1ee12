#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Turns `errno` into typed errors.
enum SystemError {
    /// The system's words for an error number, as `strerror(3)`.
    static func text(_ number: Int32) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress else { return "error \(number)" }
            base[0] = 0
            // The XSI form writes into the buffer; Glibc's Swift overlay exposes that one.
            _ = strerror_r(number, base, buffer.count)
            base[buffer.count - 1] = 0
            return String(cString: base)
        }
    }

    /// The code that callers switch on for an error number.
    static func code(_ number: Int32) -> NetpollError.Code {
        switch number {
        case ECONNRESET, EPIPE, ECONNABORTED: .connectionReset
        case ECONNREFUSED, ENOENT: .connectionRefused
        case ETIMEDOUT: .timedOut
        case EHOSTUNREACH, ENETUNREACH, ENETDOWN: .unreachable
        case EADDRINUSE: .addressInUse
        case EADDRNOTAVAIL, EAFNOSUPPORT: .invalidAddress
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: .limitExceeded
        default: .system
        }
    }

    /// An error for a failed call.
    static func make(_ number: Int32, _ operation: String) -> NetpollError {
        NetpollError(code(number), operation, errorNumber: number)
    }

    /// An error for the call that just failed on this thread.
    static func last(_ operation: String) -> NetpollError { make(errno, operation) }
}
