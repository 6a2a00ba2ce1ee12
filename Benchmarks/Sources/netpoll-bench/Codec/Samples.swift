/// The messages that are measured, of the types of whichever generator is linked.
enum Samples {
    static let text = Bench_Text.with {
        $0.text = String(repeating: "0123456789abcdef", count: 64)
    }

    static let order = Bench_Order.with {
        $0.id = 1_234_567_890_123
        $0.customer = "Ada Lovelace"
        $0.email = "ada.lovelace@example.org"
        $0.comment = "Please leave the parcel with the neighbours if nobody opens the door."
        $0.state = .paid
        $0.isGift = true
        $0.weight = 12.625
        $0.discount = 0.25
        $0.created = 1_700_000_000_000
        $0.changed = 1_700_000_100_000
        $0.trace = 0x0123_4567_89AB_CDEF
        $0.shard = 17
        $0.priority = -3
        $0.balance = -123_456
        $0.warehouse = 42
        $0.lines = 3
        $0.token = .init(repeating: 7, count: 32)
        $0.signature = .init(repeating: 9, count: 64)
        $0.billing = address("12 Analytical Street")
        $0.shipping = address("7 Difference Lane")
        $0.total = money(12_345)
        $0.tax = money(2_345)
        $0.fee = money(99)
        $0.origin = address("1 Warehouse Road")
        $0.paid = money(14_789)
        $0.quantities = (1...20).map { Int32($0 * 7) }
        $0.products = (1...20).map { Int64($0) << 33 }
        $0.tags = ["fragile", "express", "insured", "this way up, with care", "x"]
        $0.voucher = "SUMMER-2026"
        $0.checksum = -1
    }

    static let listing = Bench_Listing.with {
        $0.items = (0..<1_000).map { number in
            .with {
                $0.id = Int64(number) * 1_000_003
                $0.name = "item number \(number)"
                $0.price = Double(number) * 0.25
                $0.isAvailable = number % 3 != 0
            }
        }
    }

    private static func address(_ street: String) -> Bench_Order.Address {
        .with {
            $0.street = street
            $0.city = "London"
            $0.country = "United Kingdom"
            $0.zip = 10_115
        }
    }

    private static func money(_ units: Int64) -> Bench_Order.Money {
        .with {
            $0.currency = "EUR"
            $0.units = units
            $0.nanos = 500_000_000
        }
    }
}
