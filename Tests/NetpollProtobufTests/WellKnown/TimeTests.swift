import NetpollProtobuf
import NetpollTesting
import Testing

@Suite("Timestamp")
struct TimestampTests {
    @Test(
        "text and seconds belong together",
        arguments: [
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
            ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999),
            ("1970-01-01T00:00:00Z", 0, 0), ("1970-01-01T00:00:00.000000001Z", 0, 1),
            ("1969-12-31T23:59:59.999999999Z", -1, 999_999_999),
            ("1969-12-31T23:59:49.500Z", -11, 500_000_000),
            ("1993-02-10T00:00:00Z", 729_302_400, 0),
            ("2000-02-29T12:34:56.000010Z", 951_827_696, 10_000),
            ("1600-12-31T00:00:00Z", -11_644_560_000, 0),
            ("2024-12-31T23:59:59.010Z", 1_735_689_599, 10_000_000),
        ] as [(String, Int64, Int32)]
    )
    func text(text: String, seconds: Int64, nanos: Int32) throws {
        let timestamp = Google_Protobuf_Timestamp(seconds: seconds, nanos: nanos)
        #expect(try timestamp.rfc3339() == text)
        #expect(try Google_Protobuf_Timestamp(rfc3339: text) == timestamp)
    }

    @Test("offsets from UTC are taken away")
    func offsets() throws {
        for text in [
            "1970-01-01T08:00:01+08:00", "1969-12-31T16:00:01-08:00", "1970-01-01T00:00:01+00:00",
        ] {
            #expect(try Google_Protobuf_Timestamp(rfc3339: text).seconds == 1)
        }
        #expect(
            try Google_Protobuf_Timestamp(rfc3339: "0001-01-01T00:01:00+00:01").rfc3339()
                == "0001-01-01T00:00:00Z"
        )
    }

    @Test("days from the year 1 to the year 9999 are written in order, and read back")
    func everyDay() throws {
        var last = ""
        for day in stride(from: Int64(-719_162), through: 2_932_896, by: 29) {
            let timestamp = Google_Protobuf_Timestamp(seconds: day * 86_400)
            let text = try timestamp.rfc3339()
            #expect(text > last)
            #expect(try Google_Protobuf_Timestamp(rfc3339: text) == timestamp)
            last = text
        }
        #expect(last.hasPrefix("9999-12-"))
    }

    @Test("nanoseconds are carried into seconds, which stop at the ends of their range")
    func normalising() {
        #expect(
            Google_Protobuf_Timestamp(seconds: 1, nanos: -1) == .with { $0.nanos = 999_999_999 }
        )
        let carried = Google_Protobuf_Timestamp(seconds: 0, nanos: .max)
        #expect(carried.seconds == 2 && carried.nanos == 147_483_647)
        #expect(Google_Protobuf_Timestamp(seconds: .max, nanos: .max).seconds == .max)
        #expect(Google_Protobuf_Timestamp(seconds: .min, nanos: -1).seconds == .min)
    }

    @Test("conversions to and from Swift's Duration and seconds")
    func conversions() {
        let timestamp = Google_Protobuf_Timestamp(seconds: -2, nanos: 250_000_000)
        #expect(timestamp.durationSince1970 == .milliseconds(-1750))
        #expect(Google_Protobuf_Timestamp(durationSince1970: .milliseconds(-1750)) == timestamp)
        #expect(timestamp.timeIntervalSince1970 == -1.75)
        #expect(Google_Protobuf_Timestamp(timeIntervalSince1970: -1.75) == timestamp)
        let fine = Google_Protobuf_Timestamp(
            durationSince1970: Duration(secondsComponent: 0, attosecondsComponent: -1)
        )
        #expect(fine.seconds == -1 && fine.nanos == 999_999_999)
        for odd in [Double.infinity, -.infinity, .nan, 1e300, .leastNonzeroMagnitude] {
            let nanos = Google_Protobuf_Timestamp(timeIntervalSince1970: odd).nanos
            #expect((0..<1_000_000_000).contains(nanos))
        }
    }

    @Test("differences and sums")
    func arithmetic() {
        let early = Google_Protobuf_Timestamp(seconds: 10, nanos: 900_000_000)
        let late = Google_Protobuf_Timestamp(seconds: 12, nanos: 100_000_000)
        let difference = late - early
        #expect(difference.seconds == 1 && difference.nanos == 200_000_000)
        #expect((early - late).nanos == -200_000_000)
        #expect(early + difference == late && late - difference == early)
        let latest = Google_Protobuf_Timestamp(seconds: .max)
        let earliest = Google_Protobuf_Timestamp(seconds: .min)
        #expect((latest - earliest).seconds == .max)
    }
}

@Suite("Duration")
struct DurationTests {
    @Test("seconds and nanoseconds get the same sign")
    func normalising() {
        func parts(_ seconds: Int64, _ nanos: Int32) -> [Int64] {
            let duration = Google_Protobuf_Duration(seconds: seconds, nanos: nanos)
            return [duration.seconds, Int64(duration.nanos)]
        }
        #expect(parts(1, -1) == [0, 999_999_999])
        #expect(parts(-1, 1) == [0, -999_999_999])
        #expect(parts(0, -1_500_000_000) == [-1, -500_000_000])
        #expect(parts(.max, .max)[0] == .max && parts(.min, .min)[0] == .min)
    }

    @Test("conversions to and from Swift's Duration and seconds")
    func conversions() {
        let duration = Google_Protobuf_Duration(.milliseconds(-1500))
        #expect(duration.seconds == -1 && duration.nanos == -500_000_000)
        #expect(Duration(duration) == .milliseconds(-1500))
        #expect(duration.timeInterval == -1.5)
        #expect(Google_Protobuf_Duration(timeInterval: -1.5) == duration)
        #expect(Google_Protobuf_Duration(timeInterval: 0.9999999999) == .init(seconds: 1))
        #expect(Google_Protobuf_Duration(timeInterval: .nan) == .init())
    }

    @Test("sums, differences and the opposite")
    func arithmetic() {
        let left = Google_Protobuf_Duration(seconds: 1, nanos: 600_000_000)
        let right = Google_Protobuf_Duration(seconds: -2, nanos: -700_000_000)
        #expect(left + right == .init(seconds: -1, nanos: -100_000_000))
        #expect(left - right == .init(seconds: 4, nanos: 300_000_000))
        let odd = Google_Protobuf_Duration.with {
            $0.seconds = .min
            $0.nanos = .min
        }
        #expect((-odd).seconds == .max && (-odd).nanos == .max)
    }
}
