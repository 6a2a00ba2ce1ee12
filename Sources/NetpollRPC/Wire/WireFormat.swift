/// The constants of the wire protocol; `Docs/Protocol.md` describes it byte by byte.
enum WireFormat {
    static let headerMagic: UInt16 = 0x1000
    static let messageMagic: UInt16 = 0x9001
    /// Length, magic, flags, sequence id and header size: what stands before the header block.
    static let headerPrefixByteCount = 14
    /// The format's own bound: a 16-bit count of 4-byte words.
    static let headerByteCountLimit = 4 * 65_535
    /// The client may get replies in any order.
    static let outOfOrderFlag: UInt16 = 0x0001

    enum InfoBlock {
        static let padding: UInt8 = 0x00
        static let strings: UInt8 = 0x01
        static let integers: UInt8 = 0x10
        static let aclToken: UInt8 = 0x11
    }

    enum IntegerKey {
        static let transportType: UInt16 = 1
        static let fromService: UInt16 = 3
        static let toService: UInt16 = 6
        static let toMethod: UInt16 = 9
        static let timeout: UInt16 = 12
        static let fromMethod: UInt16 = 20
        static let messageType: UInt16 = 22
    }

    enum StringKey {
        static let serviceName = "isn"
        static let connectionReset = "crrst"
        static let checksum = "crc32c"
        static let businessStatus = "biz-status"
        static let businessMessage = "biz-message"
        static let businessExtra = "biz-extra"
        static let transientPrefix = "RPC_TRANSIT_"
        static let persistentPrefix = "RPC_PERSIST_"
        static let upstreamPrefix = "RPC_TRANSIT_UPSTREAM_"
        static let aclToken = "RPC_TRANSIT_gdpr-token"
        /// What an exception id cannot say, for peers that know these: the code of an ``RPCError``
        /// by name, and its ``RPCError/RetryAdvice``.
        static let errorCode = "netpoll-code"
        static let retryAdvice = "netpoll-retry"
        /// Whether a name means something to the protocol, so that a server may not send it as
        /// metadata and a client does not show it as such.
        static func isReserved(_ key: String) -> Bool {
            reserved.contains(key) || key.hasPrefix(validatorPrefix)
        }

        /// What validators of payloads put before their names.
        private static let validatorPrefix = "PV_"

        private static let reserved: Set<String> = [
            serviceName, connectionReset, businessStatus, businessMessage, businessExtra,
            errorCode, retryAdvice, checksum, "rip", "tc", "ti", "pcs", "pce", "pss", "prs", "pre",
            "K_ProcessAtTime", "ttscp",
        ]
    }

    enum MessageType: UInt16 {
        case call = 1
        case reply = 2
        case exception = 3
        case oneway = 4
        case stream = 5
    }

    /// The ids of exceptions that the framework itself sends.
    enum ExceptionID {
        static let unknown: Int32 = 0
        static let unknownMethod: Int32 = 1
        static let invalidMessageType: Int32 = 2
        static let internalError: Int32 = 6
        static let protocolError: Int32 = 7
        static let unknownService: Int32 = 20
    }
}
