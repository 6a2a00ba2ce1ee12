internal import NetpollCore
internal import Synchronization

/// What cannot be served is answered wherever the request can still be told, so that its caller
/// need not wait for its timeout.
extension ServerSession {
    /// Answers a call that reaches no handler; `method` is its full name if the server has it.
    ///
    /// The interceptors are told; without any, nobody makes up the name, because an overloaded server
    /// refuses most calls.
    func refuse(
        _ error: RPCError,
        _ method: @autoclosure () -> String?,
        _ address: ReplyAddress
    ) {
        send(error, to: address)
        tellInterceptors(of: error, method())
    }

    /// Answers a call that was admitted but is not to run.
    func refuse(_ error: RPCError, _ call: ServerCall) {
        call.answer(error)
        tellInterceptors(of: error, call.context.fullMethodName)
    }

    private func tellInterceptors(of error: RPCError, _ method: @autoclosure () -> String?) {
        guard !settings.interceptors.isEmpty else { return }
        let call = RefusedCall(method: method(), error: error) { [connection] in
            connection.peerAddress
        }
        for interceptor in settings.interceptors { interceptor.didRefuse(call) }
    }

    /// Answers a call on a connection that the server has no room for, and has the client go.
    func refuseConnection(_ address: ReplyAddress) {
        isDraining = true
        if !isMultiplexed { repliesAreLast.store(true, ordering: .relaxed) }
        let limit = settings.options.listener.connectionLimit
        refuse(.overLimit("the server has \(limit) connections", .elsewhere), nil, address)
        closeIfDone()
    }

    /// Answers a frame whose message cannot be read; the stream goes on behind it.
    ///
    /// - Throws: The error, when nobody can be answered.
    func refuse(_ error: WireError, _ frame: Frame) throws(WireError) {
        guard frame.transport == .ttHeaderFramed else { throw error }
        let sequenceID = frame.header.sequenceID
        // A control frame of a peer that goes away: its body is not for us.
        if sequenceID == 0, frame.header.isConnectionReset { return }
        let method = frame.header.integers.last { $0.key == WireFormat.IntegerKey.toMethod }?.value
        let address = ReplyAddress(
            transport: .ttHeaderFramed,
            sequenceID: sequenceID,
            method: method.map { Array($0.utf8) } ?? Self.unknownMethod
        )
        refuse(
            RPCError(
                .protocolViolation,
                "the request cannot be read: \(error)",
                exceptionID: WireFormat.ExceptionID.protocolError
            ),
            nil,
            address
        )
    }

    /// Answers a frame that is too large, or has a header that is; the connection ends after it.
    ///
    /// - Parameters:
    ///   - error: Why the decoder gave up.
    ///   - input: The stream from the beginning of the frame on, or after it.
    /// - Returns: How many bytes must be there before the frame's sender can be told, if they may
    ///   still come.
    func refuse(_ error: WireError, _ input: borrowing LinkBuffer) -> Int? {
        guard error.reason == .tooLarge else { return nil }
        if let sequenceID = error.sequenceID {
            refuseExcess(error, sequenceID)
        } else if beginsWithExcess(input) {
            guard let sequenceID = input.peekInteger(at: 8, as: Int32.self) else {
                return WireFormat.headerPrefixByteCount
            }
            refuseExcess(error, sequenceID)
        }
        return nil
    }

    private func refuseExcess(_ error: WireError, _ sequenceID: Int32) {
        refuse(
            RPCError(.resourceExhausted, "the request: \(error)", retry: .never),
            nil,
            ReplyAddress(
                transport: .ttHeaderFramed,
                sequenceID: sequenceID,
                method: Self.unknownMethod
            )
        )
    }

    /// Whether it is the frame at the front that is too large, and not one that was taken already.
    private func beginsWithExcess(_ input: borrowing LinkBuffer) -> Bool {
        guard input.peekInteger(at: 4, as: UInt16.self) == WireFormat.headerMagic,
            let length = input.peekInteger(as: UInt32.self)
        else { return false }
        let headerWords = input.peekInteger(at: 12, as: UInt16.self) ?? 0
        let limits = settings.options.limits
        return Int(length) + 4 > limits.frameByteCount
            || Int(headerWords) * 4 > limits.headerByteCount
    }

    /// Clients take an exception by its sequence id, but a message needs some method.
    private static let unknownMethod = Array("unknown".utf8)
}
