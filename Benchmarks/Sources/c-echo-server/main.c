// The yardstick of raw echo: what the same work costs in C, with the least code that does it.
//
// Usage: c-echo-server PORT THREADS. Each thread has an epoll instance, level-triggered
// like NetpollCore, and one buffer for all its connections; the first accepts for all, in turn.
// What a socket does not take at once waits in memory of the connection until it can be written.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { buffer_size = 256 * 1024, batch = 256 };

struct connection {
    int fd;
    char *rest;
    size_t rest_begin, rest_end;
};

static int port, threads, listener, *queues;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on_port(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(fd, 4096) != 0) fail("listen");
    return fd;
}

static void watch(int queue, int operation, struct connection *connection, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(queue, operation, connection->fd, &event) != 0) fail("epoll_ctl");
}

static void accept_all(void) {
    static unsigned next;
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *connection = calloc(1, sizeof *connection);
        connection->fd = fd;
        watch(queues[next++ % threads], EPOLL_CTL_ADD, connection, EPOLLIN | EPOLLRDHUP);
    }
}

static void end(struct connection *connection) {
    close(connection->fd);
    free(connection->rest);
    free(connection);
}

// Returns false when the connection is over.
static int send_rest(int queue, struct connection *connection) {
    size_t size = connection->rest_end - connection->rest_begin;
    ssize_t sent = send(connection->fd, connection->rest + connection->rest_begin, size, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    connection->rest_begin += sent;
    if (connection->rest_begin == connection->rest_end) {
        free(connection->rest);
        connection->rest = NULL;
        watch(queue, EPOLL_CTL_MOD, connection, EPOLLIN | EPOLLRDHUP);
    }
    return 1;
}

static int echo(int queue, struct connection *connection, char *buffer) {
    ssize_t count = read(connection->fd, buffer, buffer_size);
    if (count == 0 || (count < 0 && errno != EAGAIN)) return 0;
    if (count < 0) return 1;
    ssize_t sent = send(connection->fd, buffer, count, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return 0;
    if (sent < 0) sent = 0;
    if (sent == count) return 1;
    connection->rest_begin = 0;
    connection->rest_end = count - sent;
    connection->rest = malloc(connection->rest_end);
    memcpy(connection->rest, buffer + sent, connection->rest_end);
    watch(queue, EPOLL_CTL_MOD, connection, EPOLLOUT);
    return 1;
}

static void *serve(void *number) {
    int queue = queues[(long)number];
    char *buffer = malloc(buffer_size);
    struct epoll_event events[batch];
    for (;;) {
        int count = epoll_wait(queue, events, batch, -1);
        for (int index = 0; index < count; index++) {
            struct connection *connection = events[index].data.ptr;
            if (!connection) {
                accept_all();
                continue;
            }
            int lives = connection->rest ? send_rest(queue, connection)
                                         : echo(queue, connection, buffer);
            if (!lives) end(connection);
        }
    }
    return NULL;
}

int main(int count, char **arguments) {
    // A parent that starts us on a thread of its own may have blocked all signals there.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (count != 3) {
        fprintf(stderr, "usage: c-echo-server PORT THREADS\n");
        return 2;
    }
    port = atoi(arguments[1]);
    threads = atoi(arguments[2]);
    listener = listen_on_port();
    queues = calloc(threads, sizeof *queues);
    for (long index = 0; index < threads; index++) queues[index] = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(queues[0], EPOLL_CTL_ADD, listener, &event) != 0) fail("epoll_ctl");
    for (long index = 0; index < threads; index++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)index) != 0) fail("pthread_create");
    }
    printf("c-echo-server: ready on tcp://127.0.0.1:%d, %d threads\n", port, threads);
    fflush(stdout);
    pause();
    return 0;
}
