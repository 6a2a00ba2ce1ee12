#define _GNU_SOURCE
#include "CNetpoll.h"

#include <netinet/in.h>
#include <arpa/nameser.h>
#include <fcntl.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CNETPOLL_THREAD_SANITIZER 1
#endif
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define CNETPOLL_SANITIZER 1
#endif
#endif

static _Thread_local void *loop_thread;
static _Thread_local void *buffer_cache;

void *cnetpoll_loop_thread(void) { return loop_thread; }
void cnetpoll_set_loop_thread(void *thread) { loop_thread = thread; }

void *cnetpoll_buffer_cache(void) { return buffer_cache; }
void cnetpoll_set_buffer_cache(void *cache) { buffer_cache = cache; }

#if defined(__linux__)
int cnetpoll_thread_id(void) { return (int)syscall(SYS_gettid); }

uint64_t cnetpoll_thread_cpu_time(int thread) {
    // How the kernel numbers the CPU clock of a thread; see clock_getcpuclockid(3).
    clockid_t clock = (clockid_t)(~(unsigned)thread << 3 | 6);
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return 0;
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int cnetpoll_thread_is_runnable(int thread) {
    char path[48];
    char text[256];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    if (count <= 0) return 0;
    text[count] = 0;
    // The state follows the name, which is in brackets and may have any character in it.
    const char *end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' && end[2] == 'R';
}
#else
int cnetpoll_thread_id(void) { return 0; }
uint64_t cnetpoll_thread_cpu_time(int thread) { (void)thread; return 0; }
int cnetpoll_thread_is_runnable(int thread) { (void)thread; return 0; }
#endif

#if defined(__linux__)
int cnetpoll_accept(int fd, struct sockaddr *address, socklen_t *length) {
    return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

// Sanitizers know the functions of the C library only.
#if defined(CNETPOLL_SANITIZER) || !defined(SYS_recvfrom) || !defined(SYS_sendto)
ssize_t cnetpoll_receive(int fd, void *bytes, size_t count) { return recv(fd, bytes, count, 0); }
ssize_t cnetpoll_send(int fd, const void *bytes, size_t count, int flags) {
    return send(fd, bytes, count, flags);
}
#else
ssize_t cnetpoll_receive(int fd, void *bytes, size_t count) {
    return syscall(SYS_recvfrom, fd, bytes, count, 0, NULL, NULL);
}
ssize_t cnetpoll_send(int fd, const void *bytes, size_t count, int flags) {
    return syscall(SYS_sendto, fd, bytes, count, flags, NULL, 0);
}
#endif
#endif

int cnetpoll_query_service(const char *name, unsigned char *answer, int capacity,
                           const void *server) {
    struct __res_state state;
    memset(&state, 0, sizeof state);
    if (res_ninit(&state) != 0) return CNETPOLL_QUERY_FAILED;
    if (server != NULL) {
        memcpy(&state.nsaddr_list[0], server, sizeof state.nsaddr_list[0]);
        state.nscount = 1;
    }
    int count = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, capacity);
    int reason = state.res_h_errno;
    res_nclose(&state);
    // The length is that of the whole answer, even if it did not fit.
    if (count >= 0) return count <= capacity ? count : CNETPOLL_QUERY_FAILED;
    if (reason == HOST_NOT_FOUND) return CNETPOLL_QUERY_NO_NAME;
    return reason == NO_DATA ? CNETPOLL_QUERY_NO_DATA : CNETPOLL_QUERY_FAILED;
}

#if defined(CNETPOLL_THREAD_SANITIZER)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void cnetpoll_lock_did_acquire(const void *lock) { __tsan_acquire((void *)lock); }
void cnetpoll_lock_will_release(const void *lock) { __tsan_release((void *)lock); }
#else
void cnetpoll_lock_did_acquire(const void *lock) { (void)lock; }
void cnetpoll_lock_will_release(const void *lock) { (void)lock; }
#endif

#if defined(__x86_64__)
int cnetpoll_has_crc32c(void) { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2")))
uint32_t cnetpoll_crc32c(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *next = bytes;
    uint64_t sum = crc;
    for (; count >= 8; next += 8, count -= 8) {
        uint64_t word;
        __builtin_memcpy(&word, next, 8);
        sum = __builtin_ia32_crc32di(sum, word);
    }
    uint32_t rest = (uint32_t)sum;
    for (; count > 0; next++, count--) rest = __builtin_ia32_crc32qi(rest, *next);
    return rest;
}
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>

int cnetpoll_has_crc32c(void) { return 1; }

uint32_t cnetpoll_crc32c(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *next = bytes;
    for (; count >= 8; next += 8, count -= 8) {
        uint64_t word;
        __builtin_memcpy(&word, next, 8);
        crc = __crc32cd(crc, word);
    }
    for (; count > 0; next++, count--) crc = __crc32cb(crc, *next);
    return crc;
}
#else
int cnetpoll_has_crc32c(void) { return 0; }
uint32_t cnetpoll_crc32c(uint32_t crc, const void *bytes, size_t count) {
    (void)bytes;
    (void)count;
    return crc;
}
#endif
