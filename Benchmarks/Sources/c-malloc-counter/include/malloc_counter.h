#include <stdint.h>

/// How often the calling thread has taken memory since it began.
uint64_t malloc_counter_read(void);

/// How often all threads of the process have taken memory, if it was started with the environment
/// variable NETPOLL_BENCH_COUNTS; else 0. The variable names a file that the count is also written
/// to, as eight bytes, so that another process can read it at any time. Counting so costs time:
/// what is counted is not what is timed.
uint64_t malloc_counter_total(void);
