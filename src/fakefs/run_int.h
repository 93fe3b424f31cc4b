/* fakefs/run_int.h: shared by run.c and run_step.c only. */
#ifndef VA_FAKEFS_RUN_INT_H
#define VA_FAKEFS_RUN_INT_H

#include "fakefs/run.h"

enum { TURNS_MAX = 200, POLL_MS = 10, NOTE_TEXT = 300 };

enum step_state { STEP_RUNS, STEP_DONE, STEP_FAILED };

struct run {
    const struct run_cfg *cfg;
    struct loop *loop;
    struct fakefs_call *call;
    struct report *report;
    struct tmr poll, limit;
    bool over;    /* on_end came */
    bool leaving; /* the steps are done, or failed: waiting for the end */
    enum va_err why;
    bool failed;
    char failure[512];

    size_t at;    /* step */
    bool started; /* its action was done */
    uint64_t step_us;
    bool barged; /* its sound plays */

    bool connected, hungup, hungup_by_us, returned, transferred, unbridged, expected_return;
    char transfer[NOTE_TEXT], bridge[NOTE_TEXT], cause[NOTE_TEXT];
    uint64_t first_onset_us, onset_us;
    uint64_t caller_start_us, caller_end_us; /* of the last utterance; end 0 while speaking */
    bool turn_open; /* the caller finished, the agent has not answered yet */
    double turn_ms[TURNS_MAX];
    size_t turn_count;
};

/* run_step.c: start the step once, then look whether it is done */
enum step_state run_step(struct run *r, const struct step *st);
uint64_t run_now(const struct run *r);

#endif
