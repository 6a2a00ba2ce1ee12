extension [UInt8] {
    /// As `withUnsafeBytes`, but keeps the type of what is thrown.
    @inlinable func withRawBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R)
        throws(E) -> R
    {
        try withUnsafeBufferPointer { (bytes) throws(E) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}
