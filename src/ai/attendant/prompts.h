/**
 * ai/attendant/prompts.h: what the attendant says. Every text is a prompt with a key; a secretary
 * may replace any of them (`prompts:` in its YAML).
 *
 * In a prompt, {company}, {name}, {destination}, {options} and {menu} are replaced.
 */
#ifndef VA_AI_ATTENDANT_PROMPTS_H
#define VA_AI_ATTENDANT_PROMPTS_H

#include "base/buf.h"
#include "model/secretary.h"

#define PROMPT_MAP(X)                                                                              \
    X(GREETING, "greeting")                                                                        \
    X(MENU, "menu")                                                                                \
    X(NOT_UNDERSTOOD, "not-understood")                                                            \
    X(GIVE_UP, "give-up")                 /* not understood again: to the default destination */   \
    X(GIVE_UP_MESSAGE, "give-up-message") /* likewise, but there is none */                        \
    X(CONFIRM, "confirm")                                                                          \
    X(TRANSFERRING, "transferring")                                                                \
    X(TRANSFER_FAILED, "transfer-failed")                                                          \
    X(TRANSFER_BUSY, "transfer-busy")                                                              \
    X(TRANSFER_NO_ANSWER, "transfer-no-answer")                                                    \
    X(TRANSFER_RETURNED, "transfer-returned") /* the human hung up, TRANSFER_RETURN=always */      \
    X(MESSAGE_START, "message-start")                                                              \
    X(MESSAGE_TAKEN, "message-taken")                                                              \
    X(MESSAGE_EMPTY, "message-empty")                                                              \
    X(MESSAGE_FAILED, "message-failed")                                                            \
    X(ANYTHING_ELSE, "anything-else")                                                              \
    X(GO_ON, "go-on")                                                                              \
    X(STILL_THERE, "still-there")                                                                  \
    X(FAREWELL, "farewell")                                                                        \
    X(TIME_UP, "time-up")                                                                          \
    X(HOLD_ON, "hold-on")                                                                          \
    X(REPEAT, "repeat") /* the caller's words were lost */                                         \
    X(FILLER, "filler") /* of ai/chain, in the embedded voice, while another provider begins */

enum prompt {
#define X(sym, key) PROMPT_##sym,
    PROMPT_MAP(X)
#undef X
        PROMPT_COUNT
};

/** Key of a prompt, as in `prompts:`. */
const char *prompt_key(enum prompt prompt);
/** True when `key` is one of them. */
bool prompt_key_known(const char *key);
/** The key that is spelled most like it. */
const char *prompt_key_nearest(const char *key);

/**
 * Append a prompt as this secretary says it, with everything replaced.
 *
 * @param destination  For {destination}; may be NULL
 * @return VA_OK, VA_ELIMIT, VA_ENOMEM (also kept in out->err)
 */
enum va_err prompt_add(struct buf *out, const struct secretary *s, enum prompt prompt,
                       const char *destination);

#endif
