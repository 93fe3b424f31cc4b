/**
 * ai/realtime/json_fast.h: top-level members of a JSON object without a tree. An audio delta is a
 * few short strings and one long one; building a tree of it costs more than decoding it.
 *
 * Finds the wanted members of the outermost object when they are strings without escapes; anything
 * else (escapes in a wanted value or a key, a wanted key twice, malformed text) is answered with
 * "use json-c". Where it answers yes, json-c finds the same. Any thread.
 */
#ifndef VA_AI_REALTIME_JSON_FAST_H
#define VA_AI_REALTIME_JSON_FAST_H

#include "base/str.h"

enum { JSON_FAST_DEPTH_MAX = 32 };

struct json_want {
    const char *key;
    struct str value; /**< out: borrowed from the text; p NULL when absent or not a string */
};

/**
 * Read `count` members in one pass over the whole text (its end too: trailing bytes are an error).
 *
 * @return false: not sure, parse it in full
 */
VA_CHECK bool json_fast(struct str text, struct json_want *want, size_t count);

#endif
