internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

extension Connection {
    /// One turn of one connection takes at most so many reads, so that a busy peer cannot keep the
    /// loop from its neighbours.
    private static let readsPerTurn = 4

    /// Reads what the kernel has, within bounds, and hands it on.
    func receive() {
        for _ in 0..<Self.readsPerTurn {
            let size = makeRoom()
            switch input.read(upTo: size, { io.read(into: $0, loop.faults) }) {
            case .moved(0):
                return reachEnd()
            case .moved(let count):
                noteActivity()
                adaptReadSize(count, size)
                deliverInput()
                if count < size || isReadingPaused || phase == .closed {
                    return releaseIdleInput()
                }
            case .wouldBlock:
                return releaseIdleInput()
            case .failure(let number):
                return finishClose(SystemError.make(number, "read from \(peerAddress)"))
            }
        }
        releaseIdleInput()
    }

    /// Makes room for the next read and tells its size.
    ///
    /// Of a message whose length is known no read goes past the block that it lies in: what lies in
    /// two blocks would have to be copied as a whole.
    private func makeRoom() -> Int {
        let missing = wantedInput - input.byteCount
        guard wantedInput > 0, missing > 0, !input.isEmpty else { return max(readSize, missing) }
        input.prepareContiguous(wantedInput)
        let room = input.roomInLastBlock
        return room > 0 && room < missing ? room : max(readSize, missing)
    }

    /// Follows traffic: doubles when a read fills its space, halves when it uses less than a quarter.
    private func adaptReadSize(_ count: Int, _ space: Int) {
        if count >= readSize {
            readSize = min(readSize * 2, max(options.readSizeLimit, options.initialReadSize))
        } else if count < readSize / 4, space >= readSize {
            readSize = max(readSize / 2, max(1024, options.initialReadSize))
        }
    }

    /// The end of a read: an idle connection holds no block, and what is held counts.
    private func releaseIdleInput() {
        if input.isEmpty {
            input.removeAll()
            if chargedByteCount == 0 { return }
        }
        guard !chargeInput() else { return }
        let message = "the unread bytes of all connections exceed \(loop.inputBudget.limit)"
        isClosedLocally = true
        finishClose(NetpollError(.limitExceeded, "\(peerAddress): \(message)"))
    }

    /// Tells the group's budget of the memory that unread bytes take.
    ///
    /// - Returns: False if it has no room for them.
    func chargeInput() -> Bool {
        let held = input.heldByteCount
        guard held != chargedByteCount else { return true }
        guard loop.inputBudget.charge(from: chargedByteCount, to: held) else { return false }
        chargedByteCount = held
        return true
    }

    /// Gives what has been read to the handler or to a waiting task, and pauses reading when too
    /// much stays unread.
    func deliverInput() {
        if phase == .draining {
            // This side is done; what still comes is read only so that the peer's end is seen.
            input.removeAll()
            return
        }
        if let handler {
            // The handler may close the connection from inside the call, which drops `input`: it
            // must not be lent out meanwhile.
            var lent = input.takeAll()
            let wanted = handler.connection(self, didReceive: &lent)
            guard phase == .open else { return }
            wantedInput = wanted
            if input.isEmpty {
                // A handler that read everything leaves no block behind.
                lent.dropLastIfEmpty()
            } else {
                lent.append(input.takeAll())
            }
            input = lent
        } else {
            serveReadRequest()
        }
        guard phase == .open else { return }
        let mark = max(options.readHighWaterMark, wantedInput)
        guard input.byteCount >= mark, !isReadingPaused else { return }
        guard handler == nil else {
            // It will not be asked again before more bytes come, and there is no room for more.
            let message = "\(input.byteCount) bytes were left unread, and nothing was waited for"
            isClosedLocally = true
            return finishClose(NetpollError(.limitExceeded, "\(peerAddress): \(message)"))
        }
        pauseReading()
    }

    private func reachEnd() {
        inputHasEnded = true
        becomeInactive()
        wantedInput = 0
        releaseIdleInput()
        if phase == .draining { return finishClose(nil) }
        updateInterest()
        if let handler {
            handler.connectionDidReachEnd(self)
        } else {
            serveReadRequest()
        }
        if outputHasEnded { finishClose(nil) }
    }

    /// Stops reading from the kernel, so that the peer is held back.
    ///
    /// Any thread.
    public func pauseReading() {
        loop.perform {
            guard !self.isReadingPaused else { return }
            self.isReadingPaused = true
            self.updateInterest()
        }
    }

    /// Reads again.
    ///
    /// What is buffered is handed on first. Any thread.
    public func resumeReading() { loop.perform { self.resume() } }

    private func resume() {
        guard isReadingPaused, phase == .open else { return }
        isReadingPaused = false
        updateInterest()
        if !input.isEmpty { deliverInput() }
        if !isWatched { receiveUnwatched() }
    }

    /// Reads a socket that hung up while reading was paused, turn by turn until its end.
    private func receiveUnwatched() {
        loop.execute {
            guard self.phase != .closed, !self.isReadingPaused, !self.inputHasEnded else { return }
            self.receive()
            if self.inputHasEnded { self.finishClose(nil) } else { self.receiveUnwatched() }
        }
    }
}
