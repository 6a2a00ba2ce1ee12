/// Points in time as text (RFC 3339): `2026-11-24T23:05:00.250Z`.
enum TimestampText {
    /// The seconds since 1970 from the year 1 to the year 9999.
    static let range: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// The text in UTC with 0, 3, 6 or 9 digits after the point; `nil` out of range.
    static func describe(_ timestamp: Google_Protobuf_Timestamp) -> String? {
        guard range.contains(timestamp.seconds), (0...999_999_999).contains(timestamp.nanos) else {
            return nil
        }
        // Counted from the year 1, so that nothing is negative.
        let seconds = Int(timestamp.seconds - range.lowerBound)
        let (year, month, day) = date(dayNumber: seconds / 86_400)
        let time = seconds % 86_400
        return DecimalFields.padded(year, 4) + "-" + DecimalFields.padded(month, 2) + "-"
            + DecimalFields.padded(day, 2) + "T" + DecimalFields.padded(time / 3600, 2) + ":"
            + DecimalFields.padded(time / 60 % 60, 2) + ":" + DecimalFields.padded(time % 60, 2)
            + DecimalFields.fraction(nanos: Int(timestamp.nanos)) + "Z"
    }

    /// The timestamp that a text with any offset from UTC stands for.
    static func parse(_ text: UnsafeRawBufferPointer) -> Google_Protobuf_Timestamp? {
        var reader = DecimalFields.Reader(text)
        guard let year = reader.number(4, in: 1...9999), reader.skip("-"),
            let month = reader.number(2, in: 1...12), reader.skip("-"),
            let day = reader.number(2, in: 1...dayCount(year, month)), reader.skip("T"),
            let hour = reader.number(2, in: 0...23), reader.skip(":"),
            let minute = reader.number(2, in: 0...59), reader.skip(":"),
            let second = reader.number(2, in: 0...59),
            let nanos = reader.fraction(),
            let offset = offset(&reader), reader.isAtEnd
        else { return nil }
        let days = dayNumber(year, month, day)
        let seconds =
            Int64(days * 86_400 + hour * 3600 + minute * 60 + second - offset) + range.lowerBound
        guard range.contains(seconds) else { return nil }
        return Google_Protobuf_Timestamp(seconds: seconds, nanos: Int32(nanos))
    }

    /// The seconds east of UTC.
    private static func offset(_ reader: inout DecimalFields.Reader) -> Int? {
        if reader.skip("Z") { return 0 }
        let isEast = reader.skip("+")
        guard isEast || reader.skip("-"), let hours = reader.number(2, in: 0...23),
            reader.skip(":"), let minutes = reader.number(2, in: 0...59)
        else { return nil }
        return (hours * 3600 + minutes * 60) * (isEast ? 1 : -1)
    }

    // MARK: The calendar

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func dayCount(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The days from the first day of the year 1 to that of another year.
    private static func daysBefore(_ year: Int) -> Int {
        let years = year - 1
        return years * 365 + years / 4 - years / 100 + years / 400
    }

    private static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int {
        daysBefore(year) + (1..<month).reduce(0) { $0 + dayCount(year, $1) } + day - 1
    }

    private static func date(dayNumber: Int) -> (year: Int, month: Int, day: Int) {
        // At most a year too late, because no year has fewer than 365 days.
        var year = dayNumber / 365 + 1
        while daysBefore(year) > dayNumber { year -= 1 }
        var day = dayNumber - daysBefore(year)
        var month = 1
        while day >= dayCount(year, month) {
            day -= dayCount(year, month)
            month += 1
        }
        return (year, month, day + 1)
    }
}
