#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// Memory from malloc(3), aligned to 16 bytes.
///
/// `UnsafeMutableRawPointer.allocate` takes more than twice as long on Linux, because the runtime
/// asks aligned_alloc(3) for it.
enum HeapMemory {
    /// Takes uninitialised memory; ends the process if there is none, as Swift's own allocation does.
    static func take(byteCount: Int) -> UnsafeMutableRawPointer {
        guard let memory = malloc(byteCount) else { fatalError("\(byteCount) bytes of memory") }
        return memory
    }

    /// Returns memory from ``take(byteCount:)``.
    static func give(_ memory: UnsafeMutableRawPointer) { free(memory) }
}
