import Logging
import NetpollCore
import NetpollRPC

/// What the code in articles has at hand; `Scripts/check-snippets` puts it into an extension.
struct Snippets {
    let group: EventLoopGroup
    let server: RPCServer
    let client: RPCClient
    let greeter: Demo_GreeterClient
    let request: Demo_HelloRequest
    let context: RPCContext
    let connection: Connection
    let logger: Logger
}
