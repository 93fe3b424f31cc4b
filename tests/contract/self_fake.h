/**
 * tests/contract/self_fake.h: a remote that answers and interrupts by itself, as far as Gemini,
 * ElevenLabs, Deepgram and Ultravox share it: turns by the energy of the audio, answers in pieces,
 * tools, drops. A protocol says how each thing is written.
 */
#ifndef VA_SELF_FAKE_H
#define VA_SELF_FAKE_H

#include "contract/fake_server.h"
#include "media/g711.h"

enum { SF_PIECE_MS = 100, SF_ONSET_MS = 60, SF_SILENCE_MS = 500 };

struct sf_state {
    bool session; /* accepted */
    bool ulaw_in, ulaw_out;
    int in_hz, out_hz;
    unsigned loud_ms, quiet_ms;
    bool speaking;
    bool active;              /* an answer is being said */
    bool tool;                /* a tool's result is waited for */
    unsigned sent_ms, answer; /* number of the answer */
    struct tmr timer;
};

static inline struct sf_state *sf(struct fake *f)
{
    return f->state;
}

/* What a protocol writes; its fake_proto's state begins with struct sf_state. */
struct sf_words {
    void (*begin)(struct fake *f);
    void (*text)(struct fake *f, const char *text);
    void (*audio)(struct fake *f, const uint8_t *bytes, size_t len);
    void (*end)(struct fake *f);
    void (*interrupted)(struct fake *f);
    void (*heard)(struct fake *f, const char *words);
    void (*tool)(struct fake *f, const char *name, const char *args);
};
static const struct sf_words *sf_words;

static inline void sf_end(struct fake *f)
{
    sf(f)->active = false;
    tmr_stop(&sf(f)->timer);
    sf_words->end(f);
}

static inline void sf_send_audio(struct fake *f, unsigned ms)
{
    struct sf_state *s = sf(f);
    size_t n = (size_t)s->out_hz * ms / 1000;
    int16_t *samples = malloc(n * 2 + 2);
    uint8_t *bytes = malloc(n * 2 + 2);
    fake_tone(samples, n, s->out_hz, 440, (uint64_t)s->sent_ms * (unsigned)s->out_hz / 1000);
    for (size_t i = 0; i < n; i++) {
        if (s->ulaw_out) {
            bytes[i] = g711_ulaw_encode(samples[i]);
            continue;
        }
        bytes[2 * i] = (uint8_t)((uint16_t)samples[i] & 0xFF);
        bytes[2 * i + 1] = (uint8_t)((uint16_t)samples[i] >> 8);
    }
    sf_words->audio(f, bytes, s->ulaw_out ? n : 2 * n);
    free(samples);
    free(bytes);
}

static inline void sf_piece(void *arg)
{
    struct fake *f = arg;
    struct sf_state *s = sf(f);
    if (f->script.stall || !f->open)
        return;
    if (s->sent_ms >= f->script.answer_ms) {
        sf_end(f);
        return;
    }
    unsigned ms = f->script.answer_ms - s->sent_ms;
    ms = ms < SF_PIECE_MS ? ms : SF_PIECE_MS;
    sf_send_audio(f, ms);
    s->sent_ms += ms;
    if (f->script.drop_after_ms && s->sent_ms >= f->script.drop_after_ms) {
        f->script.drop_after_ms = 0;
        fake_drop(f);
        return;
    }
    tmr_start(&s->timer, f->loop, f->script.pace_ms, sf_piece, f);
}

static inline void sf_interrupt(struct fake *f)
{
    if (!sf(f)->active)
        return;
    sf(f)->active = false;
    tmr_stop(&sf(f)->timer);
    sf_words->interrupted(f);
}

static inline void sf_answer(struct fake *f)
{
    struct sf_state *s = sf(f);
    sf_interrupt(f);
    s->answer++;
    f->seen.answers++;
    if (f->script.garbage) {
        fake_send(f, WS_TEXT, str_of(f->script.garbage));
        f->script.garbage = NULL;
    }
    if (f->script.tool) {
        const char *name = f->script.tool;
        f->script.tool = NULL;
        s->tool = true;
        sf_words->tool(f, name, f->script.tool_args);
        return;
    }
    s->active = true;
    s->sent_ms = 0;
    if (sf_words->begin)
        sf_words->begin(f);
    sf_words->text(f, f->script.answer_text);
    tmr_start(&s->timer, f->loop, f->script.pace_ms, sf_piece, f);
}

/* A tool's result: the model goes on. */
static inline void sf_result(struct fake *f, struct str text)
{
    if (!sf(f)->tool)
        fake_refuse(f, "a result of no tool");
    sf(f)->tool = false;
    f->seen.results++;
    fake_told(f, "result", text);
    sf_answer(f);
}

static inline void sf_hear(struct fake *f, unsigned ms, bool loud)
{
    struct sf_state *s = sf(f);
    s->loud_ms = loud ? s->loud_ms + ms : 0;
    s->quiet_ms = loud ? 0 : s->quiet_ms + ms;
    if (!s->speaking && s->loud_ms >= SF_ONSET_MS) {
        s->speaking = true;
        sf_interrupt(f);
    } else if (s->speaking && s->quiet_ms >= SF_SILENCE_MS) {
        s->speaking = false;
        sf_words->heard(f, f->script.words);
        sf_answer(f);
    }
}

static inline void sf_audio(struct fake *f, const uint8_t *bytes, size_t len)
{
    struct sf_state *s = sf(f);
    uint64_t sum = 0;
    size_t n = s->ulaw_in ? len : len / 2;
    if (!n || (!s->ulaw_in && len % 2)) {
        fake_refuse(f, "audio of %zu bytes", len);
        return;
    }
    for (size_t i = 0; i < n; i++)
        sum += (uint64_t)abs(s->ulaw_in ? g711_ulaw_decode(bytes[i])
                                        : (int16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8));
    unsigned ms = (unsigned)(n * 1000 / (unsigned)s->in_hz);
    f->seen.audio_ms += ms;
    sf_hear(f, ms, sum / n > 500);
}

static inline void sf_audio_base64(struct fake *f, struct str text)
{
    uint8_t *bytes = malloc(base64_decoded_max(text.len) + 1);
    size_t len = 0;
    if (base64_decode(text.p, text.len, bytes, &len))
        fake_refuse(f, "audio is not base64");
    else
        sf_audio(f, bytes, len);
    free(bytes);
}

static inline void sf_closed(struct fake *f)
{
    tmr_stop(&sf(f)->timer);
}

#endif
