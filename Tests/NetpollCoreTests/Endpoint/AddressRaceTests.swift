import Testing

@testable import NetpollCore

@Suite("AddressRace")
struct AddressRaceTests {
    @Test("the families take turns, beginning with the preferred one")
    func order() {
        var race = AddressRace(families: [10, 10, 10, 2, 2])
        let order = (0..<5).map { _ in race.next() }
        #expect(order == [0, 3, 1, 4, 2].map { .connect($0) })
        #expect(!race.hasNext)
        #expect(race.next() == .wait)
    }

    @Test("a failed attempt lets the next begin at once; after the last all is lost")
    func failures() {
        var race = AddressRace(families: [10, 2])
        #expect(race.next() == .connect(0))
        #expect(race.failed() == .connect(1))
        #expect(race.failed() == .giveUp)
    }

    @Test("attempts that were overtaken may still win or fail")
    func overtaken() {
        var race = AddressRace(families: [10, 2])
        #expect(race.next() == .connect(0))
        #expect(race.next() == .connect(1))
        #expect(race.failed() == .wait)
        #expect(race.failed() == .giveUp)
    }

    @Test("no address at all is lost from the start")
    func empty() {
        var race = AddressRace(families: [])
        #expect(race.next() == .giveUp)
    }
}
