/**
 * model/record.h: what is kept of a call. Fixed-size values and borrowed texts; the store copies.
 */
#ifndef VA_MODEL_RECORD_H
#define VA_MODEL_RECORD_H

#include "base/rand.h"

#include <stdbool.h>
#include <stdint.h>

/** Who said a transcript line. */
enum speaker { SPEAKER_CALLER, SPEAKER_AGENT, SPEAKER_SYSTEM };

/** How a call ended for the caller. */
#define CALL_OUTCOME_MAP(X)                                                                        \
    X(CALL_RUNNING, "running")         /* not ended */                                             \
    X(CALL_COMPLETED, "completed")     /* farewell spoken, we hung up */                           \
    X(CALL_TRANSFERRED, "transferred") /* given to a destination */                                \
    X(CALL_CALLER_HUNG_UP, "hung-up")  /* the caller hung up */                                    \
    X(CALL_RETURNED, "returned")       /* given back to the dialplan (no audio, drain, …) */     \
    X(CALL_LOST, "lost")               /* the control connection died */                           \
    X(CALL_FAILED, "failed")           /* could not be served */

enum call_outcome {
#define X(sym, text) sym,
    CALL_OUTCOME_MAP(X)
#undef X
        CALL_OUTCOME_COUNT
};

/** "transferred" … Never NULL. */
const char *call_outcome_text(enum call_outcome outcome);

struct call_record {
    char id[UUID_TEXT]; /**< FreeSWITCH's Unique-ID of the caller's leg */
    char secretary_id[UUID_TEXT];
    char tenant[101];
    char caller_number[101], caller_name[101], called_number[101];
    int64_t started_us, answered_us, ended_us; /**< wall clock [µs since 1970]; 0: not yet */
    enum call_outcome outcome;
    char destination[101]; /**< number of a transfer, "" */
    char hangup_cause[64]; /**< FreeSWITCH's word, "" */
    char recording[512];   /**< path, "" */
    int32_t turns;         /**< answered turns of the caller */
};

struct transcript_line {
    enum speaker speaker;
    int64_t at_ms;     /**< since the call was answered [ms] */
    int32_t length_ms; /**< of the speech, what was heard of it [ms] */
    const char *text;  /**< borrowed */
};

/** A message that a caller left. */
struct message_record {
    char id[UUID_TEXT];
    char call_id[UUID_TEXT];
    char secretary_id[UUID_TEXT];
    char tenant[101];
    char caller_number[101], caller_name[101];
    int64_t taken_us;  /**< wall clock [µs] */
    int32_t length_ms; /**< of the audio */
    char audio[512];   /**< path of the WAV, "" */
    const char *text;  /**< what was understood, borrowed, "" */
};

#endif
