internal import NetpollCore

/// What comes from the connection, on its loop.
extension ClientSession {
    func connection(_ connection: Connection, didReceive input: inout LinkBuffer) -> Int {
        do {
            while true {
                switch try replies.next(&input) {
                case .frame(let frame): try receive(frame)
                case .oversized(let reply):
                    fail(reply)
                    guard reply.isSkipped else { return 0 }
                case .incomplete(let wanted): return wanted
                }
            }
        } catch {
            breakOff(
                RPCError(
                    .protocolViolation,
                    "\(connection.peerAddress) sent \(error)",
                    cause: error
                )
            )
            return 0
        }
    }

    private func receive(_ frame: Frame) throws(WireError) {
        // The body of a control frame is not protobuf, so it is told by its header alone.
        let isControl = frame.transport == .ttHeaderFramed && frame.header.sequenceID == 0
        let message = isControl ? nil : try WireMessage(parsing: frame.payload)
        let sequenceID =
            frame.transport == .ttHeaderFramed ? frame.header.sequenceID : message?.sequenceID ?? 0
        // An exception may come from before the peer has read the request's id.
        if let message, message.type == .reply, message.sequenceID != sequenceID {
            throw WireError(.badPayload, "a reply has another sequence id than its header")
        }
        let receipt = state.withLock {
            $0.receive(sequenceID, isConnectionReset: frame.header.isConnectionReset)
        }
        switch receipt {
        case .reply(let call, let closes):
            guard let message else { return }
            // A server without room for a connection answers that its calls go elsewhere.
            if !Self.sendsElsewhere(frame, message) {
                note(.useful)
            } else if isExclusive, frame.header.isConnectionReset {
                note(.refused)
            }
            // First: the caller gives the session back, and it must not be lent again.
            if closes || (isExclusive && Self.endsConnection(frame, message)) { close() }
            resume(call, .success(Reply(header: frame.header, message: message)))
        case .late: note(.useful)
        case .drain(let closes):
            guard closes else { return }
            note(.refused)
            endConnection()
        }
    }

    /// Ends the call whose reply is too large, and the connection if its rest is not worth waiting
    /// for, or if nobody else is there who could.
    private func fail(_ reply: OversizedReply) {
        note(.useful)
        let receipt = state.withLock { $0.receive(reply.sequenceID, isConnectionReset: false) }
        let tooLarge = RPCError(
            .resourceExhausted,
            "the reply: \(reply.error)",
            retry: .never,
            cause: reply.error
        )
        if case .reply(let call, let closes) = receipt {
            // First, as in `receive(_:)`.
            if closes || isExclusive { connection.reset() }
            resume(call, .failure(.failed(tooLarge)))
        }
        guard !reply.isSkipped else { return }
        let message = "the connection to \(connection.peerAddress) was given up"
        breakOff(RPCError(.unavailable, message, cause: tooLarge))
    }

    private static func sendsElsewhere(_ frame: Frame, _ message: WireMessage) -> Bool {
        message.type == .exception
            && frame.header.string(WireFormat.StringKey.retryAdvice)
                == RPCError.RetryAdvice.elsewhere.rawValue
    }

    /// Whether a peer that serves one call at a time closes the connection after this reply.
    private static func endsConnection(_ frame: Frame, _ message: WireMessage) -> Bool {
        if frame.header.isConnectionReset { return true }
        guard message.type == .exception else { return false }
        return WireException(parsing: message.body).typeID != WireFormat.ExceptionID.internalError
    }

    func connectionDidReachEnd(_ connection: Connection) {
        breakOff(RPCError(.unavailable, "\(connection.peerAddress) closed the connection"))
    }

    func connection(_ connection: Connection, didCloseWith error: NetpollError?) {
        endTimers()
        if error != nil { note(.refused) }
        let message = "the connection to \(connection.peerAddress) broke"
        let reason =
            breakReason.withLock { $0 } ?? RPCError(.unavailable, message, cause: error)
        // Nothing more can be sent now, so what was not sent yet never ran.
        let position = connection.unsentPosition
        let (begun, unsent) = state.withLock { $0.close(unsentFrom: position) }
        for call in begun { resume(call, .failure(.failed(reason))) }
        for call in unsent { resume(call, .failure(.notSent)) }
    }

    private func breakOff(_ error: RPCError) {
        note(.refused)
        breakReason.withLock { $0 = error }
        connection.abort()
    }
}
