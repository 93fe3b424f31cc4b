/**
 * fakefs/script.h: what a caller does and expects, one step per line. README.md has the table.
 *
 *     wait greeting within 3s
 *     say "quero falar com vendas"      # espeak-ng speaks it
 *     expect transfer 201 within 5s
 */
#ifndef VA_FAKEFS_SCRIPT_H
#define VA_FAKEFS_SCRIPT_H

#include "base/err.h"
#include "base/str.h"
#include "fakefs/call.h"

enum { SCRIPT_STEPS_MAX = 1000, SCRIPT_WAIT_MS = 10000 /* where no "within" is given */ };

enum step_kind {
    STEP_WAIT_GREETING, /* the agent spoke for the first time, and stopped */
    STEP_WAIT_SPEECH,   /* the agent speaks */
    STEP_WAIT_ANSWER,   /* the agent spoke after the caller did, and stopped */
    STEP_WAIT_SILENCE,  /* the agent does not speak */
    STEP_SAY,
    STEP_WAV,
    STEP_BARGE_IN, /* like SAY/WAV, `ms` after the agent began; ends when the caller is heard */
    STEP_DTMF,
    STEP_SLEEP,
    STEP_EXPECT_SPEECH,
    STEP_EXPECT_SILENCE,
    STEP_EXPECT_TRANSFER,
    STEP_EXPECT_BRIDGE,
    STEP_EXPECT_HANGUP,
    STEP_EXPECT_RETURN,   /* the daemon gave the call back to the dialplan */
    STEP_EXPECT_UNBRIDGE, /* the human hung up, and the caller is with the daemon again */
    STEP_HANGUP,
    STEP_FAIL_AUDIO,
    STEP_RESUME_AUDIO,
    STEP_RESET_CONTROL,
    STEP_INJECT,
    STEP_HUMAN,
};

struct step {
    enum step_kind kind;
    unsigned line;
    char *text;        /**< what is said, a file, digits, a destination or a cause; "" when none */
    char *voice;       /**< of `say`; NULL: the default */
    uint64_t ms;       /**< limit, length or delay */
    uint64_t limit_ms; /**< of a barge-in: how long to wait for the agent to speak */
    uint64_t talks_ms; /**< of `human` */
    unsigned choice;   /**< enum fakefs_inject or enum fakefs_human */
    unsigned count;
    bool optional;   /**< when the limit passes, go on: not a failure */
    struct pcm *pcm; /**< loaded by whoever runs it; owned */
    struct fakefs_clip clip;
};

struct script {
    struct step *step;
    size_t count, cap;
};

/**
 * Parse and append.
 *
 * @param name   For messages: the file's name
 * @param fault  "name:LINE: what is wrong; what is accepted"
 *
 * @return VA_OK, VA_ECONFIG, VA_ENOMEM, VA_ELIMIT. On failure the script holds what came before
 */
VA_CHECK enum va_err script_parse(struct script *s, const char *name, struct str text,
                                  struct va_fault *fault);
void script_free(struct script *s);
/** The step as it was written, for reports. */
const char *script_step_text(const struct step *st, char *out, size_t cap);

#endif
