/// The names of the metadata that calls of the service carry.
package enum CallMetadata {
    /// Persistent: the namespace that the caller's keys live in; `default` if it does not say.
    ///
    /// A service between passes it on without knowing of it.
    package static let namespace = "namespace"
    /// Transient: what the server's log shall call this call.
    package static let requestID = "request-id"
}
