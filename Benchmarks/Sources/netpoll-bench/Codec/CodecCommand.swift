import ArgumentParser
import CodecHarness
import Glibc
import NetpollProtobuf
import c_codec

/// `netpoll-bench codec`.
struct CodecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codec",
        abstract: "Measures encoding and decoding of messages, beside C on libprotobuf-c.",
        discussion: "Scripts/bench-codec adds SwiftProtobuf to the comparison."
    )

    @Option(help: "A program that measures the same messages and prints its figures.")
    var peer: String?

    @Option(help: "Only this operation: encode or decode.")
    var operation: String?

    @Option(help: "Only this message: text, order or listing.")
    var message: String?

    @Option(help: "A file for the results as JSON; keys end with their units.")
    var json: String?

    @Flag(help: "Leave C out, so that a profiler sees only the Swift that is measured.")
    var withoutC = false

    func run() throws {
        let peerRows = try peer.map(Self.rows) ?? []
        let rows =
            try measure(Samples.text, "text") + measure(Samples.order, "order")
            + measure(Samples.listing, "listing")
        let cRows = withoutC ? [] : try measureC()
        print(
            "message  operation      ns/op  allocations    C ns/op  to C    peer ns/op  allocations  gain"
        )
        var gains: [Double] = []
        for row in rows {
            let c = cRows.first { $0.isOf(row) }
            let other = peerRows.first { $0.isOf(row) }
            if let other { gains.append(other.nanoseconds / row.nanoseconds) }
            print(Self.line(row, c, other))
        }
        try results([
            (Trials.ours, rows), ("C on libprotobuf-c", cRows), ("SwiftProtobuf", peerRows),
        ])
        .write(to: json)
        if !gains.isEmpty {
            let mean = exp(gains.map { log($0) }.reduce(0, +) / Double(gains.count))
            print("geometric mean of the gains: \(Self.fixed(mean, 2))")
        }
    }

    private func results(_ subjects: [(String, [CodecRow])]) -> Results {
        var results = Results()
        for (subject, rows) in subjects {
            for row in rows {
                var measurement = Measurement("codec", subject, [:])
                measurement.part = "\(row.message), \(row.operation)"
                measurement.values["nanoseconds_per_message"] = row.nanoseconds
                measurement.values["allocations_per_message"] = row.allocations
                results.measurements.append(measurement)
            }
        }
        return results
    }

    private static func line(_ row: CodecRow, _ c: CodecRow?, _ peer: CodecRow?) -> String {
        let cells = [
            (row.message, -9), (row.operation, -10), (fixed(row.nanoseconds, 0), 10),
            (fixed(row.allocations, 1), 13),
            (c.map { fixed($0.nanoseconds, 0) } ?? "", 11),
            (c.map { fixed(row.nanoseconds / $0.nanoseconds, 2) } ?? "", 6),
            (peer.map { fixed($0.nanoseconds, 0) } ?? "", 14),
            (peer.map { fixed($0.allocations, 1) } ?? "", 13),
            (peer.map { fixed($0.nanoseconds / row.nanoseconds, 2) } ?? "", 6),
        ]
        return cells.map { text, width in
            let padding = String(repeating: " ", count: max(0, abs(width) - text.count))
            return width < 0 ? text + padding : padding + text
        }.joined()
    }

    private static func fixed(_ value: Double, _ digits: Int) -> String {
        let scale = pow(10, Double(digits))
        let rounded = (value * scale).rounded() / scale
        return digits == 0 ? "\(Int(rounded))" : "\(rounded)"
    }

    private func measure<M: Message>(_ message: M, _ name: String) throws -> [CodecRow] {
        let bytes = try message.serializedBytes()
        let decoded = try M(serializedBytes: bytes)
        precondition(decoded == message)
        let encoding = measure(name, "encode") { iterations in
            for _ in 0..<iterations {
                CodecStopwatch.use((try? message.serializedBytes())?.count ?? 0)
            }
        }
        let decoding = measure(name, "decode") { iterations in
            for _ in 0..<iterations {
                CodecStopwatch.use((try? M(serializedBytes: bytes)) == nil ? 0 : 1)
            }
        }
        return [encoding, decoding].compactMap(\.self)
    }

    private func measureC() throws -> [CodecRow] {
        let samples: [(String, Int, [UInt8])] = [
            ("text", CODEC_TEXT, try Samples.text.serializedBytes()),
            ("order", CODEC_ORDER, try Samples.order.serializedBytes()),
            ("listing", CODEC_LISTING, try Samples.listing.serializedBytes()),
        ]
        return samples.flatMap { name, type, bytes in
            let message = codec_make(Int32(type), bytes, bytes.count)
            let encoding = measure(name, "encode") { iterations in
                CodecStopwatch.use(Int(codec_encode(message, iterations)))
            }
            let decoding = measure(name, "decode") { iterations in
                let failures = codec_decode(Int32(type), bytes, bytes.count, iterations)
                precondition(failures == 0)
            }
            return [encoding, decoding].compactMap(\.self)
        }
    }

    /// A row, unless another one was asked for.
    private func measure(_ message: String, _ operation: String, _ body: (Int) -> Void) -> CodecRow?
    {
        guard self.message ?? message == message, self.operation ?? operation == operation else {
            return nil
        }
        return CodecStopwatch.measure(message, operation, body)
    }

    /// The figures that another program prints.
    private static func rows(of program: String) throws -> [CodecRow] {
        guard let pipe = popen("'\(program)'", "r") else {
            throw ValidationError("cannot run \(program)")
        }
        defer { pclose(pipe) }
        var text: [UInt8] = []
        while true {
            let byte = fgetc(pipe)
            if byte == EOF { break }
            text.append(UInt8(truncatingIfNeeded: byte))
        }
        let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
        let rows = lines.compactMap { CodecRow(line: $0) }
        guard !rows.isEmpty else { throw ValidationError("\(program) printed no figures") }
        return rows
    }
}

extension CodecRow {
    fileprivate func isOf(_ other: CodecRow) -> Bool {
        message == other.message && operation == other.operation
    }
}
