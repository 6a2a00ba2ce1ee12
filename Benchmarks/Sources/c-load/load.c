#define _GNU_SOURCE
#include "c_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

static atomic_int phase;
static pthread_barrier_t connected;
static uint64_t over_at;
static void (*thread_body)(struct load_thread *);

// Values below 128 have buckets of their own; above, each power of two has 128.
static int bucket(uint64_t value) {
    if (value < 128) return (int)value;
    int shift = 63 - __builtin_clzll(value) - 7;
    return ((shift + 1) << 7) + (int)((value >> shift) - 128);
}

static uint64_t value(int bucket) {
    if (bucket < 128) return bucket;
    int shift = (bucket >> 7) - 1;
    return (uint64_t)(128 + (bucket & 127)) << shift;
}

void load_record(struct load_histogram *histogram, uint64_t nanoseconds) {
    histogram->counts[bucket(nanoseconds)]++;
    histogram->total++;
}

static double microseconds(const struct load_histogram *histogram, double quantile) {
    uint64_t wanted = (uint64_t)(histogram->total * quantile), seen = 0;
    for (int index = 0; index < load_buckets; index++) {
        seen += histogram->counts[index];
        if (seen > wanted) return value(index) / 1e3;
    }
    return 0;
}

enum load_phase load_current(void) { return atomic_load_explicit(&phase, memory_order_acquire); }

int load_drained(uint64_t calls_under_way) {
    if (calls_under_way == 0) return 1;
    if (load_now() - over_at > 5000000000) load_wrong("replies did not come");
    return 0;
}

void load_connected(void) { pthread_barrier_wait(&connected); }

uint64_t load_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void load_sleep_until(uint64_t time) {
    // The system may else be 50 us late to save wake-ups. The setting is the thread's own.
    prctl(PR_SET_TIMERSLACK, 1);
    struct timespec absolute = {time / 1000000000, time % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &absolute, NULL) == EINTR) continue;
}

void load_fail(const char *what) {
    perror(what);
    exit(1);
}

void load_wrong(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

int load_dial(int port, int index) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) load_fail("socket");
    struct sockaddr_in source = {.sin_family = AF_INET};
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + index % 8);
    // The port is chosen when the connection is made: then it only has to differ for this server.
    int one = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&source, sizeof source) != 0) load_fail("bind");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) load_fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

void load_prepare(void) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    // Threads inherit it.
    prctl(PR_SET_TIMERSLACK, 1);
}

static void *run(void *argument) {
    thread_body(argument);
    return NULL;
}

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void rest(double seconds) {
    struct timespec time = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
    nanosleep(&time, NULL);
}

void load_run(int threads, double seconds, void (*body)(struct load_thread *)) {
    thread_body = body;
    pthread_barrier_init(&connected, NULL, threads + 1);
    pthread_t *ids = calloc(threads, sizeof *ids);
    struct load_thread *loads = calloc(threads, sizeof *loads);
    for (int index = 0; index < threads; index++) {
        loads[index].number = index;
        if (pthread_create(&ids[index], NULL, run, &loads[index]) != 0) load_fail("pthread_create");
    }
    pthread_barrier_wait(&connected);
    rest(0.5);
    printf("begin\n");
    fflush(stdout);
    uint64_t start = load_now();
    double cpu = cpu_seconds();
    atomic_store(&phase, load_measuring);
    rest(seconds);
    over_at = load_now();
    atomic_store(&phase, load_over);
    double span = (over_at - start) / 1e9;
    cpu = cpu_seconds() - cpu;
    struct load_histogram all = {0};
    uint64_t calls = 0;
    for (int index = 0; index < threads; index++) {
        pthread_join(ids[index], NULL);
        for (int at = 0; at < load_buckets; at++) {
            all.counts[at] += loads[index].histogram.counts[at];
        }
        all.total += loads[index].histogram.total;
        calls += loads[index].calls;
    }
    printf(
        "{\"calls\":%lu,\"total_calls\":%lu,\"seconds\":%f,\"p50_us\":%.2f,\"p99_us\":%.2f,"
        "\"p99_9_us\":%.2f,\"cpu_seconds\":%.6f}\n",
        all.total, calls, span, microseconds(&all, 0.5), microseconds(&all, 0.99),
        microseconds(&all, 0.999), cpu);
    fflush(stdout);
}
