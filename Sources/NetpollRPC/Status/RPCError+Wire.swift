/// How errors look on the wire: Kitex's exception ids and business status pairs.
extension RPCError {
    /// The error that an exception from the peer stands for.
    ///
    /// What the header says of it counts more than the exception's id. The message is the handler's
    /// own, without the mark that the wire puts before it.
    init(_ exception: WireException, _ header: HeaderInfo) {
        let isMarked =
            exception.typeID == WireFormat.ExceptionID.internalError
            && exception.message.utf8.starts(with: Self.handlerMark.utf8)
        let text =
            isMarked
            ? String(exception.message.utf8.dropFirst(Self.handlerMark.utf8.count))
                ?? exception.message : exception.message
        let code = header.string(WireFormat.StringKey.errorCode).flatMap { Code(name: $0) }
        self.init(
            received: code ?? Self.code(exception.typeID),
            exception.message.isEmpty ? Self.defaultText(exception.typeID) : text,
            exceptionID: exception.typeID,
            retry: header.string(WireFormat.StringKey.retryAdvice).flatMap {
                RetryAdvice(rawValue: $0)
            }
        )
    }

    /// The header pairs that go with the exception: what its id does not say already.
    var headerPairs: [(key: String, value: String)] {
        var pairs: [(key: String, value: String)] = []
        if Self.code(exceptionID ?? defaultExceptionID) != code {
            pairs.append((WireFormat.StringKey.errorCode, code.description))
        }
        if let retry { pairs.append((WireFormat.StringKey.retryAdvice, retry.rawValue)) }
        return pairs
    }

    private static func code(_ exceptionID: Int32) -> Code {
        switch exceptionID {
        case 1, 3, 20, 21: .unimplemented
        case 2, 4, 5, 8, 9, 10: .protocolViolation
        case 6: .internalError
        case 7: .invalidArgument
        default: .unknown
        }
    }

    private static func defaultText(_ exceptionID: Int32) -> String {
        switch exceptionID {
        case 1: "unknown method"
        case 2: "invalid message type"
        case 3: "wrong method name"
        case 4: "bad sequence ID"
        case 5: "missing result"
        case 6: "unknown internal error"
        case 7: "unknown protocol error"
        case 8: "invalid transform"
        case 9: "invalid protocol"
        case 10: "unsupported client type"
        case 20: "unknown service"
        case 21: "no service name"
        default: "unknown application exception"
        }
    }

    private var defaultExceptionID: Int32 {
        switch code {
        case .unimplemented: WireFormat.ExceptionID.unknownMethod
        case .invalidArgument, .protocolViolation: WireFormat.ExceptionID.protocolError
        case .unknown: WireFormat.ExceptionID.unknown
        default: WireFormat.ExceptionID.internalError
        }
    }

    /// The exception that tells the peer of this error; the cause stays here.
    var wireException: WireException {
        let typeID = exceptionID ?? defaultExceptionID
        // Kitex marks what a handler said so, and clients in the wild look for the mark.
        let isHandlers = exceptionID == nil && typeID == WireFormat.ExceptionID.internalError
        return WireException(
            typeID: typeID,
            message: isHandlers ? Self.handlerMark + message : message
        )
    }

    private static let handlerMark = "biz error: "
}

extension BusinessError {
    /// The business error that a reply's header tells of, if it does.
    ///
    /// As in Kitex, a status that is 0 or no 32-bit integer means none; a broken `biz-extra` loses
    /// only itself here.
    init?(_ header: HeaderInfo) {
        guard
            let status = header.string(WireFormat.StringKey.businessStatus).flatMap({ Int32($0) }),
            status != 0
        else { return nil }
        let extra = header.string(WireFormat.StringKey.businessExtra).flatMap {
            StringMapJSON.decode($0)
        }
        self.init(
            status,
            header.string(WireFormat.StringKey.businessMessage) ?? "",
            extra: extra ?? [:]
        )
    }

    /// The header pairs of this error.
    var headerPairs: [(key: String, value: String)] {
        var pairs = [
            (key: WireFormat.StringKey.businessStatus, value: String(status)),
            (key: WireFormat.StringKey.businessMessage, value: message),
        ]
        if !extra.isEmpty {
            pairs.append((WireFormat.StringKey.businessExtra, StringMapJSON.encode(extra)))
        }
        return pairs
    }
}
