/** ai/realtime/ultravox/ultravox.h: Ultravox; for the files of this folder only. */
#ifndef VA_AI_REALTIME_ULTRAVOX_ULTRAVOX_H
#define VA_AI_REALTIME_ULTRAVOX_ULTRAVOX_H

#include "ai/json_get.h"
#include "ai/realtime/rt.h"

struct ultravox {
    bool flushed; /* interrupted: audio until the next sign of an answer is late */
};

static inline struct ultravox *uv(const struct provider *p)
{
    return p->dialect_state;
}

/** The call to be made, as JSON. @return VA_OK, VA_ELIMIT, VA_ENOMEM */
VA_CHECK enum va_err uv_write_call(struct buf *out, const struct provider *p);
/** Messages of the service. */
void uv_on_text(struct provider *p, struct str message);
void uv_on_binary(struct provider *p, struct str bytes);

#endif
