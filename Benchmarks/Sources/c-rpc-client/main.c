// Load for RPC servers that costs little itself, and the limit of an RPC client.
//
// Usage: c-rpc-client PORT THREADS CONNECTIONS ACTIVE CALLERS SIZE SECONDS RATE. Opens CONNECTIONS
// connections, spreads CALLERS callers over ACTIVE of them, and makes unary calls of echo.Echo/Echo
// in TTHeaderFramed (Docs/Protocol.md) with a text of SIZE bytes. With RATE 0 each caller makes its
// next call when the last one has ended. Otherwise RATE calls a second begin at fixed times, up to
// CALLERS of them under way, and latency counts from the time a call was meant to begin. All calls
// that are to be made after a read are sent with one write. Checks that every reply has the sequence
// id of a call that waits, the right method, and the text that was sent. Prints what c_load.h says.

#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include "c_load.h"

enum { read_size = 64 * 1024 };

struct call {
    uint32_t sequence;
    uint64_t begun;
};

struct connection {
    int fd;
    int waits_to_write;
    char *input, *output;
    size_t input_size, input_capacity, output_begin, output_end, output_capacity;
    // The calls under way, and which places among them are free.
    struct call *calls;
    uint32_t *free_places;
    uint32_t free_count;
    uint32_t generation;
};

static int port, threads, connections, active, callers, size;
static double rate;
static char *request, *body;
static size_t request_size, message_at, body_size, sequence_at;

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

static size_t put_varint(char *bytes, size_t value) {
    size_t count = 0;
    for (; value >= 128; value >>= 7) bytes[count++] = (char)(value | 128);
    bytes[count++] = (char)value;
    return count;
}

// The request that is sent again and again: what this toolkit's own client writes.
static void make_request(void) {
    static const char header[] =
        "\0\0"
        "\x01\0\1\0\3isn\0\4Echo"
        "\x10\0\7\0\1\0\6framed\0\6\0\4Echo\0\11\0\4Echo\0\26\0\1" "1\0\3\0\0\0\24\0\0\0\14\0\4" "5000";
    const size_t header_size = (sizeof header - 1 + 3) / 4 * 4;
    request = calloc(1, 14 + header_size + 64 + size);
    message_at = 14 + header_size;
    char *message = request + message_at;
    memcpy(message + 4, "\x90\1\0\1\0\0\0\4Echo", 12);
    sequence_at = message_at + 16;
    body = message + 20;
    body_size = 4;
    memcpy(body, "\12\2hi", 4);
    if (size > 0) {
        body[body_size++] = 0x12;
        body_size += put_varint(body + body_size, size);
        memset(body + body_size, 'x', size);
        body_size += size;
    }
    request_size = message_at + 20 + body_size;
    write32(message, 16 + body_size);
    write32(request, request_size - 4);
    memcpy(request + 4, "\x10\0\0\1", 4);
    request[12] = (char)(header_size / 4 >> 8);
    request[13] = (char)(header_size / 4);
    memcpy(request + 14, header, sizeof header - 1);
}

static void watch(int queue, int operation, struct connection *connection, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(queue, operation, connection->fd, &event) != 0) load_fail("epoll_ctl");
}

static void flush(int queue, struct connection *connection) {
    while (connection->output_begin < connection->output_end) {
        ssize_t sent = send(
            connection->fd, connection->output + connection->output_begin,
            connection->output_end - connection->output_begin, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) {
            if (!connection->waits_to_write) watch(queue, EPOLL_CTL_MOD, connection, EPOLLIN | EPOLLOUT);
            connection->waits_to_write = 1;
            return;
        }
        if (sent < 0) load_fail("send");
        connection->output_begin += sent;
    }
    connection->output_begin = connection->output_end = 0;
    if (connection->waits_to_write) watch(queue, EPOLL_CTL_MOD, connection, EPOLLIN);
    connection->waits_to_write = 0;
}

static void begin(struct connection *connection, uint64_t now) {
    if (connection->free_count == 0) load_wrong("more calls are under way than CALLERS allows");
    uint32_t place = connection->free_places[--connection->free_count];
    uint32_t sequence = ++connection->generation << 16 | place;
    connection->calls[place] = (struct call){sequence, now};
    if (connection->output_capacity - connection->output_end < request_size) {
        connection->output_capacity = 2 * connection->output_capacity + request_size;
        connection->output = realloc(connection->output, connection->output_capacity);
    }
    char *target = connection->output + connection->output_end;
    memcpy(target, request, request_size);
    write32(target + 8, sequence);
    write32(target + sequence_at, sequence);
    connection->output_end += request_size;
}

static void check(const char *frame, size_t size, uint32_t sequence) {
    size_t message = 14 + 4 * (size_t)read16(frame + 12);
    if (read16(frame + 4) != 0x1000 || message + 20 > size) load_wrong("a reply is no frame");
    if (read32(frame + message + 4) != 0x90010002) load_wrong("a call failed");
    if (memcmp(frame + message + 8, "\0\0\0\4Echo", 8) != 0) load_wrong("a reply has another method");
    if (read32(frame + message + 16) != sequence) load_wrong("a reply has two sequence ids");
    if (message + 20 + body_size != size || memcmp(frame + message + 20, body, body_size) != 0) {
        load_wrong("another message came back");
    }
}

// Returns how many calls ended without another one that took their places.
static int receive(struct connection *connection, struct load_thread *thread, enum load_phase phase) {
    ssize_t got = recv(
        connection->fd, connection->input + connection->input_size,
        connection->input_capacity - connection->input_size, 0);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got <= 0) load_wrong("the server closed a connection");
    connection->input_size += got;
    int ended = 0;
    uint64_t now = load_now();
    size_t at = 0;
    while (connection->input_size - at >= 14) {
        const char *frame = connection->input + at;
        size_t size = 4 + (size_t)read32(frame);
        if (size > connection->input_capacity) load_wrong("a reply is too large");
        if (connection->input_size - at < size) break;
        uint32_t sequence = read32(frame + 8), place = sequence & 0xFFFF;
        if (place >= (uint32_t)callers || connection->calls[place].sequence != sequence) {
            load_wrong("a reply came that no call waits for");
        }
        check(frame, size, sequence);
        if (phase == load_measuring) load_record(&thread->histogram, now - connection->calls[place].begun);
        thread->calls++;
        connection->calls[place].sequence = 0;
        connection->free_places[connection->free_count++] = place;
        if (rate == 0 && phase != load_over) {
            begin(connection, now);
        } else {
            ended++;
        }
        at += size;
    }
    connection->input_size -= at;
    memmove(connection->input, connection->input + at, connection->input_size);
    return ended;
}

// Begins the calls whose time has come; returns the time of the next one.
static double begin_due(
    int queue, struct connection **mine, int count, double next, double gap, uint64_t *under_way) {
    static _Thread_local unsigned turn;
    double now = load_now();
    for (; next <= now; next += gap) {
        begin(mine[turn++ % count], next);
        (*under_way)++;
    }
    for (int index = 0; index < count; index++) {
        if (mine[index]->output_end > 0 && !mine[index]->waits_to_write) flush(queue, mine[index]);
    }
    return next;
}

static void run(struct load_thread *thread) {
    int queue = epoll_create1(EPOLL_CLOEXEC), number = thread->number;
    int first = (long)connections * number / threads, last = (long)connections * (number + 1) / threads;
    int first_busy = (long)active * number / threads;
    int busy = (long)active * (number + 1) / threads - first_busy;
    struct connection *all = calloc(last - first, sizeof *all), **mine = calloc(busy, sizeof *mine);
    for (int index = first; index < last; index++) all[index - first].fd = load_dial(port, index);
    load_connected();
    uint64_t under_way = 0;
    for (int index = 0; index < busy; index++) {
        // Spread over all, so that neighbours of active connections are idle.
        struct connection *connection = mine[index] = &all[(long)index * (last - first) / busy];
        watch(queue, EPOLL_CTL_ADD, connection, EPOLLIN);
        connection->input_capacity = 2 * request_size + read_size;
        connection->input = malloc(connection->input_capacity);
        connection->calls = calloc(callers, sizeof *connection->calls);
        connection->free_places = calloc(callers, sizeof *connection->free_places);
        for (int place = callers - 1; place >= 0; place--) {
            connection->free_places[connection->free_count++] = place;
        }
        if (rate > 0) continue;
        int share = callers / active + (first_busy + index < callers % active);
        for (int caller = 0; caller < share; caller++) begin(connection, load_now());
        under_way += share;
        flush(queue, connection);
    }
    double gap = rate > 0 ? 1e9 * threads / rate : 0;
    double next = load_now() + gap * number / threads;
    struct epoll_event events[256];
    for (;;) {
        enum load_phase phase = load_current();
        if (phase == load_over && load_drained(under_way)) break;
        struct timespec wait = {0, 100000000};
        if (rate > 0 && phase != load_over) {
            next = begin_due(queue, mine, busy, next, gap, &under_way);
            double now = load_now();
            wait.tv_nsec = next > now ? next - now : 0;
        }
        int ready = epoll_pwait2(queue, events, 256, &wait, NULL);
        for (int index = 0; index < ready; index++) {
            struct connection *connection = events[index].data.ptr;
            if (events[index].events & ~EPOLLOUT) {
                under_way -= receive(connection, thread, phase);
            }
            if (!connection->waits_to_write || events[index].events & EPOLLOUT) {
                flush(queue, connection);
            }
        }
    }
}

int main(int count, char **arguments) {
    load_prepare();
    if (count != 9) {
        load_wrong("usage: c-rpc-client PORT THREADS CONNECTIONS ACTIVE CALLERS SIZE SECONDS RATE");
    }
    port = atoi(arguments[1]);
    threads = atoi(arguments[2]);
    connections = atoi(arguments[3]);
    active = atoi(arguments[4]);
    callers = atoi(arguments[5]);
    size = atoi(arguments[6]);
    rate = atof(arguments[8]);
    if (threads < 1 || active < threads || connections < active || callers < active
        || callers > 0xFFFF || size < 0) {
        load_wrong(
            "c-rpc-client: 1 <= THREADS <= ACTIVE <= CONNECTIONS, ACTIVE <= CALLERS < 65536, SIZE >= 0");
    }
    make_request();
    load_run(threads, atof(arguments[7]), run);
    return 0;
}
