// Load for raw echo servers: the same client for every server, so that its cost is the same.
//
// Usage: c-echo-client PORT THREADS CONNECTIONS ACTIVE SIZE SECONDS. Opens CONNECTIONS connections,
// keeps one message of SIZE bytes under way on ACTIVE of them, checks that each comes back as it
// was sent, and prints the messages of SECONDS seconds after a warm-up of half a second.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct connection {
    int fd;
    size_t received;
    // The first bytes of the message under way.
    uint64_t number;
};

static int port, threads, connections, active, size;
static double seconds;
static atomic_int phase;  // 0: warm-up, 1: measuring, 2: over
static atomic_long messages;
static pthread_barrier_t connected;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int dial(int index) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    // One source address has too few ports for very many connections.
    struct sockaddr_in source = {.sin_family = AF_INET};
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + index % 8);
    // The port is chosen when the connection is made: then it only has to differ for this server.
    int one = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&source, sizeof source) != 0) fail("bind");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void send_message(struct connection *connection, char *message) {
    connection->number++;
    memcpy(message, &connection->number, sizeof connection->number);
    ssize_t sent = 0;
    while (sent < size) {
        ssize_t count = send(connection->fd, message + sent, size - sent, MSG_NOSIGNAL);
        if (count < 0) fail("send");
        sent += count;
    }
    connection->received = 0;
}

static void receive(struct connection *connection, char *buffer, char *message, long *count) {
    // Only what is ready: the socket blocks, but epoll said that there is something.
    ssize_t got = recv(connection->fd, buffer, size, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        fprintf(stderr, "the server closed a connection\n");
        exit(1);
    }
    if (connection->received == 0 && got >= (ssize_t)sizeof connection->number
        && memcmp(buffer, &connection->number, sizeof connection->number) != 0) {
        fprintf(stderr, "another message came back\n");
        exit(1);
    }
    connection->received += got;
    if (connection->received < (size_t)size) return;
    (*count)++;
    send_message(connection, message);
}

static void *run(void *argument) {
    int number = (int)(long)argument;
    int queue = epoll_create1(EPOLL_CLOEXEC);
    int first = (long)connections * number / threads, last = (long)connections * (number + 1) / threads;
    int first_active = (long)active * number / threads;
    int last_active = (long)active * (number + 1) / threads;
    struct connection *mine = calloc(last - first, sizeof *mine);
    for (int index = first; index < last; index++) mine[index - first].fd = dial(index);
    char *message = malloc(size), *buffer = malloc(size);
    memset(message, 'x', size);
    pthread_barrier_wait(&connected);
    int busy = last_active - first_active;
    for (int index = 0; index < busy; index++) {
        // Spread over all, so that neighbours of active connections are idle.
        struct connection *connection = &mine[(long)index * (last - first) / busy];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (epoll_ctl(queue, EPOLL_CTL_ADD, connection->fd, &event) != 0) fail("epoll_ctl");
        send_message(connection, message);
    }
    struct epoll_event events[256];
    long count = 0;
    int measuring = 0;
    for (;;) {
        int now = atomic_load_explicit(&phase, memory_order_relaxed);
        if (now == 2) break;
        if (now == 1 && !measuring) {
            measuring = 1;
            count = 0;
        }
        int ready = epoll_wait(queue, events, 256, 100);
        for (int index = 0; index < ready; index++) {
            receive(events[index].data.ptr, buffer, message, &count);
        }
    }
    atomic_fetch_add(&messages, count);
    return NULL;
}

static void rest(double duration) {
    struct timespec time = {(time_t)duration, (long)((duration - (time_t)duration) * 1e9)};
    nanosleep(&time, NULL);
}

int main(int count, char **arguments) {
    // A parent that starts us on a thread of its own may have blocked all signals there.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (count != 7) {
        fprintf(stderr, "usage: c-echo-client PORT THREADS CONNECTIONS ACTIVE SIZE SECONDS\n");
        return 2;
    }
    port = atoi(arguments[1]);
    threads = atoi(arguments[2]);
    connections = atoi(arguments[3]);
    active = atoi(arguments[4]);
    size = atoi(arguments[5]);
    seconds = atof(arguments[6]);
    if (threads < 1 || active < threads || connections < active || size < 8) {
        fprintf(stderr, "c-echo-client: 1 <= THREADS <= ACTIVE <= CONNECTIONS and SIZE >= 8\n");
        return 2;
    }
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    pthread_barrier_init(&connected, NULL, threads + 1);
    pthread_t *ids = calloc(threads, sizeof *ids);
    for (long index = 0; index < threads; index++) {
        if (pthread_create(&ids[index], NULL, run, (void *)index) != 0) fail("pthread_create");
    }
    pthread_barrier_wait(&connected);
    rest(0.5);
    printf("begin\n");
    fflush(stdout);
    atomic_store(&phase, 1);
    rest(seconds);
    atomic_store(&phase, 2);
    for (int index = 0; index < threads; index++) pthread_join(ids[index], NULL);
    printf("messages %ld\n", atomic_load(&messages));
    return 0;
}
