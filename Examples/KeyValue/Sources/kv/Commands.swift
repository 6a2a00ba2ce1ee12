import ArgumentParser
import KeyValueAPI
import NetpollProtobuf
import NetpollRPC

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints a key's value.")
    @OptionGroup var connection: Connection
    @Flag(help: "Print the version before the value, and a tab between them.")
    var withVersion = false
    @Argument var key: String

    func run() async throws {
        let reply = try await connection.call { service, options in
            try await service.get(.with { $0.key = Array(key.utf8) }, options: options)
        }
        let value = String(decoding: reply.entry.value, as: UTF8.self)
        print(withVersion ? "\(reply.entry.version)\t\(value)" : value)
    }
}

/// What all commands that give a key a value have in common.
struct NewValue: ParsableArguments {
    @Option(help: "How many seconds the value lives; for ever by default.")
    var ttl: Double?
    @Argument var key: String
    @Argument var value: String

    func validate() throws {
        guard ttl.map({ $0 > 0 && $0 <= 1e9 }) ?? true else {
            throw ValidationError("--ttl is more than 0 and at most 1e9 seconds")
        }
    }

    var lifetime: Google_Protobuf_Duration? { ttl.map { Google_Protobuf_Duration(.seconds($0)) } }
}

struct Set: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Gives a key a value and prints the new version."
    )
    @OptionGroup var connection: Connection
    @OptionGroup var new: NewValue

    func run() async throws {
        let request = Kv_SetRequest.with {
            $0.key = Array(new.key.utf8)
            $0.value = Array(new.value.utf8)
            if let lifetime = new.lifetime { $0.ttl = lifetime }
        }
        let reply = try await connection.call { service, options in
            try await service.set(request, options: options)
        }
        print(reply.version)
    }
}

struct CompareAndSet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cas",
        abstract: "Gives a key a value if it has a version, and prints the new version."
    )
    @OptionGroup var connection: Connection
    @Option(help: "The version that the key must have; 0: no value.")
    var version: UInt64
    @OptionGroup var new: NewValue

    func run() async throws {
        let request = Kv_CompareAndSetRequest.with {
            $0.key = Array(new.key.utf8)
            $0.value = Array(new.value.utf8)
            $0.expectedVersion = version
            if let lifetime = new.lifetime { $0.ttl = lifetime }
        }
        let reply = try await connection.call { service, options in
            try await service.compareAndSet(request, options: options)
        }
        print(reply.version)
    }
}

struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "del", abstract: "Removes a key.")
    @OptionGroup var connection: Connection
    @Argument var key: String

    func run() async throws {
        _ = try await connection.call { service, options in
            try await service.delete(.with { $0.key = Array(key.utf8) }, options: options)
        }
    }
}

struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints keys and values, a tab between them, in the order of the keys."
    )
    @OptionGroup var connection: Connection
    @Option(help: "How many entries to ask for at a time.")
    var page: UInt32 = 1000
    @Option(help: "Most entries to print.")
    var limit = Int.max
    @Argument(help: "What the keys begin with.")
    var prefix = ""

    func run() async throws {
        try await connection.call { service, options in
            var request = Kv_ListRequest()
            request.prefix = Array(prefix.utf8)
            request.limit = page
            var left = limit
            repeat {
                let reply = try await service.list(request, options: options)
                for entry in reply.entries.prefix(left) {
                    let key = String(decoding: entry.key, as: UTF8.self)
                    let value = String(decoding: entry.value, as: UTF8.self)
                    print("\(key)\t\(value)")
                }
                left -= min(left, reply.entries.count)
                request.after = reply.next
            } while !request.after.isEmpty && left > 0
        }
    }
}
