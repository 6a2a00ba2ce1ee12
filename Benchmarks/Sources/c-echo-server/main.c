// The yardstick of raw echo: what the same work costs in C, with the least code that does it.
//
// Usage: c-echo-server PORT THREADS. Each thread has an epoll instance and a listening socket of
// its own (SO_REUSEPORT), level-triggered like NetpollCore, and one buffer for all its connections.
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
    size_t rest_size;
};

static int port;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static int listen_on_port(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
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

static void accept_all(int queue, int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *connection = calloc(1, sizeof *connection);
        connection->fd = fd;
        watch(queue, EPOLL_CTL_ADD, connection, EPOLLIN | EPOLLRDHUP);
    }
}

static void end(struct connection *connection) {
    close(connection->fd);
    free(connection->rest);
    free(connection);
}

// Returns false when the connection is over.
static int send_rest(int queue, struct connection *connection) {
    ssize_t sent = send(connection->fd, connection->rest, connection->rest_size, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    connection->rest_size -= sent;
    memmove(connection->rest, connection->rest + sent, connection->rest_size);
    if (connection->rest_size == 0) {
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
    connection->rest_size = count - sent;
    connection->rest = malloc(connection->rest_size);
    memcpy(connection->rest, buffer + sent, connection->rest_size);
    watch(queue, EPOLL_CTL_MOD, connection, EPOLLOUT);
    return 1;
}

static void *serve(void *descriptor) {
    int queue = epoll_create1(EPOLL_CLOEXEC);
    struct connection listener = {.fd = (int)(long)descriptor};
    watch(queue, EPOLL_CTL_ADD, &listener, EPOLLIN);
    char *buffer = malloc(buffer_size);
    struct epoll_event events[batch];
    for (;;) {
        int count = epoll_wait(queue, events, batch, -1);
        for (int index = 0; index < count; index++) {
            struct connection *connection = events[index].data.ptr;
            if (connection == &listener) {
                accept_all(queue, listener.fd);
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
    int threads = atoi(arguments[2]);
    for (int index = 0; index < threads; index++) {
        pthread_t thread;
        void *descriptor = (void *)(long)listen_on_port();
        if (pthread_create(&thread, NULL, serve, descriptor) != 0) fail("pthread_create");
    }
    printf("c-echo-server: ready on tcp://127.0.0.1:%d, %d threads\n", port, threads);
    fflush(stdout);
    pause();
    return 0;
}
