#define _GNU_SOURCE
#include "CNetpoll.h"

static _Thread_local void *loop_thread;
static _Thread_local void *buffer_cache;

void *cnetpoll_loop_thread(void) { return loop_thread; }
void cnetpoll_set_loop_thread(void *thread) { loop_thread = thread; }

void *cnetpoll_buffer_cache(void) { return buffer_cache; }
void cnetpoll_set_buffer_cache(void *cache) { buffer_cache = cache; }

#if defined(__linux__)
int cnetpoll_accept(int fd, struct sockaddr *address, socklen_t *length) {
    return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
#endif

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CNETPOLL_THREAD_SANITIZER 1
#endif
#endif

#if defined(CNETPOLL_THREAD_SANITIZER)
void __tsan_acquire(void *address);
void __tsan_release(void *address);
void cnetpoll_lock_did_acquire(const void *lock) { __tsan_acquire((void *)lock); }
void cnetpoll_lock_will_release(const void *lock) { __tsan_release((void *)lock); }
#else
void cnetpoll_lock_did_acquire(const void *lock) { (void)lock; }
void cnetpoll_lock_will_release(const void *lock) { (void)lock; }
#endif
