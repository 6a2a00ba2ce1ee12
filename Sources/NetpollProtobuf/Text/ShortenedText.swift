extension String {
    /// The text for an error, cut off where a peer could make errors large by it.
    var shortened: String {
        let limit = 100
        return utf8.count <= limit ? self : String(unicodeScalars.prefix(limit)) + "…"
    }
}
