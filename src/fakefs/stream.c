#include "fakefs/stream.h"
#include "base/base64.h"
#include "media/format.h"
#include "media/resample.h"
#include "net/ws.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FRAME_MS = 20, /* STREAM_BUFFER_SIZE */
    FILES_MAX = 64,
    PATH_TEXT = 160,
    CONNECT_MS = 2000,
    FRAME_SAMPLES_MAX = MEDIA_RATE_MAX_HZ / 1000 * FRAME_MS,
    WAIT_MAX = FRAME_SAMPLES_MAX + 2 * MEDIA_FRAME_MAX
};

struct fakefs_stream {
    struct fakefs_stream_cfg cfg; /* without its texts */
    const struct fakefs_stream_handlers *h;
    void *arg;
    struct ws_conn *conn;
    char *metadata;
    char uuid[64];
    bool open;
    struct resample *out, *in;
    int16_t wait[WAIT_MAX];
    size_t wait_len, frame; /* frame: of the stream */
    struct {
        char path[PATH_TEXT];
        struct pcm *pcm;
    } file[FILES_MAX];
    unsigned long files; /* told so far */
};

/* ---- what comes back ------------------------------------------------------------------------- */

/* A streamAudio message's audio at our side's rate; NULL: it is none, or no raw audio. */
static struct pcm *read_audio(const struct fakefs_stream *s, struct json_object *data,
                              int *ret_rate_hz)
{
    struct json_object *audio = NULL, *rate = NULL, *type = NULL;
    if (!json_object_object_get_ex(data, "audioData", &audio) ||
        !json_object_object_get_ex(data, "sampleRate", &rate) ||
        !json_object_object_get_ex(data, "audioDataType", &type) ||
        !str_eqz(str_of(json_object_get_string(type)), "raw"))
        return NULL;
    size_t len = (size_t)json_object_get_string_len(audio), bytes = 0;
    uint8_t *raw = malloc(base64_decoded_max(len));
    struct pcm *pcm = NULL;
    *ret_rate_hz = json_object_get_int(rate);
    if (raw && base64_decode(json_object_get_string(audio), len, raw, &bytes) == VA_OK &&
        resample_whole(*ret_rate_hz, (const int16_t *)(void *)raw, bytes / 2, s->cfg.call_rate_hz,
                       RESAMPLE_QUALITY, &pcm))
        pcm = NULL;
    free(raw);
    return pcm;
}

static void tell_file(struct fakefs_stream *s, struct pcm *pcm, int rate_hz)
{
    char body[PATH_TEXT + 80];
    unsigned long n = s->files++;
    size_t i = n % FILES_MAX;
    pcm_unref(&s->file[i].pcm);
    s->file[i].pcm = pcm;
    (void)snprintf(s->file[i].path, PATH_TEXT, "/tmp/%s_%lu.tmp.r%d", s->uuid, n, rate_hz / 1000);
    (void)snprintf(body, sizeof(body),
                   "{\"audioDataType\":\"raw\",\"sampleRate\":%d,\"file\":\"%s\"}", rate_hz,
                   s->file[i].path);
    s->h->on_play(s->arg, body);
}

static void on_text(struct fakefs_stream *s, struct str text)
{
    struct json_tokener *tok = json_tokener_new();
    struct json_object *o = tok ? json_tokener_parse_ex(tok, text.p, (int)text.len) : NULL;
    struct json_object *type = NULL, *data = NULL;
    int rate_hz = 0;
    struct pcm *pcm = NULL;
    if (o && json_object_object_get_ex(o, "type", &type) &&
        str_eqz(str_of(json_object_get_string(type)), "streamAudio") &&
        json_object_object_get_ex(o, "data", &data))
        pcm = read_audio(s, data, &rate_hz);
    json_object_put(o);
    json_tokener_free(tok);
    if (!pcm)
        return;
    if (s->cfg.module == FAKEFS_MODULE_OPEN) {
        tell_file(s, pcm, rate_hz);
        return;
    }
    s->h->on_frame(s->arg, loop_now_us(s->cfg.loop), pcm_samples(pcm), pcm_count(pcm));
    pcm_unref(&pcm);
}

/* The open edition has no handler for these: dropped. */
static void on_binary(struct fakefs_stream *s, const char *p, size_t len)
{
    int16_t in[MEDIA_FRAME_MAX], out[WAIT_MAX];
    size_t n = len / 2;
    if (s->cfg.module != FAKEFS_MODULE_COMMERCIAL || n > MEDIA_FRAME_MAX)
        return;
    memcpy(in, p, n * 2);
    uint64_t now = loop_now_us(s->cfg.loop);
    if (!s->in) {
        s->h->on_frame(s->arg, now, in, n);
        return;
    }
    n = resample_run(s->in, in, n, out, WAIT_MAX);
    s->h->on_frame(s->arg, now, out, n);
}

/* ---- the connection -------------------------------------------------------------------------- */

static void on_open(void *arg, struct str subprotocol)
{
    struct fakefs_stream *s = arg;
    (void)subprotocol;
    s->open = true;
    if (*s->metadata && ws_send(s->conn, WS_TEXT, s->metadata, strlen(s->metadata)))
        ws_close(s->conn, 1011, NULL);
    s->h->on_open(s->arg);
}

static void on_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    if (kind == WS_TEXT)
        on_text(arg, str_make(p, len));
    else
        on_binary(arg, p, len);
}

static void on_closed(void *arg, const struct ws_end *end)
{
    struct fakefs_stream *s = arg;
    bool opened = s->open;
    s->open = false;
    s->h->on_end(s->arg, opened, end->text ? end->text : "");
}

static const struct ws_handlers conn_handlers = {
    .on_open = on_open, .on_message = on_message, .on_closed = on_closed};

static enum va_err prepare(struct fakefs_stream *s, const struct fakefs_stream_cfg *cfg)
{
    const struct ws_target to = {.url = cfg->url};
    const struct ws_cfg ws = {.connect_timeout_ms = CONNECT_MS};
    s->metadata = str_dup(str_of(cfg->metadata));
    enum va_err err = s->metadata ? VA_OK : VA_ENOMEM;
    if (!err && cfg->rate_hz != cfg->call_rate_hz)
        err = resample_new(cfg->call_rate_hz, cfg->rate_hz, RESAMPLE_QUALITY, &s->out);
    if (!err && cfg->rate_hz != cfg->call_rate_hz)
        err = resample_new(cfg->rate_hz, cfg->call_rate_hz, RESAMPLE_QUALITY, &s->in);
    return err ? err : ws_connect(cfg->loop, &to, &ws, &conn_handlers, s, &s->conn);
}

enum va_err fakefs_stream_open(const struct fakefs_stream_cfg *cfg,
                               const struct fakefs_stream_handlers *h, void *arg,
                               struct fakefs_stream **ret)
{
    if (cfg->rate_hz < 8000 || cfg->rate_hz > MEDIA_RATE_MAX_HZ || cfg->rate_hz % 8000)
        return VA_EINVAL;
    struct fakefs_stream *s = calloc(1, sizeof(*s));
    if (!s)
        return VA_ENOMEM;
    s->cfg = *cfg;
    s->cfg.url = s->cfg.metadata = s->cfg.uuid = NULL;
    s->h = h;
    s->arg = arg;
    s->frame = (size_t)cfg->rate_hz / 1000 * FRAME_MS;
    (void)str_copy(s->uuid, sizeof(s->uuid), str_of(cfg->uuid));
    enum va_err err = prepare(s, cfg);
    if (err)
        fakefs_stream_close(&s);
    else
        *ret = s;
    return err;
}

void fakefs_stream_close(struct fakefs_stream **ps)
{
    struct fakefs_stream *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    if (s->open)
        ws_close(s->conn, 1000, NULL);
    ws_free(&s->conn);
    resample_free(&s->out);
    resample_free(&s->in);
    for (size_t i = 0; i < FILES_MAX; i++)
        pcm_unref(&s->file[i].pcm);
    free(s->metadata);
    free(s);
}

void fakefs_stream_send(struct fakefs_stream *s, const int16_t *pcm, size_t n)
{
    size_t room = WAIT_MAX - s->wait_len;
    if (!s->open)
        return;
    if (s->out) {
        s->wait_len += resample_run(s->out, pcm, n, s->wait + s->wait_len, room);
    } else if (n <= room) {
        memcpy(s->wait + s->wait_len, pcm, n * sizeof(*pcm));
        s->wait_len += n;
    }
    while (s->wait_len >= s->frame) {
        if (ws_send(s->conn, WS_BINARY, s->wait, s->frame * sizeof(*pcm)))
            return; /* not read: on_closed tells in time */
        s->wait_len -= s->frame;
        memmove(s->wait, s->wait + s->frame, s->wait_len * sizeof(*pcm));
    }
}

struct pcm *fakefs_stream_file(const struct fakefs_stream *s, const char *path)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if (s->file[i].pcm && str_eqz(str_of(path), s->file[i].path))
            return s->file[i].pcm;
    return NULL;
}
