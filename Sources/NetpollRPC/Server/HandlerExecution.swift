public import NetpollCore

/// Where a method's handlers run.
public enum HandlerExecution: Sendable {
    /// On the event loop that read the request: no other thread is involved until the handler
    /// suspends. A handler that holds its thread for long loses the loop to another one, so it
    /// hurts nobody, but each such change costs a thread.
    case loop
    /// On a thread of a worker pool, for handlers that block or compute for long. A call that finds
    /// `WorkerPoolOptions.queueLimit` others waiting is answered with `resourceExhausted`. The
    /// program ends the pool, after the server.
    case workers(WorkerPool)

    var workers: WorkerPool? {
        if case .workers(let pool) = self { pool } else { nil }
    }
}

/// The worker pools of a server's methods.
struct ExecutionTable: Sendable {
    private let common: WorkerPool?
    private let special: [String: HandlerExecution]

    init(_ options: RPCServerOptions) {
        common = options.execution.workers
        special = options.methodExecution
    }

    /// The pool that runs a method, or `nil` if the loop does: what is said of the method counts
    /// more than what is said of its service.
    func workers(_ service: ServiceDescriptor, _ method: String) -> WorkerPool? {
        if let choice = special["\(service.fullName)/\(method)"] { return choice.workers }
        if let choice = special[service.fullName] { return choice.workers }
        return common
    }

    /// The names that are neither a service's nor a method's: mistakes.
    func unknownNames(_ services: [ServedService]) -> [String] {
        let known = services.flatMap { service in
            [service.name] + service.methods.map { "\(service.name)/\($0)" }
        }
        return Set(special.keys).subtracting(known).sorted()
    }
}
