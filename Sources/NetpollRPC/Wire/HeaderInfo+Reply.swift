extension HeaderInfo {
    /// What a server sent along with its reply: every pair that has no meaning of its own.
    ///
    /// Kitex shows its clients the protocol's own pairs too; here they stay out of sight.
    var replyMetadata: Metadata {
        var metadata = Metadata()
        guard hasMetadata else { return metadata }
        for (key, value) in strings where !key.isEmpty && !value.isEmpty {
            if !WireFormat.StringKey.isReserved(key) { metadata[key] = value }
        }
        return metadata
    }
}
