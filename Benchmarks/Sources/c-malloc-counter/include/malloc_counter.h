#include <stdint.h>

/// How often the calling thread has taken memory since it began.
uint64_t malloc_counter_read(void);

/// How often all threads of the process have taken memory since `malloc_counter_share`, or since its
/// start if the environment variable NETPOLL_BENCH_COUNTS names a file then; else 0. Counting so
/// costs time: what is counted is not what is timed.
uint64_t malloc_counter_total(void);

/// Counts for all threads, in a file of eight bytes, which another process can read at any time.
void malloc_counter_share(const char *path);
