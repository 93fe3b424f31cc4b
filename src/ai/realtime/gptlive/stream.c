/* A stream that never ends, as answers: gptlive.h has the drawing. */
#include "ai/realtime/gptlive/gptlive.h"
#include "base/base64.h"
#include "media/g711.h"

#include <stdlib.h>

static bool is_loud(struct rt_format f, struct str bytes)
{
    const uint8_t *b = (const uint8_t *)bytes.p;
    size_t n = f.codec == RT_PCM16 ? bytes.len / 2 : bytes.len;
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int x = f.codec == RT_ULAW   ? g711_ulaw_decode(b[i])
                : f.codec == RT_ALAW ? g711_alaw_decode(b[i])
                                     : (int16_t)(uint16_t)(b[2 * i] | (unsigned)b[2 * i + 1] << 8);
        sum += (uint64_t)abs(x);
    }
    return n && sum / n >= LIVE_LOUD;
}

static void keep_lead(struct provider *p, struct str bytes)
{
    struct buf *lead = &gl(p)->lead;
    size_t max = rt_format_bytes_per_s(p->format_out) * LIVE_LEAD_MS / 1000;
    if (bytes.len > max)
        bytes = str_make(bytes.p + (bytes.len - max), max);
    if (lead->len + bytes.len > max)
        buf_consume(lead, lead->len + bytes.len - max);
    (void)buf_adds(lead, bytes);
}

static struct rt_answer *begin(struct provider *p)
{
    struct gptlive *g = gl(p);
    struct rt_answer *a = rt_self_answer(p);
    if (a && g->words.len)
        rt_answer_text_add(p, a, buf_str(&g->words));
    if (a && g->lead.len)
        rt_answer_audio(p, a, buf_str(&g->lead));
    buf_reset(&g->words);
    buf_reset(&g->lead);
    return a && !rt_gone(p) ? a : NULL;
}

static void on_piece(struct provider *p, struct str bytes)
{
    struct gptlive *g = gl(p);
    bool loud = is_loud(p->format_out, bytes);
    struct rt_answer *a = rt_self_current(p);
    if (!a && !loud) {
        keep_lead(p, bytes);
        return;
    }
    if (!a)
        a = begin(p);
    if (a)
        rt_answer_audio(p, a, bytes);
    g->quiet_ms = loud ? 0 : g->quiet_ms + bytes.len * 1000 / rt_format_bytes_per_s(p->format_out);
    if (g->quiet_ms >= LIVE_END_MS && !rt_gone(p)) {
        g->quiet_ms = 0;
        rt_self_done(p);
    }
}

void gl_on_audio(struct provider *p, struct str text)
{
    struct buf *bytes = &gl(p)->bytes;
    size_t len = 0;
    if (p->state != RT_READY || !text.len)
        return;
    buf_reset(bytes);
    if (buf_reserve(bytes, base64_decoded_max(text.len)) ||
        base64_decode(text.p, text.len, (uint8_t *)bytes->p, &len)) {
        rt_odd(p, "audio that is not base64, or endless");
        return;
    }
    if (p->format_out.codec == RT_PCM16)
        len &= ~(size_t)1;
    on_piece(p, str_make(bytes->p, len));
}
