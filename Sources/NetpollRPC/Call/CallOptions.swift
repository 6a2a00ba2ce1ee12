/// What a caller may say about one call.
public struct CallOptions: Sendable {
    /// How long to wait for the reply; `nil` means the client's default.
    public var timeout: Duration?
    /// Metadata for the server that is called.
    public var metadata = Metadata()
    /// Metadata for that server and all that it calls in turn.
    public var persistentMetadata = Metadata()

    /// Creates the defaults.
    public init() {}
}
