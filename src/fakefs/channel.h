/**
 * fakefs/channel.h: a FreeSWITCH channel as its events show it: identity, state, variables.
 *
 * I/O-free. Header names, their order and their values are those of the recordings of FreeSWITCH
 * 1.10.12 (a call that came in by SIP).
 */
#ifndef VA_FAKEFS_CHANNEL_H
#define VA_FAKEFS_CHANNEL_H

#include "base/clock.h"
#include "base/rand.h"
#include "fakefs/event.h"

enum { FAKEFS_VARS_MAX = 512, FAKEFS_NAME_MAX = 256 };

struct fakefs_var {
    char *name, *value;
};

/** Where the channel's state machine stands. */
enum fakefs_cs {
    CS_ROUTING = 2,
    CS_SOFT_EXECUTE = 3,
    CS_EXECUTE = 4,
    CS_PARK = 6,
    CS_HIBERNATE = 8,
    CS_RESET = 9,
    CS_HANGUP = 10,
    CS_REPORTING = 11
};

struct fakefs_channel {
    const struct va_clock *clock;
    char uuid[UUID_TEXT];
    char number[FAKEFS_NAME_MAX];    /**< destination number */
    char rdnis[FAKEFS_NAME_MAX];     /**< number before the last transfer */
    char from[FAKEFS_NAME_MAX];      /**< caller's number */
    char from_name[FAKEFS_NAME_MAX]; /**< caller's name */
    char context[FAKEFS_NAME_MAX];
    char name[2 * FAKEFS_NAME_MAX]; /**< "sofia/internal/5511…@127.0.0.1" */
    char codec[16];
    unsigned rate_hz;
    bool answered;
    enum fakefs_cs state;      /**< printed as Channel-State */
    enum fakefs_cs next_state; /**< printed as Channel-State-Number; runs ahead of `state` */
    const char *call_state;    /**< "RINGING", "ACTIVE", "HANGUP" */
    char cause[64];            /**< hang-up cause, "" while up */
    char other_leg[UUID_TEXT]; /**< "" or who it is (or was) bridged to */
    int64_t created_us, answered_us, hangup_us, transfer_us; /**< wall */
    char transfer_source[3 * FAKEFS_NAME_MAX]; /**< of the last transfer or uuid_bridge */
    unsigned profile_index;
    char digits[128]; /**< dialed so far */
    struct fakefs_var var[FAKEFS_VARS_MAX];
    size_t var_count;
};

/** `rate_hz` picks the codec: 8000 PCMU, 16000 G722, else opus. uuid "" makes one. */
struct fakefs_caller {
    const char *uuid, *number, *from, *from_name, *context;
    unsigned rate_hz;
    bool unanswered; /**< the dialplan did not answer before `socket` */
};
void fakefs_channel_init(struct fakefs_channel *ch, const struct fakefs_caller *who,
                         const struct va_clock *clock);
void fakefs_channel_free(struct fakefs_channel *ch);

/** Set (moves to the end) or, with a NULL or empty value, delete. Beyond FAKEFS_VARS_MAX ignored.
 */
void fakefs_channel_set(struct fakefs_channel *ch, const char *name, const char *value);
/** NULL when unset. */
const char *fakefs_channel_get(const struct fakefs_channel *ch, const char *name);
bool fakefs_channel_is_true(const struct fakefs_channel *ch, const char *name);

/** Q.850 code of a cause name (NORMAL_CLEARING 16 …), 0 when unknown. */
int fakefs_cause_q850(const char *cause);

/**
 * New event of this channel with everything FreeSWITCH puts before the event's own headers.
 * DTMF and CHANNEL_STATE carry no variables, CHANNEL_DATA carries the Channel-* copy of the
 * profile.
 *
 * @return NULL when out of memory
 */
struct fakefs_event *fakefs_channel_event(const struct fakefs_channel *ch, const char *name);
/** Event without a channel (BACKGROUND_JOB). */
struct fakefs_event *fakefs_bare_event(const struct va_clock *clock, const char *name);

#endif
