/* Deepgram's live transcription (wss …/v1/listen): every frame goes up, words come while the caller
 * speaks; Finalize makes it tell the rest at once when the turn is over. */
#include "ai/pipeline/brief.h"
#include "ai/pipeline/deepgram.h"
#include "ai/pipeline/stt.h"
#include "ai/realtime/format.h"
#include "net/ws.h"

#include <stdio.h>
#include <stdlib.h>

#define DEEPGRAM_BASE  "wss://api.deepgram.com"
#define DEEPGRAM_MODEL "nova-3"

enum {
    FINAL_MS = 1500,       /* behind Finalize; then what came is all */
    KEEP_ALIVE_MS = 4000,  /* without audio for 10 s it hangs up */
    OUT_MAX = 128 * 1024,  /* unsent audio, 8 s of it; more is dropped */
    MESSAGE_MAX = 1 << 18, /* of Deepgram's [bytes] */
    RECONNECTS_MAX = 2,    /* of one conversation */
};

struct stt {
    struct stage_cfg cfg;
    const struct stt_handlers *h;
    void *arg;
    struct ws_conn *ws;
    struct rt_encoder *encoder;
    struct deepgram text;
    enum { DG_CONNECTING, DG_OPEN, DG_AWAY } state; /* AWAY: lost, connecting again */
    bool ending;                                    /* on_final is due */
    bool was_ready;                                 /* on_ready was told */
    unsigned reconnects;
    uint64_t sent_us; /* when audio went up */
    uint64_t dropped; /* frames */
    struct tmr final, keep_alive;
};

static void close_stt(struct stt **ps)
{
    struct stt *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    if (s->ws && s->state == DG_OPEN) {
        static const char bye[] = "{\"type\":\"CloseStream\"}";
        (void)!ws_send(s->ws, WS_TEXT, bye, sizeof(bye) - 1);
    }
    tmr_stop(&s->final);
    tmr_stop(&s->keep_alive);
    ws_free(&s->ws);
    rt_encoder_free(&s->encoder);
    deepgram_free(&s->text);
    free(s);
}

static void fail(struct stt *s, enum va_err err, const char *text, const char *fix)
{
    char line[sizeof(((struct va_fault *)0)->text) + STAGE_CAUSE_MAX];
    (void)snprintf(line, sizeof(line), "STT: %s%s", text, fix);
    const struct stage_fault fault = {err, -1, line};
    s->h->on_failed(s->arg, &fault);
}

static void tell_final(void *arg)
{
    struct stt *s = arg;
    if (!s->ending)
        return;
    s->ending = false;
    tmr_stop(&s->final);
    s->h->on_final(s->arg, buf_z(&s->text.words));
}

/* ---- the connection ----------------------------------------------------------------------------
 */

static void keep_alive(void *arg)
{
    static const char text[] = "{\"type\":\"KeepAlive\"}";
    struct stt *s = arg;
    tmr_start(&s->keep_alive, s->cfg.loop, KEEP_ALIVE_MS, keep_alive, s);
    bool quiet = loop_now_us(s->cfg.loop) - s->sent_us >= (uint64_t)KEEP_ALIVE_MS * 1000;
    if (quiet && s->state == DG_OPEN)
        (void)!ws_send(s->ws, WS_TEXT, text, sizeof(text) - 1);
}

static void on_open(void *arg, struct str subprotocol)
{
    struct stt *s = arg;
    (void)subprotocol;
    s->state = DG_OPEN;
    keep_alive(s);
    if (s->was_ready)
        return;
    s->was_ready = true;
    s->h->on_ready(s->arg);
}

static void on_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct stt *s = arg;
    if (kind != WS_TEXT)
        return;
    bool changed = deepgram_take(&s->text, str_make(p, len));
    if (s->text.err)
        fail(s, s->text.err, s->text.cause, "");
    else if (s->ending && s->text.flushed)
        tell_final(s);
    else if (changed)
        s->h->on_partial(s->arg, buf_z(&s->text.words));
}

static enum va_err connect_ws(struct stt *s);

/* A deadline has a setting. */
static void fail_closed(struct stt *s, const struct ws_end *end)
{
    bool late = end->err == VA_ETIMEOUT && !s->was_ready;
    fail(s, end->err ? end->err : VA_EIO, end->text,
         late ? "; check the network, or give it more time: AI_CONNECT_TIMEOUT_MS" : "");
}

static void on_closed(void *arg, const struct ws_end *end)
{
    struct stt *s = arg;
    ws_free(&s->ws);
    bool lost = s->was_ready && end->err != VA_EAUTH && s->reconnects < RECONNECTS_MAX;
    s->state = DG_AWAY;
    if (lost) {
        s->reconnects++;
        log_info("ai", s->cfg.log, "stt-lost", "cause", end->text, "again", "yes", NULL);
        if (connect_ws(s) == VA_OK) {
            tell_final(s); /* what came so far is all there will be */
            return;
        }
    }
    fail_closed(s, end);
}

static const struct ws_handlers ws_handlers = {
    .on_open = on_open, .on_message = on_message, .on_closed = on_closed};

static enum va_err connect_ws(struct stt *s)
{
    const struct settings *set = s->cfg.settings;
    char url[STAGE_URL_MAX], path[320], token[SETTING_TEXT_MAX + 8];
    const char *key = *set->stt_api_key ? set->stt_api_key : set->deepgram_api_key;
    bool narrow = s->cfg.rate_hz == 8000;
    (void)snprintf(path, sizeof(path),
                   "/v1/listen?model=%.60s&language=%.12s&encoding=%s&sample_rate=%d&channels=1"
                   "&interim_results=true&endpointing=300&smart_format=true",
                   *set->stt_model ? set->stt_model : DEEPGRAM_MODEL,
                   *s->cfg.secretary->language ? s->cfg.secretary->language : "multi",
                   narrow ? "mulaw" : "linear16", s->cfg.rate_hz);
    enum va_err err = stage_url(url, set->stt_base_url, DEEPGRAM_BASE, path);
    if (err)
        return err;
    (void)snprintf(token, sizeof(token), "Token %s", key);
    const struct ws_header header = {str_of("Authorization"), str_of(token)};
    const struct ws_target target = {.url = url, .headers = &header, .header_count = *key ? 1 : 0};
    const struct ws_cfg cfg = {.connect_timeout_ms = (uint64_t)set->ai_connect_timeout_ms,
                               .message_max = MESSAGE_MAX,
                               .out_max = OUT_MAX,
                               .tls = s->cfg.env->tls};
    err = ws_connect(s->cfg.loop, &target, &cfg, &ws_handlers, s, &s->ws);
    explicit_bzero(token, sizeof(token));
    return err;
}

static bool plain(const char *z)
{
    for (; *z; z++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", *z))
            return false;
    return true;
}

static enum va_err check(const struct stage_cfg *cfg, struct va_fault *fault)
{
    const struct settings *s = cfg->settings;
    if (!*s->stt_base_url && !*s->stt_api_key && !*s->deepgram_api_key)
        return va_fault_set(fault, VA_ECONFIG,
                            "DEEPGRAM_API_KEY is empty; set the key of console.deepgram.com");
    if (!plain(s->stt_model) || !plain(cfg->secretary->language))
        return va_fault_set(fault, VA_ECONFIG,
                            "STT_MODEL or the secretary's language has characters that no model "
                            "and no language has");
    return VA_OK;
}

static enum va_err open_stt(const struct stage_cfg *cfg, const struct stt_handlers *h, void *arg,
                            struct stt **ret_stt, struct va_fault *fault)
{
    enum va_err err = check(cfg, fault);
    if (err)
        return err;
    struct stt *s = calloc(1, sizeof(*s));
    if (!s)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    s->cfg = *cfg;
    s->h = h;
    s->arg = arg;
    deepgram_init(&s->text);
    const struct rt_format format = {cfg->rate_hz == 8000 ? RT_ULAW : RT_PCM16, cfg->rate_hz};
    err = rt_encoder_new(cfg->rate_hz, format, &s->encoder);
    if (!err)
        err = connect_ws(s);
    if (err) {
        close_stt(&s);
        return va_fault_set(fault, err, "STT: %s (STT_BASE_URL)", va_err_text(err));
    }
    *ret_stt = s;
    return VA_OK;
}

/* ---- a turn ------------------------------------------------------------------------------------
 */

static void audio(struct stt *s, const int16_t *samples, size_t count)
{
    struct str bytes;
    if (s->state != DG_OPEN)
        return;
    if (rt_encode(s->encoder, samples, count, &bytes) == VA_OK &&
        ws_send(s->ws, WS_BINARY, bytes.p, bytes.len) == VA_OK)
        s->sent_us = loop_now_us(s->cfg.loop);
    else
        s->dropped++;
}

static void begin(struct stt *s, unsigned back_ms)
{
    (void)back_ms;
    if (!s->ending) /* else a pause: its words go on */
        deepgram_reset(&s->text);
    s->ending = false;
    s->text.flushed = false;
    tmr_stop(&s->final);
}

static void end(struct stt *s, unsigned back_ms)
{
    static const char text[] = "{\"type\":\"Finalize\"}";
    (void)back_ms;
    s->ending = true;
    s->text.flushed = false;
    if (s->state == DG_OPEN)
        (void)!ws_send(s->ws, WS_TEXT, text, sizeof(text) - 1);
    tmr_start(&s->final, s->cfg.loop, FINAL_MS, tell_final, s);
}

static void forget(struct stt *s)
{
    s->ending = false;
    tmr_stop(&s->final);
    deepgram_reset(&s->text);
}

const struct stt_ops stt_deepgram = {.name = "deepgram",
                                     .partials = true,
                                     .punctuates = true,
                                     .open = open_stt,
                                     .audio = audio,
                                     .begin = begin,
                                     .end = end,
                                     .forget = forget,
                                     .close = close_stt};
