/** ai/realtime/gemini/gemini.h: Gemini Live; for the files of this folder only. */
#ifndef VA_AI_REALTIME_GEMINI_GEMINI_H
#define VA_AI_REALTIME_GEMINI_GEMINI_H

#include "ai/json_get.h"
#include "ai/realtime/rt.h"

enum { GEMINI_HANDLE_MAX = 1024 };

struct gemini {
    char handle[GEMINI_HANDLE_MAX]; /* of the session, to resume it; "": none */
    bool resuming;                  /* the connection at hand asked to resume */
    bool seeds;                     /* there is something to tell a session that begins anew */
    bool old;         /* 2.x: text goes by clientContent; later models take realtimeInput */
    struct buf later; /* notes without an answer, for the next text: they would be answered */
};

static inline struct gemini *gm(const struct provider *p)
{
    return p->dialect_state;
}

/** What was said before, and what is known of the call. */
void gm_send_history(struct provider *p);
/** A message of the service. */
void gm_on_message(struct provider *p, struct str message);

#endif
