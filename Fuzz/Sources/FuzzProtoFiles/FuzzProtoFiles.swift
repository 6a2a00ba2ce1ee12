import NetpollProtobuf
import RPCGenCore

/// Compiles any bytes as a `.proto` file: it must be refused with errors, or its descriptor must
/// survive encoding and decoding.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzProtoFiles(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    var compiler = ProtoCompiler(importRoots: [""]) { $0 == "a.proto" ? input : nil }
    switch compiler.compile(["a.proto"]) {
    case .failure(let failure):
        guard (1...100).contains(failure.errors.count) else {
            fatalError("refused with \(failure.errors.count) errors")
        }
    case .success(let compiled):
        for file in compiled.files { check(file) }
    }
    return 0
}

private func check(_ file: Google_Protobuf_FileDescriptorProto) {
    do {
        let bytes = try file.serializedBytes()
        let decoded = try Google_Protobuf_FileDescriptorProto(serializedBytes: bytes)
        // Text that is not UTF-8 is kept among the unknown fields, so only bytes can be compared.
        guard try decoded.serializedBytes().count <= bytes.count else {
            fatalError("\(file.name) grows by decoding")
        }
        guard !bytes.isEmpty, decoded.name == file.name else {
            fatalError("\(file.name) is decoded differently")
        }
    } catch {
        fatalError("the descriptor of \(file.name) fails: \(error)")
    }
}
