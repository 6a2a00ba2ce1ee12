internal import NetpollCore
internal import NetpollProtobuf

/// Tells clients and supervisors whether the server wants calls, with the messages of
/// `grpc.health.v1`.
///
/// ```swift
/// let health = HealthService()
/// let server = RPCServer(services: [Greeter(), health])
/// health.setStatus(.notServing, for: "demo.Greeter")
/// ```
///
/// The server and each of its services are serving from the start. When the server has been asked
/// to end, everything is not serving, whatever was set. On the wire the service is called `Health`,
/// without a package. Any thread.
public final class HealthService: ServerObserver, Sendable {
    /// Whether calls are wanted.
    public enum Status: Sendable, Hashable {
        /// Calls are wanted.
        case serving
        /// No calls are wanted for now.
        case notServing
    }

    private struct State {
        var statuses: [String: Status] = ["": .serving]
        var isDraining = false
    }

    private let state = Locked(State())

    /// Creates the service.
    public init() {}

    /// Sets the status of a service.
    ///
    /// A service that the server does not have may be named: then it has a status of its own.
    ///
    /// - Parameters:
    ///   - status: The status.
    ///   - service: The full name, `package.Service`; by default the server as a whole.
    public func setStatus(_ status: Status, for service: String = "") {
        state.withLock { $0.statuses[service] = status }
    }

    /// The status that a client would be told.
    ///
    /// - Parameter service: The full name; by default the server as a whole.
    /// - Returns: The status, or `nil` if nobody has said anything of that service.
    public func status(of service: String = "") -> Status? {
        state.withLock { state in
            guard let status = state.statuses[service] else { return nil }
            return state.isDraining ? .notServing : status
        }
    }

    /// Gives each service that has no status one.
    public func serverWillStart(_ services: [ServedService]) {
        state.withLock { state in
            for service in services where state.statuses[service.name] == nil {
                state.statuses[service.name] = .serving
            }
        }
    }

    /// From now on nothing is serving.
    public func serverWillDrain() { state.withLock { $0.isDraining = true } }
}

extension HealthService: Grpc_Health_V1_HealthService {
    /// The present status of a service; of the whole server when no service is named.
    ///
    /// - Throws: ``RPCError`` with code `invalidArgument` for a service without a status.
    public func check(
        _ request: Grpc_Health_V1_HealthCheckRequest,
        context: RPCContext
    ) async throws -> Grpc_Health_V1_HealthCheckResponse {
        guard let status = status(of: request.service) else {
            throw RPCError(.invalidArgument, "unknown service \(request.service)")
        }
        return .with { $0.status = status == .serving ? .serving : .notServing }
    }
}
