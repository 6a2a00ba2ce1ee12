internal import NetpollProtobuf
internal import RPCGenCore

#if canImport(Darwin)
internal import Darwin
#else
internal import Glibc
#endif

/// What `protoc --netpoll-swift_out=DIR` runs: the generator between standard input and output.
@main
struct Plugin {
    static func main() {
        do {
            let request = try Google_Protobuf_Compiler_CodeGeneratorRequest(
                serializedBytes: readInput()
            )
            write(try ProtocPlugin.run(request).serializedBytes(), to: STDOUT_FILENO)
        } catch {
            write(
                Array("protoc-gen-netpoll-swift: run by protoc only: \(error.message)\n".utf8),
                to: STDERR_FILENO
            )
            exit(1)
        }
    }

    private static func readInput() -> [UInt8] {
        var input: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return input }
            input += buffer[..<count]
        }
    }

    private static func write(_ bytes: [UInt8], to fileDescriptor: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(fileDescriptor, $0) }
            if count < 0, errno == EINTR { continue }
            // Nobody is left to read the rest.
            guard count > 0 else { exit(1) }
            rest = rest.dropFirst(count)
        }
    }
}

private func send(_ fileDescriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(fileDescriptor, bytes.baseAddress, bytes.count)
}
