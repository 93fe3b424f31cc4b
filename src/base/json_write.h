/**
 * base/json_write.h: JSON text written straight into a buf, without a tree (RFC 8259).
 *
 *     struct json_writer w;
 *     jw_begin(&w, &buf);
 *     jw_object(&w, NULL);
 *     jw_text(&w, "type", "session.update");
 *     jw_end(&w);
 *     if (jw_finish(&w)) …
 *
 * Keys are ours (ASCII, not escaped); values are anybody's: escaped, bytes that are not UTF-8
 * become U+FFFD. In an array the key is NULL. Errors stick to the buf, so one check at the end is
 * enough.
 */
#ifndef VA_BASE_JSON_WRITE_H
#define VA_BASE_JSON_WRITE_H

#include "base/buf.h"

enum { JSON_WRITE_DEPTH_MAX = 32 };

struct json_writer {
    struct buf *out;
    uint32_t array; /**< bit per level: it is an array */
    uint32_t used;  /**< bit per level: it has a member */
    int depth;
};

void jw_begin(struct json_writer *w, struct buf *out);
void jw_object(struct json_writer *w, const char *key);
void jw_array(struct json_writer *w, const char *key);
/** Close the innermost object or array. */
void jw_end(struct json_writer *w);
/** NULL is written as "". */
void jw_text(struct json_writer *w, const char *key, const char *z);
void jw_str(struct json_writer *w, const char *key, struct str s);
void jw_int(struct json_writer *w, const char *key, int64_t n);
/** Thousandths, so that no locale and no rounding comes in: 500 is written as 0.500. */
void jw_milli(struct json_writer *w, const char *key, int64_t n);
void jw_bool(struct json_writer *w, const char *key, bool b);
void jw_null(struct json_writer *w, const char *key);
/** @return VA_OK, VA_ELIMIT, VA_ENOMEM (of the buf), VA_EINVAL (levels left open or too deep) */
VA_CHECK enum va_err jw_finish(struct json_writer *w);

/** Append `s` escaped, without quotes. */
enum va_err jw_escape(struct buf *out, struct str s);

#endif
