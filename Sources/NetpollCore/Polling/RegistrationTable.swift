/// Who owns each registered descriptor, found by slot and checked by generation.
///
/// An event that the kernel queued before a descriptor was closed carries the old generation and
/// finds nobody, so it can never reach the next owner of the same number.
struct RegistrationTable {
    struct Slot {
        var generation: UInt32 = 0
        /// Negative for what no poller watches.
        var fileDescriptor: Int32 = -1
        var handler: (any ReadinessHandler)?
    }

    private var slots: [Slot] = []
    private var freeSlots: [Int] = []

    mutating func add(_ fileDescriptor: Int32, _ handler: any ReadinessHandler) -> RegistrationToken
    {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
        } else {
            slot = slots.count
            slots.append(Slot())
        }
        slots[slot].fileDescriptor = fileDescriptor
        slots[slot].handler = handler
        return RegistrationToken(slot: slot, generation: slots[slot].generation)
    }

    func handler(for token: RegistrationToken) -> (any ReadinessHandler)? {
        guard let slot = slot(for: token) else { return nil }
        return slots[slot].handler
    }

    func fileDescriptor(for token: RegistrationToken) -> Int32? {
        guard let slot = slot(for: token) else { return nil }
        return slots[slot].fileDescriptor
    }

    /// Everybody who is registered.
    var handlers: [any ReadinessHandler] { slots.compactMap(\.handler) }

    /// The number of registrations.
    var count: Int { slots.count - freeSlots.count }

    /// Forgets a registration and hands it out.
    mutating func remove(_ token: RegistrationToken) -> Slot? {
        guard let index = slot(for: token) else { return nil }
        var removed = Slot(generation: slots[index].generation &+ 1)
        swap(&slots[index], &removed)
        freeSlots.append(index)
        return removed
    }

    private func slot(for token: RegistrationToken) -> Int? {
        guard token.slot < slots.count, slots[token.slot].generation == token.generation,
            slots[token.slot].handler != nil
        else { return nil }
        return token.slot
    }
}
