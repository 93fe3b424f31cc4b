/** ai/realtime/deepgram/agent.h: Deepgram's Voice Agent; for the files of this folder only. */
#ifndef VA_AI_REALTIME_DEEPGRAM_AGENT_H
#define VA_AI_REALTIME_DEEPGRAM_AGENT_H

#include "ai/json_get.h"
#include "ai/realtime/rt.h"

struct deepgram_agent {
    bool fed;         /* audio went up since the last look */
    bool flushed;     /* interrupted: audio until the next sign of an answer is late */
    struct buf told;  /* newest text of ours in the user's name: it comes back as the user's */
    struct buf later; /* notes without an answer, for the next of these */
    struct tmr again; /* it was refused, as somebody was speaking */
    unsigned refused;
};

static inline struct deepgram_agent *dg(const struct provider *p)
{
    return p->dialect_state;
}

/** The session's settings, asked for with "Welcome". */
void dg_send_settings(struct provider *p);
/** What we told was refused: again in a moment. */
void dg_say_again(struct provider *p);
/** Messages of the service. */
void dg_on_text(struct provider *p, struct str message);
void dg_on_binary(struct provider *p, struct str bytes);

#endif
