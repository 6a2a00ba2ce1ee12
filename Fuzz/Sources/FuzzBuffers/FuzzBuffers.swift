import NetpollTesting

/// Runs any bytes as operations on a `LinkBuffer`, which must hold what an array holds.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBuffers(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var program = LinkBufferProgram()
    if let difference = program.run(UnsafeBufferPointer(start: start, count: count)) {
        fatalError(difference)
    }
    return 0
}
