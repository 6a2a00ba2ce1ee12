internal import NetpollProtobuf

/// Where options went from their uninterpreted form, to say so in the source information.
struct InterpretedPaths {
    private var targets: [[Int32]: [Int32]] = [:]
    private var counts: [[Int32]: Int32] = [:]

    /// Notes that an option at a path has set a field; each value of a repeated one has an index.
    mutating func add(_ source: [Int32], _ target: [Int32], isRepeated: Bool) {
        var target = target
        if isRepeated {
            let index = counts[target, default: 0]
            counts[target] = index + 1
            target.append(index)
        }
        targets[source] = target
    }

    /// Gives options the paths of what they set; the parts of an option have no place of their own.
    func apply(to info: inout Google_Protobuf_SourceCodeInfo) {
        guard !targets.isEmpty else { return }
        var result: [Google_Protobuf_SourceCodeInfo.Location] = []
        result.reserveCapacity(info.location.count)
        var option: [Int32]?
        for location in info.location {
            if let option, location.path.starts(with: option) { continue }
            option = nil
            guard let target = targets[location.path] else {
                result.append(location)
                continue
            }
            option = location.path
            var moved = location
            moved.path = target
            result.append(moved)
        }
        info.location = result
    }
}
