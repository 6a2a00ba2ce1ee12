/// The part that most of a message consists of: a long value, or elements of one list or map that
/// follow one another.
///
/// It is decoded where it is. libprotobuf-c, which would copy it, gets the rest.
struct Bulk {
    /// With the tags and lengths, which are short and were checked.
    private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The number of elements, or 0 for a value.
    private var elementCount = 0
    /// The number of the field, or 0 when nothing is long enough.
    private(set) var number = 0
    /// Whether the field has occurred again since.
    private var isScattered = false

    /// Shorter elements are copied in less time than they are taken out.
    private static let leastElementByteCount = 512
    /// Shorter values are.
    private static let leastValueByteCount = 8 << 10

    /// Notes a value.
    @inline(__always)
    mutating func note(_ number: Int, value field: UnsafeRawBufferPointer) {
        if field.count >= Self.leastValueByteCount || number == self.number {
            noteLong(number, field, 0)
        }
    }

    /// Notes elements that follow one another.
    @inline(__always)
    mutating func note(_ number: Int, elements: UnsafeRawBufferPointer, count: Int) {
        if elements.count >= Self.leastElementByteCount || number == self.number {
            noteLong(number, elements, count)
        }
    }

    private mutating func noteLong(
        _ number: Int,
        _ field: UnsafeRawBufferPointer,
        _ elementCount: Int
    ) {
        guard number != self.number else {
            isScattered = true
            return
        }
        guard field.count > bytes.count else { return }
        bytes = field
        self.number = number
        self.elementCount = elementCount
        isScattered = false
    }

    /// Notes a field of a form that is not taken out.
    mutating func noteOther(_ number: UInt32) {
        if Int(number) == self.number { isScattered = true }
    }

    /// Whether taking it out of its message leaves little.
    @inline(__always)
    func isMost(of message: UnsafeRawBufferPointer) -> Bool {
        number != 0 && !isScattered && message.count - bytes.count <= bytes.count / 4
    }

    /// The message without the elements, or with nothing for the value, in the arena; `nil` if
    /// there is no memory.
    func rest(of message: UnsafeRawBufferPointer, _ arena: UnsafeMutablePointer<Arena.State>)
        -> UnsafeRawBufferPointer?
    {
        guard let start = message.baseAddress, let bulkStart = bytes.baseAddress else {
            return message
        }
        let tagByteCount = elementCount > 0 ? 0 : bytes[0] < 0x80 ? 1 : 2
        let head = message[..<(bulkStart - start + tagByteCount)]
        let tail = message[(bulkStart - start + bytes.count)...]
        let byteCount = head.count + (elementCount > 0 ? 0 : 1) + tail.count
        guard let memory = Arena.allocate(arena, byteCount) else { return nil }
        let rest = UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
        rest[..<head.count].copyBytes(from: head)
        // The length of nothing.
        if elementCount == 0 { rest[head.count] = 0 }
        rest[(byteCount - tail.count)...].copyBytes(from: tail)
        return UnsafeRawBufferPointer(rest)
    }

    /// Puts the bulk into its slot; false if there is something in it that is not the bulk.
    func fill(_ slot: UnsafeMutableRawPointer) -> Bool {
        guard let start = bytes.baseAddress else { return false }
        if elementCount > 0 {
            guard slot.load(as: Int.self) == 0 else { return false }
            ElementCursor.store(run: start, count: elementCount, in: slot)
        } else {
            let value = ElementCursor.payload(at: start)
            slot.storeBytes(of: value.count, toByteOffset: 8, as: Int.self)
            slot.storeBytes(of: value.baseAddress, toByteOffset: 16, as: UnsafeRawPointer?.self)
        }
        return true
    }
}
