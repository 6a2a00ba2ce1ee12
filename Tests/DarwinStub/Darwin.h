#pragma once

// What NetpollCore uses of Darwin, with Darwin's types, layouts and values, so that Linux can check
// the types of the code that is for Darwin (Scripts/check-darwin). Nothing is linked with it.
//
// Each name that glibc has too is another name in C and gets its own in Swift, because the standard
// library on Linux loads glibc's definitions into the same compilation.

#define SWIFT(name) __attribute__((swift_name(name)))

typedef unsigned int socklen_t;
typedef unsigned char darwin_sa_family SWIFT("sa_family_t");
typedef unsigned short darwin_mode SWIFT("mode_t");
typedef __SIZE_TYPE__ size_t;
typedef long darwin_ssize SWIFT("ssize_t");

// <errno.h>: a thread's own, which Darwin's overlay makes a property.
int darwin_errno(void) SWIFT("getter:errno()");
void darwin_set_errno(int) SWIFT("setter:errno(newValue:)");
#define EPERM 1
#define ENOENT 2
#define EINTR 4
#define EIO 5
#define ENOMEM 12
#define ENFILE 23
#define EMFILE 24
#define EPIPE 32
#define EAGAIN 35
#define EWOULDBLOCK EAGAIN
#define EINPROGRESS 36
#define ECANCELED 89
#define EAFNOSUPPORT 47
#define EADDRINUSE 48
#define EADDRNOTAVAIL 49
#define ENETDOWN 50
#define ENETUNREACH 51
#define ECONNABORTED 53
#define ECONNRESET 54
#define ENOBUFS 55
#define ETIMEDOUT 60
#define ECONNREFUSED 61
#define EHOSTUNREACH 65
#define EPROTO 100

// <sys/socket.h>, <sys/un.h>
struct darwin_sockaddr {
    unsigned char sa_len;
    darwin_sa_family sa_family;
    char sa_data[14];
} SWIFT("sockaddr");
struct darwin_sockaddr_storage {
    unsigned char ss_len;
    darwin_sa_family ss_family;
    char __ss_pad1[6];
    long long __ss_align;
    char __ss_pad2[112];
} SWIFT("sockaddr_storage");
struct darwin_sockaddr_un {
    unsigned char sun_len;
    darwin_sa_family sun_family;
    char sun_path[104];
} SWIFT("sockaddr_un");
struct darwin_iovec {
    void *iov_base;
    size_t iov_len;
} SWIFT("iovec");
struct darwin_linger {
    int l_onoff;
    int l_linger;
} SWIFT("linger");
struct darwin_msghdr {
    void *msg_name;
    socklen_t msg_namelen;
    struct darwin_iovec *msg_iov;
    int msg_iovlen;
    void *msg_control;
    socklen_t msg_controllen;
    int msg_flags;
} SWIFT("msghdr");
#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 30
#define SOCK_STREAM 1
#define SOL_SOCKET 0xffff
#define SO_REUSEADDR 0x0004
#define SO_KEEPALIVE 0x0008
#define SO_LINGER 0x0080
#define SO_REUSEPORT 0x0200
#define SO_SNDBUF 0x1001
#define SO_RCVBUF 0x1002
#define SO_ERROR 0x1007
#define SO_NOSIGPIPE 0x1022
#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2
#define IPPROTO_TCP 6
#define IPPROTO_IPV6 41
#define IPV6_V6ONLY 27
#define TCP_NODELAY 0x01
#define TCP_KEEPALIVE 0x10
#define TCP_RXT_CONNDROPTIME 0x80
#define TCP_KEEPINTVL 0x101
#define TCP_KEEPCNT 0x102
int darwin_socket(int, int, int) SWIFT("socket(_:_:_:)");
int darwin_socketpair(int, int, int, int *) SWIFT("socketpair(_:_:_:_:)");
int darwin_accept(int, struct darwin_sockaddr *, socklen_t *) SWIFT("accept(_:_:_:)");
int darwin_bind(int, const struct darwin_sockaddr *, socklen_t) SWIFT("bind(_:_:_:)");
int darwin_connect(int, const struct darwin_sockaddr *, socklen_t) SWIFT("connect(_:_:_:)");
int darwin_listen(int, int) SWIFT("listen(_:_:)");
int darwin_shutdown(int, int) SWIFT("shutdown(_:_:)");
int darwin_getsockname(int, struct darwin_sockaddr *, socklen_t *) SWIFT("getsockname(_:_:_:)");
int darwin_getpeername(int, struct darwin_sockaddr *, socklen_t *) SWIFT("getpeername(_:_:_:)");
int darwin_setsockopt(int, int, int, const void *, socklen_t) SWIFT("setsockopt(_:_:_:_:_:)");
int darwin_getsockopt(int, int, int, void *, socklen_t *) SWIFT("getsockopt(_:_:_:_:_:)");
darwin_ssize darwin_recv(int, void *, size_t, int) SWIFT("recv(_:_:_:_:)");
darwin_ssize darwin_send(int, const void *, size_t, int) SWIFT("send(_:_:_:_:)");
darwin_ssize darwin_sendmsg(int, const struct darwin_msghdr *, int) SWIFT("sendmsg(_:_:_:)");
darwin_ssize darwin_readv(int, const struct darwin_iovec *, int) SWIFT("readv(_:_:_:)");

// <netdb.h>
struct darwin_addrinfo {
    int ai_flags;
    int ai_family;
    int ai_socktype;
    int ai_protocol;
    socklen_t ai_addrlen;
    char *ai_canonname;
    struct darwin_sockaddr *ai_addr;
    struct darwin_addrinfo *ai_next;
} SWIFT("addrinfo");
#define AI_PASSIVE 0x00000001
#define AI_NUMERICHOST 0x00000004
#define AI_NUMERICSERV 0x00001000
#define NI_NUMERICHOST 0x00000002
#define NI_NUMERICSERV 0x00000008
int darwin_getaddrinfo(
    const char *_Nullable, const char *_Nullable, const struct darwin_addrinfo *_Nullable,
    struct darwin_addrinfo *_Nullable *_Nullable) SWIFT("getaddrinfo(_:_:_:_:)");
void darwin_freeaddrinfo(struct darwin_addrinfo *) SWIFT("freeaddrinfo(_:)");
const char *darwin_gai_strerror(int) SWIFT("gai_strerror(_:)");
int darwin_getnameinfo(
    const struct darwin_sockaddr *, socklen_t, char *, socklen_t, char *, socklen_t,
    int) SWIFT("getnameinfo(_:_:_:_:_:_:_:)");

// <unistd.h>, <fcntl.h>, <sys/stat.h>, <string.h>, <stdlib.h>
#define F_GETFD 1
#define F_SETFD 2
#define F_SETFL 4
#define FD_CLOEXEC 1
#define O_RDONLY 0x00000000
#define O_NONBLOCK 0x00000004
#define O_DIRECTORY 0x00100000
#define O_CLOEXEC 0x01000000
#define LOCK_EX 0x02
#define LOCK_NB 0x04
#define S_IFMT ((darwin_mode)0170000)
#define S_IFSOCK ((darwin_mode)0140000)
#define _SC_OPEN_MAX 5
#define _SC_PAGESIZE 29
#define _SC_NPROCESSORS_ONLN 58
#define _SC_PHYS_PAGES 200
struct darwin_stat {
    int st_dev;
    darwin_mode st_mode;
    unsigned short st_nlink;
    unsigned long long st_ino;
} SWIFT("stat");
int darwin_open(const char *, int) SWIFT("open(_:_:)");
int darwin_flock(int, int) SWIFT("flock(_:_:)");
int darwin_close(int) SWIFT("close(_:)");
darwin_ssize darwin_read(int, void *, size_t) SWIFT("read(_:_:_:)");
int darwin_unlink(const char *) SWIFT("unlink(_:)");
int darwin_lstat(const char *, struct darwin_stat *) SWIFT("lstat(_:_:)");
int darwin_usleep(unsigned int) SWIFT("usleep(_:)");
long darwin_sysconf(int) SWIFT("sysconf(_:)");
// Variadic in C; Darwin's overlay has these two.
int darwin_fcntl_get(int, int) SWIFT("fcntl(_:_:)");
int darwin_fcntl_set(int, int, int) SWIFT("fcntl(_:_:_:)");
int darwin_strerror_r(int, char *, size_t) SWIFT("strerror_r(_:_:_:)");
void *_Nullable darwin_malloc(size_t) SWIFT("malloc(_:)");
void darwin_free(void *_Nullable) SWIFT("free(_:)");

// <stdio.h>
struct darwin_file;
typedef struct darwin_file FILE_stub SWIFT("FILE");
FILE_stub *_Nullable darwin_fopen(const char *_Nullable, const char *_Nullable) SWIFT("fopen(_:_:)");
int darwin_fclose(FILE_stub *_Nullable) SWIFT("fclose(_:)");
size_t darwin_fread(void *_Nullable, size_t, size_t, FILE_stub *_Nullable) SWIFT("fread(_:_:_:_:)");

// <time.h>
struct darwin_timespec {
    long tv_sec;
    long tv_nsec;
} SWIFT("timespec");
typedef enum {
    _CLOCK_MONOTONIC __attribute__((swift_name("CLOCK_MONOTONIC"))) = 6,
} darwin_clockid SWIFT("clockid_t");
int darwin_clock_gettime(darwin_clockid, struct darwin_timespec *) SWIFT("clock_gettime(_:_:)");

// <pthread.h>
struct darwin_opaque_pthread_t {
    long __sig;
    char __opaque[8176];
} SWIFT("_opaque_pthread_t");
typedef struct darwin_opaque_pthread_t *darwin_pthread SWIFT("pthread_t");
struct darwin_pthread_attr {
    long __sig;
    char __opaque[56];
} SWIFT("pthread_attr_t");
struct darwin_pthread_mutex {
    long __sig;
    char __opaque[56];
} SWIFT("pthread_mutex_t");
struct darwin_pthread_cond {
    long __sig;
    char __opaque[40];
} SWIFT("pthread_cond_t");
int darwin_pthread_create(
    darwin_pthread _Nullable *_Nonnull, const struct darwin_pthread_attr *_Nullable,
    void *_Nullable (*_Nonnull)(void *_Nonnull), void *_Nullable) SWIFT("pthread_create(_:_:_:_:)");
int darwin_pthread_detach(darwin_pthread _Nonnull) SWIFT("pthread_detach(_:)");
int darwin_pthread_mutex_init(struct darwin_pthread_mutex *_Nonnull, const void *_Nullable)
    SWIFT("pthread_mutex_init(_:_:)");
int darwin_pthread_mutex_lock(struct darwin_pthread_mutex *_Nonnull) SWIFT("pthread_mutex_lock(_:)");
int darwin_pthread_mutex_unlock(struct darwin_pthread_mutex *_Nonnull) SWIFT("pthread_mutex_unlock(_:)");
int darwin_pthread_mutex_destroy(struct darwin_pthread_mutex *_Nonnull)
    SWIFT("pthread_mutex_destroy(_:)");
int darwin_pthread_cond_init(struct darwin_pthread_cond *_Nonnull, const void *_Nullable)
    SWIFT("pthread_cond_init(_:_:)");
int darwin_pthread_cond_signal(struct darwin_pthread_cond *_Nonnull) SWIFT("pthread_cond_signal(_:)");
int darwin_pthread_cond_destroy(struct darwin_pthread_cond *_Nonnull) SWIFT("pthread_cond_destroy(_:)");
int pthread_cond_timedwait_relative_np(
    struct darwin_pthread_cond *_Nonnull, struct darwin_pthread_mutex *_Nonnull,
    const struct darwin_timespec *_Nullable);

// <sys/event.h>
struct kevent {
    unsigned long ident;
    short filter;
    unsigned short flags;
    unsigned int fflags;
    long data;
    void *_Nullable udata;
};
#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_USER (-10)
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_ERROR 0x4000
#define EV_EOF 0x8000
#define NOTE_TRIGGER 0x01000000
int kqueue(void);
int kevent(
    int, const struct kevent *_Nullable, int, struct kevent *_Nullable, int,
    const struct darwin_timespec *_Nullable);
