#include <stdint.h>

/// How often the calling thread has taken memory since it began.
uint64_t malloc_counter_read(void);
