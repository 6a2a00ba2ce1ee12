/// Where the tasks of a handler find the context of their call.
///
/// A task-local value is bound to a holder and not to a context, because a task that serves one
/// call after the other binds it once: to bind a value around each call would cost four switches
/// between executors.
final class ContextHolder: @unchecked Sendable {
    // @unchecked: `context` changes only while no task but one can read it, see `HandlerTask`.

    @TaskLocal static var current: ContextHolder?

    var context: RPCContext?

    init(_ context: RPCContext? = nil) { self.context = context }

    /// Whether anything but the one reference that is known of holds a holder.
    static func isShared(_ holder: Unmanaged<ContextHolder>) -> Bool {
        // An unmanaged reference is laid out like a strong one.
        var holder = holder
        return withUnsafeMutablePointer(to: &holder) { pointer in
            pointer.withMemoryRebound(to: ContextHolder.self, capacity: 1) {
                !isKnownUniquelyReferenced(&$0.pointee)
            }
        }
    }
}
