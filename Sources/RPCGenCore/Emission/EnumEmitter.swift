internal import NetpollProtobuf

/// Writes the Swift type of one enum.
struct EnumEmitter {
    let file: Google_Protobuf_FileDescriptorProto
    let comments: Comments
    let visibility: String

    func emit(
        _ item: Google_Protobuf_EnumDescriptorProto,
        _ type: TypeIndex.EnumType?,
        _ path: [Int32],
        to writer: inout SourceWriter
    ) {
        guard let type else { return }
        let name = type.swiftName.split(separator: ".").last.map(String.init) ?? type.swiftName
        var byNumber: [Int32: String] = [:]
        var seen: Set<String> = []
        var cases: [(name: String, number: Int32)] = []
        let names = SwiftNames.enumCases(item)
        writer.comment(comments[path])
        writer.block("\(visibility) enum \(name): NetpollProtobuf.Enum, Swift.CaseIterable") {
            writer in
            for (position, value) in item.value.enumerated() {
                let caseName = names[position]
                // An alias that differs from another name only in its case or prefix needs no second
                // one.
                guard seen.insert(caseName).inserted else { continue }
                writer.comment(comments[path + [PathNumber.Enum.value, Int32(clamping: position)]])
                if let first = byNumber[value.number] {
                    writer.line("\(visibility) static let \(caseName) = Self.\(first)")
                } else {
                    byNumber[value.number] = caseName
                    cases.append((caseName, value.number))
                    writer.line("case \(caseName)")
                }
            }
            if !type.isClosed {
                writer.line("/// A number that this version of the enum does not know.")
                writer.line("case UNRECOGNIZED(Int)")
            }
            writer.line()
            writer.line(
                "\(visibility) init() { self = .\(cases.first?.name ?? "UNRECOGNIZED(0)") }"
            )
            writer.line()
            emitConversion(cases, isClosed: type.isClosed, &writer)
            if !type.isClosed { emitAllCases(cases, &writer) }
            writer.line()
            writer.fill(
                "\(visibility) static let protoNames: NetpollProtobuf.EnumNames = ",
                item.value.map { "\($0.number): \"\($0.name)\"" }
            )
        }
    }

    private func emitConversion(
        _ cases: [(name: String, number: Int32)],
        isClosed: Bool,
        _ writer: inout SourceWriter
    ) {
        writer.block("\(visibility) init?(rawValue: Int)") { writer in
            writer.lines("switch rawValue {", "}", indents: false) { writer in
                for item in cases { writer.line("case \(item.number): self = .\(item.name)") }
                writer.line(
                    isClosed ? "default: return nil" : "default: self = .UNRECOGNIZED(rawValue)"
                )
            }
        }
        writer.line()
        writer.block("\(visibility) var rawValue: Int") { writer in
            writer.lines("switch self {", "}", indents: false) { writer in
                for item in cases { writer.line("case .\(item.name): \(item.number)") }
                if !isClosed { writer.line("case .UNRECOGNIZED(let number): number") }
            }
        }
    }

    /// An enum with `UNRECOGNIZED` has no list of cases by itself.
    private func emitAllCases(
        _ cases: [(name: String, number: Int32)],
        _ writer: inout SourceWriter
    ) {
        writer.line()
        writer.line("/// The values that the `.proto` file names.")
        writer.lines("\(visibility) static let allCases: [Self] = [", "]") { writer in
            let separator = cases.count > 1 ? "," : ""
            for item in cases { writer.line(".\(item.name)\(separator)") }
        }
    }
}
