#include "c_codec.h"
#include "bench.pb-c.h"
#include <stdlib.h>

struct CodecMessage {
    ProtobufCMessage *message;
    uint8_t *buffer;
};

static const ProtobufCMessageDescriptor *descriptor(int type) {
    switch (type) {
    case CODEC_TEXT: return &bench__text__descriptor;
    case CODEC_ORDER: return &bench__order__descriptor;
    default: return &bench__listing__descriptor;
    }
}

CodecMessage *codec_make(int type, const uint8_t *bytes, size_t count) {
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor(type), NULL, count, bytes);
    if (!message) return NULL;
    CodecMessage *result = malloc(sizeof *result);
    result->message = message;
    result->buffer = malloc(protobuf_c_message_get_packed_size(message));
    return result;
}

size_t codec_encode(const CodecMessage *message, size_t iterations) {
    size_t sum = 0;
    for (size_t i = 0; i < iterations; i++) {
        sum += protobuf_c_message_get_packed_size(message->message);
        sum += protobuf_c_message_pack(message->message, message->buffer);
    }
    return sum;
}

struct arena {
    uint8_t *memory;
    size_t used, size;
};

static void *arena_alloc(void *data, size_t size) {
    struct arena *arena = data;
    size_t rounded = (size + 7) & ~(size_t)7;
    if (rounded > arena->size - arena->used) return NULL;
    void *result = arena->memory + arena->used;
    arena->used += rounded;
    return result;
}

static void arena_free(void *data, void *pointer) {}

size_t codec_decode(int type, const uint8_t *bytes, size_t count, size_t iterations) {
    struct arena arena = {malloc(1 << 20), 0, 1 << 20};
    ProtobufCAllocator allocator = {arena_alloc, arena_free, &arena};
    size_t failures = 0;
    for (size_t i = 0; i < iterations; i++) {
        arena.used = 0;
        if (!protobuf_c_message_unpack(descriptor(type), &allocator, count, bytes)) failures++;
    }
    free(arena.memory);
    return failures;
}
