/// What a server serves under one name.
public struct ServedService: Sendable, Hashable {
    /// The service's full name, `package.Service`.
    public let name: String
    /// The names of its methods, sorted.
    public let methods: [String]
    /// The descriptors of its file, if it carries any.
    public let fileDescriptors: FileDescriptors?

    /// Creates a description.
    public init(name: String, methods: [String], fileDescriptors: FileDescriptors? = nil) {
        self.name = name
        self.methods = methods
        self.fileDescriptors = fileDescriptors
    }
}

/// A service that wants to know what becomes of the server that serves it.
///
/// Health and reflection are such services. The server calls from any thread and waits for the
/// return, so neither method may block.
public protocol ServerObserver: RPCService {
    /// The server is about to listen.
    ///
    /// - Parameter services: All that it serves, this one included, sorted by name.
    func serverWillStart(_ services: [ServedService])

    /// The server has been asked to end; calls still come until its clients have noticed.
    func serverWillDrain()
}

extension ServerObserver {
    /// Does nothing.
    public func serverWillStart(_ services: [ServedService]) {}
    /// Does nothing.
    public func serverWillDrain() {}
}
