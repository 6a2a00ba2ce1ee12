#include <stddef.h>
#include <stdint.h>

/// A message of the benchmark, decoded once.
typedef struct CodecMessage CodecMessage;

/// The types of messages.
enum { CODEC_TEXT = 0, CODEC_ORDER = 1, CODEC_LISTING = 2 };

/// Decodes a message to encode it later; NULL if it is not valid.
CodecMessage *codec_make(int type, const uint8_t *bytes, size_t count);
/// Measures and packs the message so many times.
size_t codec_encode(const CodecMessage *message, size_t iterations);
/// Unpacks the bytes so many times into an arena that is reset each time; the number of failures.
size_t codec_decode(int type, const uint8_t *bytes, size_t count, size_t iterations);
