import ArgumentParser
import NetpollRPC

#if canImport(Darwin)
import Darwin
#else
import Glibc
#endif

/// The command line: `kv get`, `kv set` and so on.
///
/// Exit code 0: done. 1: the service said no, for instance that there is no such key. 2: the command
/// makes no sense. 3: the call failed; a change may or may not have happened.
@main
struct KV: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kv",
        abstract: "Reads and changes the keys of a kv-server.",
        discussion: """
            Exit code 1: the service said no. 2: the command makes no sense. 3: the call failed; a \
            change may or may not have happened.
            """,
        subcommands: [Get.self, Set.self, CompareAndSet.self, Delete.self, List.self, Load.self]
    )

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as BusinessError {
            fail(1, "kv: \(error.message) (status \(error.status))")
        } catch let error as RPCError {
            fail(3, "kv: \(error)")
        } catch {
            // Help that was asked for is one of these errors too.
            guard exitCode(for: error).isSuccess else { fail(2, fullMessage(for: error)) }
            print(fullMessage(for: error))
        }
    }

    private static func fail(_ code: Int32, _ message: String) -> Never {
        let line = Array("\(message)\n".utf8)
        write(STDERR_FILENO, line, line.count)
        exit(withError: ExitCode(code))
    }
}
