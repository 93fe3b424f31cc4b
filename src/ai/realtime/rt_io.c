/* What the call asks for, on its way to the dialect; what the dialect sends, on its way out. */
#include "ai/realtime/link.h"
#include "ai/realtime/rt.h"
#include "base/base64.h"

#include <stdio.h>
#include <stdlib.h>

enum { DIGITS_WAIT_MS = 1200 /* a number that is being typed is told as one */ };

enum va_err rt_target_header(struct rt_target *t, const char *name, const char *prefix,
                             const char *value)
{
    if (t->header_count == RT_HEADERS_MAX)
        return VA_ELIMIT;
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            return VA_EINVAL;
    size_t i = t->header_count;
    int n = snprintf(t->header[i].value, RT_HEADER_VALUE_MAX, "%s%s", prefix, value);
    if (n < 0 || n >= RT_HEADER_VALUE_MAX ||
        !str_copy(t->header[i].name, sizeof(t->header[i].name), str_of(name)))
        return VA_ELIMIT;
    t->header_count++;
    return VA_OK;
}

/* ---- out
 * ----------------------------------------------------------------------------------------- */

static void sent(struct provider *p, enum va_err err)
{
    if (!err) {
        p->count.messages_out++;
        return;
    }
    if (err == VA_ELIMIT)
        rt_fault(p, err, true, "%s does not read what it is sent", p->dialect->name);
    /* Closed or not open: on_closed tells. */
}

static void send_message(struct provider *p, enum ws_kind kind, struct str message)
{
    struct ws_conn *ws = p->link ? link_ws(p->link) : NULL;
    if (ws && !rt_gone(p))
        sent(p, ws_send(ws, kind, message.p, message.len));
}

void rt_send_text(struct provider *p, struct str message)
{
    send_message(p, WS_TEXT, message);
}

void rt_send_binary(struct provider *p, struct str message)
{
    send_message(p, WS_BINARY, message);
}

void rt_message(struct provider *p, struct json_writer *w)
{
    buf_reset(&p->out);
    jw_begin(w, &p->out);
    jw_object(w, NULL);
}

void rt_send(struct provider *p, struct json_writer *w)
{
    jw_end(w);
    enum va_err err = jw_finish(w);
    if (err)
        rt_fault(p, err, false, "%s: a message of ours is too long", p->dialect->name);
    else
        rt_send_text(p, buf_str(&p->out));
}

void rt_send_audio(struct provider *p, enum ws_kind kind, const struct str *parts, size_t count)
{
    struct ws_conn *ws = p->link ? link_ws(p->link) : NULL;
    if (!ws || rt_gone(p))
        return;
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    if (ws_unsent(ws) + len > RT_OUT_MAX / 2) {
        p->count.audio_dropped++;
        return;
    }
    sent(p, ws_sendv(ws, kind, parts, count));
}

void rt_send_audio_base64(struct provider *p, struct str head, struct str bytes, struct str tail)
{
    buf_reset(&p->out);
    if (buf_reserve(&p->out, base64_encoded_len(bytes.len)))
        return;
    p->out.len = base64_encode(bytes.p, bytes.len, p->out.p);
    struct str parts[3] = {head, buf_str(&p->out), tail};
    rt_send_audio(p, WS_TEXT, parts, 3);
}

/* ---- the caller's audio
 * -------------------------------------------------------------------------- */

static void hold(struct provider *p, struct str bytes)
{
    size_t max = rt_format_bytes_per_s(p->format_in) * RT_HELD_MS / 1000;
    if (bytes.len > max)
        return;
    if (p->held.len + bytes.len > max) {
        buf_consume(&p->held, p->held.len + bytes.len - max);
        p->count.audio_dropped++;
    }
    (void)buf_adds(&p->held, bytes);
}

void rt_audio_in(struct provider *p, const int16_t *samples, size_t count)
{
    struct str bytes;
    if (rt_gone(p) || !p->encoder || !count || rt_encode(p->encoder, samples, count, &bytes))
        return;
    if (p->dialect->self_answers)
        rt_self_listen(p, samples, count);
    bool ready = p->state == RT_READY;
    if (ready && !p->held.len && bytes.len >= p->packet) {
        rt_give_audio(p, bytes);
        return;
    }
    hold(p, bytes);
    if (ready && p->held.len >= p->packet)
        rt_give_held(p);
}

void rt_turn_in(struct provider *p, enum turn_phase phase, unsigned back_ms)
{
    if (p->state != RT_READY || !p->dialect->turn)
        return;
    rt_give_held(p); /* it belongs to the turn */
    if (!rt_gone(p))
        p->dialect->turn(p, phase, back_ms);
}

/* ---- digits
 * -------------------------------------------------------------------------------------- */

void rt_flush_digits(void *arg)
{
    struct provider *p = arg;
    tmr_stop(&p->digit_wait);
    if (p->state != RT_READY || !p->digit_count)
        return; /* away: rt_ready() comes by here */
    char text[120];
    (void)snprintf(text, sizeof(text), "[The caller pressed on the telephone's keypad: %.*s]",
                   (int)p->digit_count, p->digits);
    p->digit_count = 0;
    rt_owe(p, RT_OWES_ANSWER);
    p->dialect->tell(p, text, true);
}

static bool chooses_something(const struct secretary *s, char digit)
{
    for (size_t i = 0; i < s->destination_count; i++)
        if (s->destinations[i].digit == digit)
            return true;
    for (size_t i = 0; i < s->topic_count; i++)
        if (s->topics[i].digit == digit)
            return true;
    return false;
}

void rt_digit(struct provider *p, char digit)
{
    if (rt_gone(p) || !strchr("0123456789*#ABCD", digit) || !digit)
        return;
    bool first = p->digit_count == 0;
    if (p->digit_count < sizeof(p->digits))
        p->digits[p->digit_count++] = digit;
    bool now = (first && chooses_something(p->secretary, digit)) || digit == '#' ||
               p->digit_count == sizeof(p->digits);
    tmr_start(&p->digit_wait, p->loop, now ? 0 : DIGITS_WAIT_MS, rt_flush_digits, p);
}

/* ---- the call's other wishes
 * ---------------------------------------------------------------------- */

void rt_owe(struct provider *p, enum rt_owed what)
{
    p->owed = what;
}

unsigned rt_take_flags(struct provider *p)
{
    unsigned flags = p->next_flags;
    p->next_flags = 0;
    return flags;
}

void rt_say(struct provider *p, enum say_intent intent)
{
    static const unsigned flags[] = {[SAY_GREETING] = 0,
                                     [SAY_STILL_THERE] = 0,
                                     [SAY_FAREWELL] = ANSWER_PROTECTED,
                                     [SAY_TIME_UP] = ANSWER_PROTECTED,
                                     [SAY_HOLD_ON] = ANSWER_PROTECTED,
                                     [SAY_ANSWER] = 0,
                                     [SAY_REPEAT] = 0};
    if (rt_gone(p))
        return;
    rt_owe(p, RT_OWES_SAYING);
    p->owed_say = intent;
    if (p->state != RT_READY)
        return;
    struct buf text;
    buf_init(&text, RT_TEXT_MAX);
    enum va_err err = rt_say_add(&text, p, intent);
    p->next_flags = flags[intent];
    if (err)
        rt_fault(p, err, false, "what is to be said is too long");
    else
        p->dialect->say(p, intent, buf_z(&text));
    buf_free(&text);
}

void rt_interrupt(struct provider *p, uint32_t answer, uint32_t heard_ms)
{
    if (rt_gone(p))
        return;
    p->sound_end_us = loop_now_us(p->loop);
    p->owed = RT_OWES_NOTHING;
    for (size_t i = 0; i < RT_ANSWERS_MAX; i++) {
        struct rt_answer *a = &p->answer[i];
        if (!a->id || a->id < answer || a->state == RT_ANSWER_DEAD)
            continue;
        uint64_t got_ms = a->samples * 1000 / (uint64_t)p->rate_hz;
        uint32_t heard = a->id == answer ? heard_ms : 0;
        if (heard > got_ms)
            heard = (uint32_t)got_ms;
        if (p->state == RT_READY)
            p->dialect->interrupt(p, a, heard);
        a->state = RT_ANSWER_DEAD;
        if (rt_gone(p))
            return;
    }
}
