internal import Logging
internal import NetpollCore
internal import Synchronization

/// Where a reply goes: it repeats what the request said.
struct ReplyAddress: Sendable {
    let transport: Transport
    var sequenceID: Int32
    let method: [UInt8]
}

extension ReplyAddress {
    init(_ frame: Frame, _ message: WireMessage) {
        transport = frame.transport
        sequenceID = message.sequenceID
        method = Array(message.method.utf8)
    }
}

extension HeaderInfo {
    /// What the caller sent along: for this hop, and for all.
    var requestMetadata: (transient: Metadata, persistent: Metadata) {
        guard hasMetadata else { return (Metadata(), Metadata()) }
        var transient = Metadata()
        var persistent = Metadata()
        for (key, value) in strings where !value.isEmpty {
            if key.hasPrefix(WireFormat.StringKey.upstreamPrefix) {
                continue
            } else if key.hasPrefix(WireFormat.StringKey.transientPrefix) {
                let name = String(key.dropFirst(WireFormat.StringKey.transientPrefix.count))
                if !name.isEmpty { transient[name] = value }
            } else if key.hasPrefix(WireFormat.StringKey.persistentPrefix) {
                let name = String(key.dropFirst(WireFormat.StringKey.persistentPrefix.count))
                if !name.isEmpty { persistent[name] = value }
            }
        }
        return (transient, persistent)
    }
}

extension ServerSession {
    private static let replyTemplate = HeaderTemplate(integers: [
        (WireFormat.IntegerKey.messageType, "2")
    ])
    private static let exceptionTemplate = HeaderTemplate(integers: [
        (WireFormat.IntegerKey.messageType, "3")
    ])
    private static let controlTemplate = HeaderTemplate(
        strings: [(WireFormat.StringKey.connectionReset, "1")])

    /// Sends a reply.
    ///
    /// One that exceeds the limits becomes an exception that says so.
    func send(
        to address: ReplyAddress,
        strings: [(key: String, value: String)],
        bodyByteCount: Int,
        _ writeBody: (UnsafeMutableRawPointer) -> Void
    ) {
        do throws(WireError) {
            try send(.reply, to: address, strings, bodyByteCount, writeBody)
        } catch {
            send(RPCError(.resourceExhausted, "the reply: \(error)"), to: address)
        }
    }

    private func send(
        _ type: WireFormat.MessageType,
        to address: ReplyAddress,
        _ strings: [(key: String, value: String)],
        _ bodyByteCount: Int,
        _ writeBody: (UnsafeMutableRawPointer) -> Void
    ) throws(WireError) {
        let isLast = repliesAreLast.load(ordering: .relaxed)
        let head = FrameHead(
            transport: address.transport,
            type: type,
            sequenceID: address.sequenceID,
            method: address.method,
            template: type == .exception ? Self.exceptionTemplate : Self.replyTemplate,
            strings: isLast ? strings + [(WireFormat.StringKey.connectionReset, "1")] : strings,
            hasChecksum: settings.options.checksum.isSent
        )
        let byteCount = try FrameEncoder.byteCount(
            of: head,
            bodyByteCount: bodyByteCount,
            limits: settings.options.limits
        )
        connection.withOutput { output in
            let body = FrameEncoder.append(head, byteCount: byteCount, to: &output)
            writeBody(body)
            FrameEncoder.finish(head, byteCount: byteCount, body: body, in: &output)
        }
        holdBackPeer()
    }

    /// Sends an exception.
    ///
    /// One that exceeds the limits goes without its message and the metadata.
    func send(
        _ error: RPCError,
        to address: ReplyAddress,
        metadata: [(key: String, value: String)] = []
    ) {
        do throws(WireError) {
            try sendException(error, to: address, metadata)
        } catch let excess {
            let message = "the error: \(excess)"
            let short = RPCError(
                error.code,
                message,
                exceptionID: error.exceptionID,
                retry: error.retry
            )
            do throws(WireError) {
                try sendException(short, to: address, [])
            } catch {
                connection.close()
            }
        }
    }

    private func sendException(
        _ error: RPCError,
        to address: ReplyAddress,
        _ metadata: [(key: String, value: String)]
    ) throws(WireError) {
        let body = error.wireException.bytes
        try send(.exception, to: address, error.headerPairs + metadata, body.count) { target in
            UnsafeMutableRawBufferPointer(start: target, count: body.count).copyBytes(from: body)
        }
    }

    /// Sends an error once the caller's own timer has fired; the connection stays until then.
    ///
    /// At once, when as many wait already as calls may be in flight.
    func sendLate(
        _ error: RPCError,
        to address: ReplyAddress,
        metadata: [(key: String, value: String)]
    ) {
        let loop = connection.loop
        loop.perform {
            guard self.lateAnswerCount < self.settings.options.inFlightLimit else {
                return self.send(error, to: address, metadata: metadata)
            }
            self.lateAnswerCount += 1
            _ = loop.schedule(at: loop.deadline(after: Self.lateAnswerDelay)) {
                self.lateAnswerCount -= 1
                guard !self.isClosed else { return }
                self.send(error, to: address, metadata: metadata)
                self.closeIfDone()
            }
        }
    }

    /// What a caller's timer may be behind ours.
    ///
    /// A Kitex client that heard from us first would count a failure of the server, not a timeout.
    private static let lateAnswerDelay: Duration = .milliseconds(50)

    /// Tells a multiplexing client that this connection takes no more calls.
    ///
    /// The payload is the Thrift message that Kitex sends; clients look at the header alone.
    func sendControlFrame() {
        let method = Array("none".utf8)
        connection.withOutput { output in
            var frame = LinkBuffer()
            let thrift: [UInt8] = [0x80, 0x01, 0x00, 0x02, 0, 0, 0, 4] + method + [0, 0, 0, 0, 0]
            let strings = Self.controlTemplate.strings
            let block: [UInt8] = [0, 0, WireFormat.InfoBlock.strings, 0, 1] + strings
            let padding = [UInt8](repeating: 0, count: (4 - block.count % 4) % 4)
            frame.write(UInt32(10 + block.count + padding.count + thrift.count))
            frame.write(WireFormat.headerMagic)
            frame.write(UInt16(0))
            frame.write(Int32(0))
            frame.write(UInt16((block.count + padding.count) / 4))
            frame.write(block)
            frame.write(padding)
            frame.write(thrift)
            output.append(frame)
        }
    }
}
