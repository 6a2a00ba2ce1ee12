import Testing

@testable import NetpollCore

@Suite("SystemMemory")
struct SystemMemoryTests {
    @Test("the limit is that of the machine or less")
    func limit() {
        #expect(SystemMemory.limit() > 16 << 20)
        #expect(SystemMemory.limit() < 1 << 50)
    }

    @Test("limits are looked for where both versions of control groups keep them")
    func files() {
        let first = SystemMemory.files(forGroups: "12:pids:/a\n7:cpu,memory:/a/b\n0::/c.slice/d\n")
        #expect(
            first == [
                "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
                "/sys/fs/cgroup/c.slice/d/memory.max",
            ]
        )
        #expect(SystemMemory.files(forGroups: "0::/\nnonsense\n::").count == 2)
    }

    @Test(
        "a limit is a number; no limit is none",
        arguments: [
            ("268435456\n", 268_435_456), ("max\n", nil), ("", nil), ("0", nil), ("-1", nil),
            ("9223372036854771712\n", 9_223_372_036_854_771_712), ("99999999999999999999", nil),
        ] as [(String, Int?)]
    )
    func number(text: String, expected: Int?) {
        #expect(SystemMemory.number(text) == expected)
    }
}
