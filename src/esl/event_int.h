/** esl/event_int.h: inside of struct esl_event, for event*.c only. */
#ifndef VA_ESL_EVENT_INT_H
#define VA_ESL_EVENT_INT_H

#include "esl/event.h"

/* How the bytes of a value (or a name) become text. */
enum esl_coding { ESL_CODING_RAW, ESL_CODING_PERCENT, ESL_CODING_JSON, ESL_CODING_XML };

struct esl_header {
    uint32_t name_at, name_len; /* in raw; in the mirror when name_mirrored */
    uint32_t value_at, value_len;
    uint8_t coding;
    bool name_mirrored;
    bool array; /* a JSON array: the value is what stands between the brackets */
};

struct esl_event {
    const char *raw;
    size_t len;
    char *mirror; /* byte i.. holds what raw byte i.. decodes to; decoding never grows */
    size_t mirror_cap;
    struct esl_header *h;
    uint8_t *name_lens; /* of h, up to 255: a name is looked for among those of its length */
    size_t count, cap;
    enum esl_format format;
    bool flawed;
    bool out_of_memory;
    bool has_body;
    uint8_t body_coding;
    uint32_t body_at, body_len;
    char *owned; /* the bytes of a dup */
};

/* Room for one more in the index. False: stop scanning (limit or memory). */
bool esl_event_grow(struct esl_event *ev);

/* Append to the index; false as esl_event_grow(). Inline and written in place: it runs a hundred
 * times per event, and a header made elsewhere costs more to copy than to make. */
static inline bool esl_event_add(struct esl_event *ev, struct esl_header h)
{
    if (ev->count >= ev->cap && !esl_event_grow(ev))
        return false;
    struct esl_header *to = &ev->h[ev->count];
    to->name_at = h.name_at;
    to->name_len = h.name_len;
    to->value_at = h.value_at;
    to->value_len = h.value_len;
    to->coding = h.coding;
    to->name_mirrored = h.name_mirrored;
    to->array = h.array;
    ev->name_lens[ev->count++] = h.name_len < 255 ? (uint8_t)h.name_len : 255;
    return true;
}
void esl_event_set_body(struct esl_event *ev, size_t at, size_t len, enum esl_coding coding);

void esl_event_scan_plain(struct esl_event *ev);
void esl_event_scan_json(struct esl_event *ev);
void esl_event_scan_xml(struct esl_event *ev);

/* First byte behind the JSON string whose opening quote is at `at`; 0 when it does not end. */
size_t esl_json_string_end(const char *p, size_t len, size_t at);

/* Decode n bytes to `out` (room for n); never longer than the input. */
size_t esl_decode(enum esl_coding coding, const char *p, size_t n, char *out);

#endif
