/**
 * fakefs/command.h: what a program sends to FreeSWITCH's Event Socket, cut into commands.
 *
 * I/O-free and incremental, with mod_event_socket's own rules (esl.md §1.3): leading CR and LF are
 * discarded, two LF end a header block (CRs between them are ignored), lines are cut at the first
 * CR anywhere in the rest of the block, else at the first LF, `Content-Length: n` adds n body
 * bytes.
 *
 *     add(bytes) … ──► next() ──► command │ VA_EAGAIN (more bytes) │ VA_EPROTO (close)
 */
#ifndef VA_FAKEFS_COMMAND_H
#define VA_FAKEFS_COMMAND_H

#include "base/buf.h"

enum { FAKEFS_HEADERS_MAX = 64, FAKEFS_INPUT_MAX = 1 << 20 /* [bytes] */ };

struct fakefs_header {
    struct str name, value;
};

/** One command. All slices borrow from the parser until its next add() or next(). */
struct fakefs_command {
    struct str line; /**< "api uuid_exists …", "sendmsg", … */
    struct fakefs_header header[FAKEFS_HEADERS_MAX];
    size_t header_count; /**< further headers are dropped */
    struct str body;
};

struct fakefs_parser {
    struct buf in;
    size_t scanned; /**< bytes of `in` known to hold no end of the block */
    size_t used;    /**< bytes of the command given out last */
};

void fakefs_parser_init(struct fakefs_parser *p);
void fakefs_parser_free(struct fakefs_parser *p);
/** @return VA_OK, VA_ELIMIT (more than FAKEFS_INPUT_MAX unread bytes), VA_ENOMEM */
VA_CHECK enum va_err fakefs_parser_add(struct fakefs_parser *p, const void *bytes, size_t len);
/**
 * Next complete command.
 *
 * @return VA_OK, VA_EAGAIN (nothing complete yet), VA_EPROTO (Content-Length negative, not a
 *         number or above FAKEFS_INPUT_MAX; the stream is lost)
 */
VA_CHECK enum va_err fakefs_parser_next(struct fakefs_parser *p, struct fakefs_command *ret);
/** True while half a command waits: FreeSWITCH then delivers no events. */
bool fakefs_parser_partial(const struct fakefs_parser *p);

/** Value of the first header of that name (case-insensitive), or an empty slice. */
struct str fakefs_command_header(const struct fakefs_command *c, const char *name);

#endif
