/* Life of a conversation: open, ready, lost and back, worn out, failed, closed. */
#include "ai/realtime/realtime.h"
#include "ai/realtime/link.h"
#include "ai/realtime/rt.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ODD_MAX = 100,          /* messages without sense until the session is given up */
    WEAR_MARGIN_MS = 20000, /* so long before its end a session looks for a quiet moment */
    WEAR_FORCE_MS = 2000,   /* and so long before it goes without */
    WEAR_LOOK_MS = 250,
    LOST_LINK_HTTP_BUSY = 429
};

static const char *const state_names[] = {"connecting", "starting", "ready",
                                          "away",       "failed",   "closed"};

void rt_state_set(struct provider *p, enum rt_state to)
{
    log_debug("ai", &p->log, "session", "provider", p->dialect->name, "from", state_names[p->state],
              "to", state_names[to], NULL);
    p->state = to;
}

/* ---- failing
 * ------------------------------------------------------------------------------------- */

static void report_failure(void *arg)
{
    struct provider *p = arg;
    p->h->on_failed(p->arg, p->fault.code, p->fault.text);
}

static void stop_timers(struct provider *p)
{
    tmr_stop(&p->deadline);
    tmr_stop(&p->tick);
    tmr_stop(&p->digit_wait);
    tmr_stop(&p->wear);
    tmr_stop(&p->turn.timer);
    tmr_stop(&p->self.sound);
    rt_fetch_stop(p);
}

/* Told on the next turn of the loop: operations never call back. p->fault is filled. */
static void fail(struct provider *p)
{
    stop_timers(p);
    link_close(&p->link);
    rt_state_set(p, RT_FAILED);
    tmr_start(&p->later, p->loop, 0, report_failure, p);
}

/* A new session may be opened again: the bound keeps a broken remote from being called for ever. */
static bool may_reconnect(struct provider *p)
{
    uint64_t now = loop_now_us(p->loop), span = (uint64_t)RT_RECONNECT_SPAN_S * 1000000;
    for (int i = 0; i < RT_RECONNECTS_MAX; i++) {
        if (p->reconnect_us[i] && now - p->reconnect_us[i] < span)
            continue;
        p->reconnect_us[i] = now ? now : 1;
        return true;
    }
    return false;
}

void rt_fault(struct provider *p, enum va_err why, bool retryable, const char *fmt, ...)
{
    if (rt_gone(p))
        return;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(p->fault.text, sizeof(p->fault.text), fmt, ap);
    va_end(ap);
    p->fault.code = why ? why : VA_EPROTO;
    bool again = retryable && p->opened && p->state == RT_READY && may_reconnect(p);
    log_warn("ai", &p->log, again ? "session-lost" : "session-failed", "provider", p->dialect->name,
             "why", va_err_text(p->fault.code), "cause", p->fault.text, NULL);
    if (!again) {
        fail(p);
        return;
    }
    rt_reconnect(p);
}

void rt_odd(struct provider *p, const char *what)
{
    p->count.odd++;
    log_debug("ai", &p->log, "odd-message", "provider", p->dialect->name, "what", what, NULL);
    if (p->count.odd == ODD_MAX)
        rt_fault(p, VA_EPROTO, false, "%s sends messages that make no sense, the last: %.100s",
                 p->dialect->name, what);
}

/* ---- the link
 * ------------------------------------------------------------------------------------ */

static void on_link_open(void *arg)
{
    struct provider *p = arg;
    rt_state_set(p, RT_STARTING);
    p->dialect->on_open(p);
}

static void on_link_message(void *arg, enum ws_kind kind, struct str message)
{
    struct provider *p = arg;
    p->count.messages_in++;
    p->count.bytes_in += message.len;
    if (rt_gone(p))
        return;
    if (kind == WS_BINARY && p->dialect->on_binary)
        p->dialect->on_binary(p, message);
    else
        p->dialect->on_text(p, message);
}

/* Close codes after which the same request may go well (RFC 6455 §7.4.1 and IANA's list). */
static bool code_retryable(uint16_t code)
{
    switch (code) {
    case 0:
    case 1000:
    case 1001:
    case 1005:
    case 1006:
    case 1011:
    case 1012:
    case 1013:
    case 1015: return true;
    default: return false;
    }
}

static void on_link_closed(void *arg, const struct ws_end *end)
{
    struct provider *p = arg;
    const char *hint = "";
    bool stale = link_was_prepared(p->link) && p->state == RT_STARTING;
    link_close(&p->link);
    if (rt_gone(p))
        return;
    stale = stale || (p->dialect->closed && p->dialect->closed(p, end, &hint));
    /* A prepared connection that was dead already, as nobody had used it. */
    if (stale && rt_connect(p, p->opened ? RT_AWAY : RT_CONNECTING) == VA_OK)
        return;
    bool http_fine = !end->http_status || end->http_status == 101 || end->http_status >= 500 ||
                     end->http_status == LOST_LINK_HTTP_BUSY;
    bool retry = http_fine && code_retryable(end->code) && end->err != VA_EAUTH;
    enum va_err why = end->http_status == LOST_LINK_HTTP_BUSY ? VA_ELIMIT
                      : end->err                              ? end->err
                                                              : VA_ECLOSED;
    if (end->code)
        rt_fault(p, why, retry, "%s closed the connection: code %u \"%.*s\"%s", p->dialect->name,
                 end->code, STR_ARG(end->reason), hint);
    else
        rt_fault(p, why, retry, "%s: %s%s", p->dialect->name,
                 end->text ? end->text : va_err_text(why), hint);
}

static struct link_cfg link_settings(const struct provider *p)
{
    return (struct link_cfg){.target = &p->target,
                             .tls = p->env ? p->env->tls : NULL,
                             .connect_timeout_ms = (uint64_t)p->settings->ai_connect_timeout_ms,
                             .prepare = p->dialect->prepares};
}

static const struct link_handlers link_handlers = {on_link_open, on_link_message, on_link_closed};

static void on_deadline(void *arg)
{
    struct provider *p = arg;
    rt_fault(p, VA_ETIMEOUT, false,
             "%s: no session within AI_CONNECT_TIMEOUT_MS (%d ms); check the network and the "
             "service's status",
             p->dialect->name, (int)p->settings->ai_connect_timeout_ms);
}

static enum va_err open_link(struct provider *p)
{
    struct link_cfg cfg = link_settings(p);
    return link_open(p->loop, &cfg, &link_handlers, p, &p->link);
}

void rt_located(struct provider *p)
{
    if (rt_gone(p) || p->link)
        return;
    enum va_err err = open_link(p);
    if (err)
        rt_fault(p, err, false, "%s: cannot connect: %s", p->dialect->name, va_err_text(err));
}

enum va_err rt_connect(struct provider *p, enum rt_state as)
{
    enum va_err err = p->dialect->locate ? p->dialect->locate(p) : VA_OK;
    if (!err && !p->fetch.request)
        err = open_link(p);
    if (err)
        return err;
    rt_state_set(p, as);
    tmr_start(&p->deadline, p->loop, (uint64_t)p->settings->ai_connect_timeout_ms, on_deadline, p);
    return VA_OK;
}

void rt_reconnect(struct provider *p)
{
    p->count.reconnects++;
    rt_state_set(p, RT_AWAY);
    stop_timers(p);
    link_close(&p->link);
    rt_answers_lost(p);
    rt_turn_lost(p);
    rt_self_lost(p);
    rt_tools_lost(p);
    if (rt_gone(p))
        return;
    enum va_err err = rt_connect(p, RT_AWAY);
    if (err)
        rt_fault(p, err, false, "%s: cannot connect again: %s", p->dialect->name, va_err_text(err));
}

/* ---- ready
 * --------------------------------------------------------------------------------------- */

static enum va_err make_formats(struct provider *p)
{
    rt_encoder_free(&p->encoder);
    rt_decoder_free(&p->decoder);
    p->decoding = 0;
    p->packet = rt_format_bytes_per_s(p->format_in) * (size_t)p->settings->ai_packet_ms / 1000;
    enum va_err err = rt_encoder_new(p->rate_hz, p->format_in, &p->encoder);
    return err ? err : rt_decoder_new(p->format_out, p->rate_hz, &p->decoder);
}

void rt_give_audio(struct provider *p, struct str bytes)
{
    if (p->dialect->audio)
        p->dialect->audio(p, bytes);
    else
        rt_send_audio(p, WS_BINARY, &bytes, 1);
}

/* In pieces, as some remotes bound one message. */
void rt_give_held(struct provider *p)
{
    size_t piece = rt_format_bytes_per_s(p->format_in) / 10;
    for (size_t at = 0; at < p->held.len && !rt_gone(p); at += piece) {
        size_t n = p->held.len - at < piece ? p->held.len - at : piece;
        rt_give_audio(p, str_make(p->held.p + at, n));
    }
    buf_reset(&p->held);
}

static void give_owed(struct provider *p)
{
    enum rt_owed owed = p->owed;
    if (p->note.len)
        p->dialect->tell(p, buf_z(&p->note), owed == RT_OWES_NOTHING);
    buf_free(&p->note);
    if (owed == RT_OWES_SAYING)
        rt_say(p, p->owed_say);
    else if (owed == RT_OWES_ANSWER)
        p->dialect->tell(p,
                         "[The line was interrupted for a moment. Go on with the conversation from "
                         "the last words above, without greeting again.]",
                         true);
    else if (owed == RT_OWES_LOST_WORDS)
        p->dialect->tell(p,
                         "[The line was interrupted and the caller's last words were lost. Ask the "
                         "caller, in one short sentence, to say them again.]",
                         true);
    if (p->digit_count)
        rt_flush_digits(p);
}

static void on_tick(void *arg)
{
    struct provider *p = arg;
    tmr_start(&p->tick, p->loop, p->dialect->tick_ms, on_tick, p);
    p->dialect->on_tick(p);
}

void rt_ready(struct provider *p)
{
    if (p->state != RT_STARTING)
        return;
    tmr_stop(&p->deadline);
    enum va_err err = make_formats(p);
    if (err) {
        rt_fault(p, err, false, "%s: no converter for its audio: %s", p->dialect->name,
                 va_err_text(err));
        return;
    }
    rt_state_set(p, RT_READY);
    if (p->dialect->on_tick)
        tmr_start(&p->tick, p->loop, p->dialect->tick_ms, on_tick, p);
    rt_answers_over(p);
    if (!rt_gone(p))
        rt_give_held(p);
    if (!rt_gone(p))
        give_owed(p);
    if (rt_gone(p) || p->opened)
        return;
    p->opened = true;
    p->h->on_ready(p->arg);
}

/* ---- worn out
 * ------------------------------------------------------------------------------------ */

static bool quiet(const struct provider *p)
{
    return p->owed == RT_OWES_NOTHING && p->turn.state == RT_TURN_NONE && rt_tools_settled(p) &&
           !rt_answer_sounding(p) && !p->digit_count;
}

static void on_wear(void *arg)
{
    struct provider *p = arg;
    uint64_t left = p->wear_us > loop_now_us(p->loop) ? p->wear_us - loop_now_us(p->loop) : 0;
    if (!quiet(p) && left > (uint64_t)WEAR_FORCE_MS * 1000) {
        tmr_start(&p->wear, p->loop, WEAR_LOOK_MS, on_wear, p);
        return;
    }
    /* A clock that is wrong makes every session seem to end at once. */
    if (!may_reconnect(p)) {
        log_warn("ai", &p->log, "session-not-renewed", "provider", p->dialect->name, "note",
                 "renewed too often; is the clock of this machine right?", NULL);
        return;
    }
    log_info("ai", &p->log, "session-renewed", "provider", p->dialect->name, NULL);
    rt_reconnect(p);
}

void rt_going_away(struct provider *p, uint64_t in_ms)
{
    if (rt_gone(p))
        return;
    p->wear_us = loop_now_us(p->loop) + in_ms * 1000;
    uint64_t margin = in_ms / 2 < WEAR_MARGIN_MS ? in_ms / 2 : WEAR_MARGIN_MS;
    tmr_start(&p->wear, p->loop, in_ms - margin, on_wear, p);
}

/* ---- open, close
 * --------------------------------------------------------------------------------- */

static struct provider *new_provider(const struct dialect *d, const struct provider_cfg *cfg,
                                     const struct provider_handlers *h, void *arg)
{
    struct provider *p = calloc(1, sizeof(*p));
    if (!p)
        return NULL;
    p->dialect = d;
    p->loop = cfg->loop;
    p->env = cfg->env;
    p->settings = cfg->settings;
    p->secretary = secretary_ref(cfg->secretary);
    p->history = cfg->history;
    p->record = cfg->record;
    p->h = h;
    p->arg = arg;
    p->log = cfg->log;
    p->rate_hz = cfg->rate_hz;
    p->caps = d->caps;
    p->format_in = p->format_out = (struct rt_format){RT_PCM16, cfg->rate_hz};
    buf_init(&p->out, RT_OUT_MAX / 2);
    buf_init(&p->held, (size_t)RT_HELD_MS * 48000 * 2 / 1000);
    buf_init(&p->note, RT_TEXT_MAX);
    buf_init(&p->self.words, RT_TEXT_MAX);
    return p;
}

enum va_err rt_open(const struct dialect *d, const struct provider_cfg *cfg,
                    const struct provider_handlers *h, void *arg, struct provider **ret_provider)
{
    struct provider *p = new_provider(d, cfg, h, arg);
    if (!p)
        return VA_ENOMEM;
    *ret_provider = p;
    struct va_fault fault = {VA_OK, ""};
    enum va_err err = d->start(p, &fault);
    if (!err)
        err = rt_connect(p, RT_CONNECTING);
    if (err)
        rt_fault(p, err, false, "%s", *fault.text ? fault.text : va_err_text(err));
    return VA_OK;
}

static void destroy(void *arg);

/* A conversation that goes no further than where it would connect to. */
void rt_prepare(const struct dialect *d, struct loop *loop, const struct provider_env *env,
                const struct settings *settings)
{
    struct secretary *any = NULL;
    if (!d->prepares || secretary_new(&any))
        return;
    const struct secretary *shared = any;
    struct provider_cfg cfg = {
        .loop = loop, .env = env, .secretary = any, .rate_hz = 8000, .settings = settings};
    struct provider *p = new_provider(d, &cfg, NULL, NULL);
    if (p && d->start(p, NULL) == VA_OK) {
        struct link_cfg link = link_settings(p);
        link_prepare(loop, &link);
    }
    if (p)
        destroy(p);
    secretary_unref(&shared);
}

static void destroy(void *arg)
{
    struct provider *p = arg;
    rt_answers_free(p);
    rt_encoder_free(&p->encoder);
    rt_decoder_free(&p->decoder);
    buf_free(&p->out);
    buf_free(&p->held);
    buf_free(&p->note);
    rt_self_free(p);
    secretary_unref(&p->secretary);
    free(p->dialect_state);
    explicit_bzero(&p->target, sizeof(p->target)); /* keys */
    free(p);
}

void rt_close(struct provider **pp)
{
    struct provider *p = pp ? *pp : NULL;
    if (!p)
        return;
    *pp = NULL;
    log_info("ai", &p->log, "session-end", "provider", p->dialect->name, "in",
             log_num((int64_t)p->count.messages_in), "out", log_num((int64_t)p->count.messages_out),
             "late_audio", log_num((int64_t)p->count.late_audio), "dropped",
             log_num((int64_t)p->count.audio_dropped), "odd", log_num((int64_t)p->count.odd),
             "reconnects", log_num((int64_t)p->count.reconnects), NULL);
    if (p->dialect->stop && p->dialect_state)
        p->dialect->stop(p);
    stop_timers(p);
    link_close(&p->link);
    rt_state_set(p, RT_CLOSED);
    /* A handler of ours may be on the stack: the memory goes with the next turn of the loop. */
    tmr_start(&p->later, p->loop, 0, destroy, p);
}
