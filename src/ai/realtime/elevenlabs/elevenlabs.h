/** ai/realtime/elevenlabs/elevenlabs.h: ElevenLabs Agents; for the files of this folder only. */
#ifndef VA_AI_REALTIME_ELEVENLABS_ELEVENLABS_H
#define VA_AI_REALTIME_ELEVENLABS_ELEVENLABS_H

#include "ai/realtime/json_get.h"
#include "ai/realtime/rt.h"

enum { EL_EARLY_MAX = 2 * 1024 * 1024, EL_NO_EVENT = -1 };

struct elevenlabs {
    /** The agent's first message: there is none of its own, it is kept, or was asked for. */
    enum { GREETS_NOT, GREETS_KEPT, GREETS_SAID } greets;
    struct buf early;    /* messages kept, each behind its length */
    int64_t early_event; /* the number of these */
    int64_t event;       /* the newest answer's number over there */
    int64_t dead_event;  /* the one that was interrupted last */
    int64_t gate;        /* audio of answers before this one is late */
    uint32_t last;       /* the newest answer, here */
    struct tmr quiet, replay;
};

static inline struct elevenlabs *el(const struct provider *p)
{
    return p->dialect_state;
}

/** What was said before, and what is known of the call. */
void el_send_history(struct provider *p);
/** Something else is answered first: there is no time for its own first message any more. */
void el_no_greeting(struct provider *p);
/** A message of the service. */
void el_on_message(struct provider *p, struct str message);
/** The greeting is wanted now: what was kept of it. A timer's function; arg: the provider. */
void el_replay_early(void *arg);

#endif
