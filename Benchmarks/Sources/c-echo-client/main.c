// Load for raw echo servers: the same client for every server, so that its cost is the same.
//
// Usage: c-echo-client PORT THREADS CONNECTIONS ACTIVE SIZE SECONDS. Opens CONNECTIONS connections,
// keeps one message of SIZE bytes under way on ACTIVE of them, and checks that each comes back as it
// was sent: its first eight bytes are a number, and differ from message to message. Prints what
// c_load.h says.

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "c_load.h"

struct connection {
    int fd;
    int waits_to_write;
    size_t sent, received;
    // The first bytes of the message under way.
    uint64_t number;
    uint64_t begun;
};

static int port, threads, connections, active, size;

static void watch(int queue, int operation, struct connection *connection, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(queue, operation, connection->fd, &event) != 0) load_fail("epoll_ctl");
}

static void send_message(int queue, struct connection *connection, char *message) {
    memcpy(message, &connection->number, sizeof connection->number);
    while (connection->sent < (size_t)size) {
        ssize_t count = send(
            connection->fd, message + connection->sent, size - connection->sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) {
            if (!connection->waits_to_write) {
                watch(queue, EPOLL_CTL_MOD, connection, EPOLLIN | EPOLLOUT);
                connection->waits_to_write = 1;
            }
            return;
        }
        if (count < 0) load_fail("send");
        connection->sent += count;
    }
    if (connection->waits_to_write) {
        watch(queue, EPOLL_CTL_MOD, connection, EPOLLIN);
        connection->waits_to_write = 0;
    }
}

static void begin(int queue, struct connection *connection, char *message) {
    connection->number++;
    connection->begun = load_now();
    connection->sent = connection->received = 0;
    send_message(queue, connection, message);
}

// Returns whether the message has come back whole.
static int receive(struct connection *connection, char *buffer, const char *rest) {
    // Not more than the one message: whatever follows it would be wrong.
    ssize_t got = recv(connection->fd, buffer, size, 0);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) load_wrong("the server closed a connection");
    if (connection->received + got > (size_t)size) load_wrong("more came back than was sent");
    const size_t head = sizeof connection->number;
    size_t skipped = 0;
    if (connection->received < head) {
        skipped = head - connection->received < (size_t)got ? head - connection->received : got;
        const char *number = (const char *)&connection->number;
        if (memcmp(buffer, number + connection->received, skipped) != 0) {
            load_wrong("another message came back");
        }
    }
    if (memcmp(buffer + skipped, rest, got - skipped) != 0) load_wrong("another message came back");
    connection->received += got;
    return connection->received == (size_t)size;
}

static void run(struct load_thread *thread) {
    int queue = epoll_create1(EPOLL_CLOEXEC), number = thread->number;
    int first = (long)connections * number / threads, last = (long)connections * (number + 1) / threads;
    int busy = (long)active * (number + 1) / threads - (long)active * number / threads;
    struct connection *mine = calloc(last - first, sizeof *mine);
    for (int index = first; index < last; index++) mine[index - first].fd = load_dial(port, index);
    char *message = malloc(size), *buffer = malloc(size), *rest = malloc(size);
    memset(message, 'x', size);
    memset(rest, 'x', size);
    load_connected();
    for (int index = 0; index < busy; index++) {
        // Spread over all, so that neighbours of active connections are idle.
        struct connection *connection = &mine[(long)index * (last - first) / busy];
        watch(queue, EPOLL_CTL_ADD, connection, EPOLLIN);
        begin(queue, connection, message);
    }
    struct epoll_event events[256];
    for (;;) {
        enum load_phase phase = load_current();
        if (phase == load_over && load_drained(busy)) break;
        int ready = epoll_wait(queue, events, 256, 100);
        for (int index = 0; index < ready; index++) {
            struct connection *connection = events[index].data.ptr;
            if (events[index].events & EPOLLOUT) send_message(queue, connection, message);
            if (!(events[index].events & ~EPOLLOUT)) continue;
            if (!receive(connection, buffer, rest)) continue;
            thread->calls++;
            if (phase == load_measuring) {
                load_record(&thread->histogram, load_now() - connection->begun);
            }
            if (phase == load_over) {
                busy--;
            } else {
                begin(queue, connection, message);
            }
        }
    }
}

int main(int count, char **arguments) {
    load_prepare();
    if (count != 7) {
        load_wrong("usage: c-echo-client PORT THREADS CONNECTIONS ACTIVE SIZE SECONDS");
    }
    port = atoi(arguments[1]);
    threads = atoi(arguments[2]);
    connections = atoi(arguments[3]);
    active = atoi(arguments[4]);
    size = atoi(arguments[5]);
    if (threads < 1 || active < threads || connections < active || size < 8) {
        load_wrong("c-echo-client: 1 <= THREADS <= ACTIVE <= CONNECTIONS and SIZE >= 8");
    }
    load_run(threads, atof(arguments[6]), run);
    return 0;
}
