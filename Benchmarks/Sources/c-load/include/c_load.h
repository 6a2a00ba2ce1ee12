// What load generators share: connections, latencies, the phases of a measurement, the result.
#include <stddef.h>
#include <stdint.h>

enum { load_buckets = 64 * 128 };

/// Latencies in nanoseconds, with an error below 1 %.
struct load_histogram {
    uint64_t counts[load_buckets];
    uint64_t total;
};

void load_record(struct load_histogram *histogram, uint64_t nanoseconds);

/// One thread of load.
struct load_thread {
    int number;
    /// The calls that ended in the measured span.
    struct load_histogram histogram;
    /// All calls, those of the warm-up included.
    uint64_t calls;
};

enum load_phase { load_warm_up, load_measuring, load_over };

/// Which phase it is now.
enum load_phase load_current(void);

/// Called once by each thread, when it has connected: waits for the others.
void load_connected(void);

/// Runs `body` on threads, prints "begin" after a warm-up of half a second, and the result as a line
/// of JSON so many seconds later. When the phase is `load_over`, `body` begins no more calls and ends
/// when `load_drained` says so.
void load_run(int threads, double seconds, void (*body)(struct load_thread *));

/// Whether all calls have ended; ends the process when some have not five seconds after the end.
/// Called again and again in the phase `load_over`.
int load_drained(uint64_t calls_under_way);

/// The time since some time in the past, in nanoseconds.
uint64_t load_now(void);

/// Sleeps until a time of `load_now`, as exactly as the system can.
void load_sleep_until(uint64_t time);

/// Connects to a port of this machine, from one of eight source addresses that `index` chooses: one
/// alone has too few ports for very many connections. The socket does not block.
int load_dial(int port, int index);

/// Says what failed, by errno, and ends the process.
void load_fail(const char *what) __attribute__((noreturn));

/// Says what is wrong and ends the process.
void load_wrong(const char *what) __attribute__((noreturn));

/// Lets a process that its parent started with blocked signals be ended, open all the files it may, and
/// wait for exact times.
void load_prepare(void);
