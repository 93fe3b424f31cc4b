/**
 * esl/parser.h: bytes of an Event Socket connection in, messages out. No I/O, no clock.
 *
 *     message = header lines LF  LF  [ body of exactly Content-Length bytes ]
 *
 * Linear in its input however it is cut. A message that lies whole in the bytes fed is not copied;
 * one that is spread over several is collected first and memory follows the bytes received, never
 * the length announced. Source: esl.md §1.1, facts 2 and 4, §5 cases 1, 2, 11, 15, 17.
 */
#ifndef VA_ESL_PARSER_H
#define VA_ESL_PARSER_H

#include "esl/types.h"

enum esl_message_type {
    ESL_MSG_AUTH_REQUEST, /**< auth/request */
    ESL_MSG_REPLY,        /**< command/reply */
    ESL_MSG_API,          /**< api/response */
    ESL_MSG_EVENT,        /**< text/event-plain, -json, -xml */
    ESL_MSG_LOG,          /**< log/data */
    ESL_MSG_NOTICE,       /**< text/disconnect-notice */
    ESL_MSG_REJECTION,    /**< text/rude-rejection: our address is not welcome */
    ESL_MSG_OTHER         /**< unknown type, skipped by its length */
};

/** One message; everything in it is borrowed for the callback. */
struct esl_message {
    enum esl_message_type type;
    enum esl_format format; /**< of ESL_MSG_EVENT */
    struct str head;        /**< header lines, each with its LF; the blank line is not in it */
    struct str body;        /**< len 0 when there is none */
    bool spliced;           /**< a notice found inside another, cut message */
};

/** Header of a message: text behind the first ":" without one leading space; p NULL when absent. */
struct str esl_message_get(const struct esl_message *m, const char *name);
/** Reply-Text without its line end, percent-decoded nowhere. Empty when absent. */
struct str esl_message_reply_text(const struct esl_message *m);
/** True for the answer to `connect`: its header lines are an event in plain format. */
bool esl_message_is_channel_data(const struct esl_message *m);
/** Which notice an ESL_MSG_NOTICE is. */
enum esl_notice esl_message_notice(const struct esl_message *m);

/** @return false: stop, nothing more of this parser is wanted */
typedef bool(esl_message_h)(void *arg, const struct esl_message *m);

struct esl_parser_cfg {
    size_t head_max; /**< header lines of one message [bytes]; 0: 1 MiB */
    size_t body_max; /**< body of one message [bytes]; 0: 64 MiB */
};

struct esl_parser;

/** @param cfg  Copied; NULL is all defaults. @return VA_OK, VA_ENOMEM */
VA_CHECK enum va_err esl_parser_new(const struct esl_parser_cfg *cfg, esl_message_h *on_message,
                                    void *arg, struct esl_parser **ret_parser);
/** Not from inside on_message. NULL-safe. */
void esl_parser_free(struct esl_parser **p);

/**
 * Feed bytes; on_message runs for each message that is complete.
 *
 * @return VA_OK; VA_ECANCELED (on_message said stop); VA_EPROTO (not Event Socket, or a bad
 *         Content-Length); VA_ELIMIT (more than head_max or body_max); VA_ENOMEM. After a failure
 *         every further call returns the same.
 */
VA_CHECK enum va_err esl_parser_feed(struct esl_parser *p, const char *bytes, size_t len);

/**
 * The peer closed. A farewell notice that was written into the middle of an unfinished message is
 * found now and delivered.
 */
void esl_parser_end(struct esl_parser *p);

/**
 * A quiet time passed: deliver a `userauth` reply whose blank line was cut off by FreeSWITCH (case
 * 15), if that is what is waiting.
 */
void esl_parser_settle(struct esl_parser *p);

/** Bytes kept for an unfinished message. */
size_t esl_parser_pending(const struct esl_parser *p);

#endif
