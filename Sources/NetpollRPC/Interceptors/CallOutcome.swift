/// How a call ended, in the words that logs, metrics and traces share.
struct CallOutcome: Hashable {
    /// `ok`, the name of an ``RPCError/Code``, or `businessError`.
    let statusCode: String
    /// What kind of fault it was; `nil` for a success and for a business error, which is an answer.
    let errorType: String?

    static let success = CallOutcome(statusCode: "ok", errorType: nil)

    private init(statusCode: String, errorType: String?) {
        self.statusCode = statusCode
        self.errorType = errorType
    }

    /// The outcome of a call that threw.
    ///
    /// Status codes are the ones that the caller sees: for an error that has none, `unhandled`. What
    /// ends because its task was cancelled is `cancelled`, whatever the reason.
    init(_ error: any Error, unhandled: RPCError.Code) {
        switch error {
        case let error as RPCError:
            self.init(statusCode: error.code.description, errorType: error.code.description)
        case is BusinessError:
            self.init(statusCode: "businessError", errorType: nil)
        case is CancellationError:
            let code = RPCError.Code.cancelled.description
            self.init(statusCode: code, errorType: code)
        default:
            self.init(
                statusCode: unhandled.description,
                errorType: String(reflecting: type(of: error))
            )
        }
    }

    /// The outcome of a call that a client made.
    static func ofClient(_ error: any Error) -> CallOutcome {
        CallOutcome(error, unhandled: .unknown)
    }

    /// The outcome of a handler; what it throws besides our errors is an internal error outside.
    static func ofServer(_ error: any Error) -> CallOutcome {
        CallOutcome(error, unhandled: .internalError)
    }
}
