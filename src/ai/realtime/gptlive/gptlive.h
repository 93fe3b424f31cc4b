/**
 * ai/realtime/gptlive/gptlive.h: OpenAI's GPT-Live; for the files of this folder only.
 *
 *     its audio   ▁▁▁▁▁▁▂▆▇▆▇▂▁▁▂▆▇▂▁▁▁▁▁▁▁▁▁▁    continuous, in real time, silence included
 *     answers           ├───────────────────┤    from the first sound to LIVE_END_MS of silence
 *
 * What is heard in front of the first sound (LIVE_LEAD_MS) goes with it: its onset, and a cushion
 * against a network that is not as steady as the stream.
 */
#ifndef VA_AI_REALTIME_GPTLIVE_GPTLIVE_H
#define VA_AI_REALTIME_GPTLIVE_GPTLIVE_H

#include "ai/json_get.h"
#include "ai/realtime/rt.h"

enum {
    LIVE_END_MS = 900,
    LIVE_LEAD_MS = 120,
    LIVE_LOUD = 60,           /* mean of a piece's samples that is a sound: -55 dBFS */
    LIVE_PIECE_MAX = 1 << 20, /* of audio in one message [bytes of base64] */
};

struct gptlive {
    struct buf lead;  /* audio in front of the first sound */
    struct buf words; /* of the answer that has not been heard yet */
    struct buf bytes; /* of the piece at hand */
    uint64_t quiet_ms;
};

static inline struct gptlive *gl(const struct provider *p)
{
    return p->dialect_state;
}

/** A message of the service. */
void gl_on_message(struct provider *p, struct str message);
/** Audio out of a message, base64: cut into answers. */
void gl_on_audio(struct provider *p, struct str text);

#endif
