#pragma once

#include <stddef.h>
#include <stdint.h>

// What Swift's Glibc module does not show: epoll, eventfd, accept4, and thread-local slots.
// CNETPOLL_PORTABLE leaves out what only Linux has, to check the types of code for other systems.
//
// The thread-local accessors are out of line on purpose. Swift treats pthread_self and
// __errno_location as constant, so an inlined look-up could be cached across a suspension point.

#if defined(__linux__) && !defined(CNETPOLL_PORTABLE)
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC.
int cnetpoll_accept(int fd, struct sockaddr *address, socklen_t *length);

/// recv(2) without flags, and send(2), that are no cancellation points: with more than one thread
/// the C library's own switch cancellation on and off around the call, four locked instructions.
ssize_t cnetpoll_receive(int fd, void *bytes, size_t count);
ssize_t cnetpoll_send(int fd, const void *bytes, size_t count, int flags);
#endif

/// The object of the calling thread if it drives event loops, or NULL.
void *cnetpoll_loop_thread(void);
void cnetpoll_set_loop_thread(void *thread);

/// The buffer cache of the calling thread, or NULL when the thread has none.
void *cnetpoll_buffer_cache(void);
void cnetpoll_set_buffer_cache(void *cache);

/// The calling thread's id for the functions below, or 0 where the system has none.
int cnetpoll_thread_id(void);
/// The CPU time that a thread of this process has used, in nanoseconds; 0 if it is unknown.
uint64_t cnetpoll_thread_cpu_time(int thread);
/// Whether a thread of this process runs or waits for nothing but a processor (proc(5), state R);
/// false if it is unknown.
int cnetpoll_thread_is_runnable(int thread);

/// The name does not exist; it has no record of the type; no server answered, or gave up.
#define CNETPOLL_QUERY_NO_NAME -1
#define CNETPOLL_QUERY_NO_DATA -2
#define CNETPOLL_QUERY_FAILED -3

/// Asks for the SRV records of a name with res_nquery(3), which blocks. `server` is a sockaddr_in
/// to ask instead of the system's name servers, or NULL. The number of bytes of the answer, or one
/// of the values above.
int cnetpoll_query_service(const char *name, unsigned char *answer, int capacity,
                           const void *server);

/// Tell ThreadSanitizer about a lock that it cannot see; nothing in other builds.
void cnetpoll_lock_did_acquire(const void *lock);
void cnetpoll_lock_will_release(const void *lock);

/// Whether this processor has an instruction for CRC-32C.
int cnetpoll_has_crc32c(void);
/// Feeds bytes into a CRC-32C, without the inversions before and after.
/// Call it only if cnetpoll_has_crc32c() says so.
uint32_t cnetpoll_crc32c(uint32_t crc, const void *bytes, size_t count);
