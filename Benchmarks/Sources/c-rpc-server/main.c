// The limit of an RPC server: what it costs to read requests and to send replies that are ready.
//
// Usage: c-rpc-server PORT THREADS. Answers unary echo calls in TTHeaderFramed (Docs/Protocol.md).
// Each thread has an epoll instance; the first accepts for all, in turn. A connection makes its reply once,
// from the first request, and again when one has another size; for every request the reply is copied,
// with the request's sequence id in it. Requests are not decoded: their frames are found by length,
// magic and size of the header. All requests of a read are answered with one write.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { batch = 256, read_size = 64 * 1024, output_size = 1024 * 1024, frame_limit = 64 << 20 };

struct connection {
    int fd;
    int waits_to_write;
    char *input;
    size_t input_size, input_capacity;
    // The reply, the number of its bytes, where its message begins, and the size of the request's
    // message that it was made for.
    char *reply;
    size_t reply_size, reply_message, request_message_size;
    // What the socket has not taken yet: in `owned`, or in the reply.
    char *owned;
    const char *rest;
    size_t rest_size;
};

static int port, threads, listener, *queues;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint32_t read32(const char *bytes) {
    uint32_t value;
    memcpy(&value, bytes, 4);
    return be32toh(value);
}

static uint16_t read16(const char *bytes) {
    uint16_t value;
    memcpy(&value, bytes, 2);
    return be16toh(value);
}

static void write32(char *bytes, uint32_t value) {
    value = htobe32(value);
    memcpy(bytes, &value, 4);
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

// Returns whether the connection lives; what is not sent is in `rest`.
static int send_bytes(struct connection *connection, const char *bytes, size_t size, int is_reply) {
    ssize_t sent = send(connection->fd, bytes, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return 0;
    if (sent < 0) sent = 0;
    connection->rest_size = size - sent;
    if (connection->rest_size == 0) return 1;
    if (is_reply) {
        connection->rest = bytes + sent;
    } else {
        connection->owned = malloc(connection->rest_size);
        memcpy(connection->owned, bytes + sent, connection->rest_size);
        connection->rest = connection->owned;
    }
    return 1;
}

// Makes the reply to a request whose message begins at `message` and has `size` bytes behind its
// length: flags 0, and a header with the message's type alone.
static int make_reply(struct connection *connection, const char *message, size_t size) {
    static const char header[] = {0, 3, 0, 0, 0x10, 0, 1, 0, 22, 0, 1, '2', 0, 0};
    size_t message_at = 12 + sizeof header, total = message_at + 4 + size;
    if (read16(message + 4) != 0x9001 || read16(message + 6) != 1) return 0;
    connection->reply = realloc(connection->reply, total);
    connection->reply_size = total;
    connection->reply_message = message_at;
    connection->request_message_size = size;
    char *reply = connection->reply;
    write32(reply, total - 4);
    write32(reply + 4, 0x10000000);
    memcpy(reply + 12, header, sizeof header);
    memcpy(reply + message_at, message, 4 + size);
    write32(reply + message_at + 4, 0x90010002);
    return 1;
}

// Answers the requests that are whole. Returns whether the connection lives.
static int answer(struct connection *connection, char *output) {
    size_t at = 0, filled = 0;
    int lives = 1;
    while (lives && connection->rest_size == 0 && connection->input_size - at >= 14) {
        const char *frame = connection->input + at;
        size_t size = 4 + (size_t)read32(frame);
        size_t message_at = 14 + 4 * (size_t)read16(frame + 12);
        if (read16(frame + 4) != 0x1000 || size > frame_limit || message_at + 16 > size) return 0;
        if (size > connection->input_capacity) {
            connection->input_capacity = size + read_size;
            connection->input = realloc(connection->input, connection->input_capacity);
            break;
        }
        if (connection->input_size - at < size) break;
        const char *message = frame + message_at;
        size_t message_size = read32(message);
        if (message_at + 4 + message_size != size) return 0;
        if (!connection->reply || message_size != connection->request_message_size) {
            if (!make_reply(connection, message, message_size)) return 0;
        }
        char *target = connection->reply;
        int is_large = connection->reply_size > read_size;
        if (filled > 0 && (is_large || output_size - filled < connection->reply_size)) {
            lives = send_bytes(connection, output, filled, 0);
            filled = 0;
            continue;
        }
        if (!is_large) {
            target = output + filled;
            memcpy(target, connection->reply, connection->reply_size);
            filled += connection->reply_size;
        }
        size_t sequence = connection->reply_message + 12 + read32(message + 8);
        if (sequence + 4 > connection->reply_size) return 0;
        memcpy(target + 8, frame + 8, 4);
        memcpy(target + sequence, frame + 8, 4);
        at += size;
        if (is_large) lives = send_bytes(connection, target, connection->reply_size, 1);
    }
    if (lives && filled > 0) lives = send_bytes(connection, output, filled, 0);
    connection->input_size -= at;
    memmove(connection->input, connection->input + at, connection->input_size);
    return lives;
}

static int read_and_answer(struct connection *connection, char *output) {
    if (connection->input_capacity == 0) {
        connection->input_capacity = read_size;
        connection->input = malloc(read_size);
    }
    ssize_t count = recv(
        connection->fd, connection->input + connection->input_size,
        connection->input_capacity - connection->input_size, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN)) return 0;
    if (count > 0) connection->input_size += count;
    return answer(connection, output);
}

static int send_rest(struct connection *connection, char *output) {
    ssize_t sent = send(connection->fd, connection->rest, connection->rest_size, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    connection->rest += sent;
    connection->rest_size -= sent;
    if (connection->rest_size > 0) return 1;
    free(connection->owned);
    connection->owned = NULL;
    return answer(connection, output);
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
    free(connection->input);
    free(connection->reply);
    free(connection->owned);
    free(connection);
}

static void *serve(void *number) {
    int queue = queues[(long)number];
    char *output = malloc(output_size);
    struct epoll_event events[batch];
    for (;;) {
        int count = epoll_wait(queue, events, batch, -1);
        for (int index = 0; index < count; index++) {
            struct connection *connection = events[index].data.ptr;
            if (!connection) {
                accept_all();
                continue;
            }
            int lives = connection->rest_size > 0 ? send_rest(connection, output)
                                                  : read_and_answer(connection, output);
            int waits = connection->rest_size > 0;
            if (!lives) {
                end(connection);
            } else if (waits != connection->waits_to_write) {
                connection->waits_to_write = waits;
                watch(queue, EPOLL_CTL_MOD, connection, waits ? EPOLLOUT : EPOLLIN | EPOLLRDHUP);
            }
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
        fprintf(stderr, "usage: c-rpc-server PORT THREADS\n");
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
    printf("c-rpc-server: ready on tcp://127.0.0.1:%d, %d threads\n", port, threads);
    fflush(stdout);
    pause();
    return 0;
}
