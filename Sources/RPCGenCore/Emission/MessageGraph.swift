internal import NetpollProtobuf

/// Which messages hold which others by value, as far as it decides where values are put on the heap.
///
/// A message that contains itself must be, and a large one should be: a message of messages of
/// messages, all by value, would grow with the product of their fields.
struct MessageGraph {
    /// Messages of which one contains the other and the reverse have the same number.
    private var components: [String: Int] = [:]
    /// Bytes that a value takes, roughly.
    private var byteCounts: [String: Int] = [:]

    /// Largest message that is held by value.
    private static let byteCountLimit = 128

    /// Whether a singular field of a message keeps its message on the heap.
    func isBoxed(_ field: Google_Protobuf_FieldDescriptorProto, in message: String) -> Bool {
        guard field.isSingularMessage else { return false }
        if let component = components[field.typeName], component == components[message] {
            return true
        }
        return byteCounts[field.typeName, default: 0] > Self.byteCountLimit
    }

    // MARK: Making

    /// The state of Tarjan's algorithm, which meets every message after those it contains.
    fileprivate struct Search {
        var order: [String: Int] = [:]
        var lowest: [String: Int] = [:]
        var path: [String] = []
        var isOnPath: Set<String> = []
    }

    init(_ messages: [String: Google_Protobuf_DescriptorProto]) {
        var search = Search()
        for root in messages.keys.sorted() where search.order[root] == nil {
            // A stack of its own: types may be nested more deeply than the thread's stack is.
            var pending: [(name: String, children: ArraySlice<String>)] = []
            func enter(_ name: String) {
                search.lowest[name] = search.order.count
                search.order[name] = search.order.count
                search.path.append(name)
                search.isOnPath.insert(name)
                let fields = messages[name]?.field.filter(\.isSingularMessage) ?? []
                pending.append((name, fields.map(\.typeName)[...]))
            }
            enter(root)
            while let (name, children) = pending.last {
                guard let child = children.first else {
                    pending.removeLast()
                    if search.lowest[name] == search.order[name] {
                        finish(name, &search, messages)
                    }
                    if let parent = pending.last?.name { search.lower(parent, to: name) }
                    continue
                }
                pending[pending.count - 1].children = children.dropFirst()
                if search.order[child] == nil {
                    enter(child)
                } else if search.isOnPath.contains(child) {
                    search.lower(name, to: child)
                }
            }
        }
    }

    /// Takes the messages that contain `root` and are contained in it from the path.
    private mutating func finish(
        _ root: String,
        _ search: inout Search,
        _ messages: [String: Google_Protobuf_DescriptorProto]
    ) {
        var members: [String] = []
        while let name = search.path.popLast() {
            search.isOnPath.remove(name)
            members.append(name)
            if name == root { break }
        }
        let number = search.order[root, default: 0]
        for name in members { components[name] = number }
        for name in members {
            byteCounts[name] = messages[name].map { byteCount($0, name) }
        }
    }

    /// A word and what the fields take.
    private func byteCount(_ message: Google_Protobuf_DescriptorProto, _ name: String) -> Int {
        var oneofs: [Int32: Int] = [:]
        var sum = 8
        for field in message.field {
            let byteCount = byteCount(field, name)
            if field.hasOneofIndex, !field.proto3Optional {
                oneofs[field.oneofIndex] = max(oneofs[field.oneofIndex, default: 0], byteCount)
            } else {
                sum += byteCount
            }
        }
        return oneofs.values.reduce(sum, +)
    }

    private func byteCount(_ field: Google_Protobuf_FieldDescriptorProto, _ message: String) -> Int
    {
        guard field.label != .repeated else { return 8 }
        switch field.type {
        case .string, .enum, .int64, .uint64, .sint64, .fixed64, .sfixed64, .double: return 16
        case .message, .group:
            return isBoxed(field, in: message) ? 8 : 1 + byteCounts[field.typeName, default: 8]
        default: return 8
        }
    }
}

extension MessageGraph.Search {
    /// Notes that a message leads to one that was met earlier.
    fileprivate mutating func lower(_ name: String, to other: String) {
        lowest[name] = min(lowest[name, default: 0], lowest[other, default: 0])
    }
}

extension Google_Protobuf_FieldDescriptorProto {
    fileprivate var isSingularMessage: Bool {
        label != .repeated && hasTypeName && (type == .message || type == .group)
    }
}
