internal import NetpollCore

/// How long a connection may be silent.
extension ServerSession {
    /// Begins to watch a new connection, which may never send a byte.
    func begin() { watch(.firstByte) }

    /// Begins to wait.
    ///
    /// A frame keeps the time of its first byte, however slowly the rest drips in. One whose rest
    /// is not read is not late: it gets its whole time again from when it is.
    func watch(_ wanted: Watched, isNewFrame: Bool = false) {
        let next = wanted == .frame && !isReading ? .idle : wanted
        if next == .frame, watched == .frame, !isNewFrame { return }
        // Whatever it sends, one without room has its second and no more.
        if isExcess, watchTimer != nil { return }
        let now = connection.loop.now()
        lastActivity = now
        // An idle timer that is set already looks at `lastActivity` when it fires.
        if next == .idle, watched == .idle { return }
        watched = next
        let loop = connection.loop
        if let watchTimer { loop.cancel(watchTimer) }
        // Held by the timer until the connection closes: weak references would make counting slow.
        watchTimer = loop.schedule(at: now.advanced(by: timeout(of: next))) { self.watchEnded() }
    }

    /// The server reads no more for now: the peer cannot be late with what it has begun.
    func endFrameWatch() { if watched == .frame { watch(.idle) } }

    private func timeout(of watched: Watched) -> Duration {
        if isExcess { return Self.excessTimeout }
        return switch watched {
        case .firstByte: min(settings.options.firstByteTimeout, settings.options.idleTimeout)
        case .frame: settings.options.frameTimeout
        case .idle, .nothing: settings.options.idleTimeout
        }
    }

    /// How long a connection without room may stay, to send the requests whose answers say so.
    private static let excessTimeout: Duration = .seconds(1)

    private func watchEnded() {
        watchTimer = nil
        let idleEnd = lastActivity.advanced(by: settings.options.idleTimeout)
        if watched == .idle, !isExcess, inFlightCount > 0 || idleEnd > connection.loop.now() {
            let next =
                inFlightCount > 0
                ? connection.loop.deadline(after: settings.options.idleTimeout) : idleEnd
            watchTimer = connection.loop.schedule(at: next) { self.watchEnded() }
            return
        }
        connection.close()
    }
}
