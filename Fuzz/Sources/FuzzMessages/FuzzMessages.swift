import NetpollProtobuf

/// Decodes any bytes as a message of the type that the first byte chooses; what can be decoded must
/// encode, decode again, and encode to the same bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMessages(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    switch choice % 7 {
    case 0: check(bytes, Tests_Everything.self)
    case 1: check(bytes, Tests_Legacy.self)
    case 2: check(bytes, Tests_Grouped.self)
    case 3: check(bytes, Tests_Extended.self)
    case 4: check(bytes, Tests_Container.self)
    case 5: check(bytes, Tests_Left.self)
    default: check(bytes, Google_Protobuf_FileDescriptorSet.self)
    }
    return 0
}

private func check<M: Message>(_ bytes: [UInt8], _: M.Type) {
    let extensions = Tests_Extensions_Extensions
    // What is refused was refused with an error, and that is all that is asked.
    guard let message = try? M(serializedBytes: bytes, extensions: extensions, partial: true)
    else { return }
    var options = BinaryEncodingOptions()
    options.useDeterministicOrdering = true
    do {
        let once = try message.serializedBytes(partial: true, options: options)
        let again = try M(serializedBytes: once, extensions: extensions, partial: true)
        let twice = try again.serializedBytes(partial: true, options: options)
        guard once == twice else { fatalError("\(M.protoMessageName) encodes differently") }
        guard message.debugDescription == again.debugDescription else {
            fatalError("\(M.protoMessageName) is described differently")
        }
    } catch {
        fatalError("what was decoded fails: \(error)")
    }
}
