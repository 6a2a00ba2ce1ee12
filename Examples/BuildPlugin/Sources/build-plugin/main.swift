import NetpollCore
import NetpollProtobuf
import NetpollRPC

// The types of protos/ are written by the build plugin before this file is compiled.

struct CatalogHandler: Shop_CatalogService {
    func price(_ request: Shop_PriceRequest, context: RPCContext) async throws -> Shop_Money {
        .with {
            $0.currency = request.items.first?.price.currency ?? ""
            $0.units = request.items.reduce(0) { $0 + $1.price.units }
        }
    }
}

let server = RPCServer(services: [CatalogHandler()])
let address = try server.start(on: [.tcp(host: "127.0.0.1", port: 0)])[0]
let client = try RPCClient(to: address)
let price = try await Shop_CatalogClient(client).price(
    .with { request in
        request.items = [Int64(30), 12].map { units in
            .with {
                $0.price = .with {
                    $0.units = units
                    $0.currency = "EUR"
                }
            }
        }
    }
)
print("\(price.units) \(price.currency)")
await client.close()
await server.shutdown()
