/*
 * An answer on its way to the caller: text is cut into sentences, the audio of the next is fetched
 * while the one before is played, all in order under one answer id.
 *
 *     text ─► sentences ─► [queued] ─► [fetching ×2] ─► on_transcript, on_audio … ─► on_answer_done
 *
 * Stages only leave things here; everything is told to the call from pump(), on the loop's turn.
 */
#include "ai/pipeline/pipeline_int.h"
#include "ai/pipeline/speakable.h"

#include <stdlib.h>

struct sound {
    struct link link;
    struct pcm *audio;
};

static void pump(void *arg);

void speak_open(struct provider *p)
{
    sentence_init(&p->cutter);
    buf_init(&p->scratch, STAGE_TEXT_MAX);
}

void speak_go_on(struct provider *p)
{
    if (!pipeline_gone(p))
        tmr_start(&p->pump, p->cfg.loop, 0, pump, p);
}

static struct spoken *line_at(struct provider *p, size_t i)
{
    return &p->line[(p->line_first + i) % SPEAK_LINES_MAX];
}

bool speak_sounding(const struct provider *p)
{
    return p->answer_open || loop_now_us(p->cfg.loop) < p->sound_end_us;
}

bool speak_has_words(const struct provider *p)
{
    return p->answer_open || p->line_count > 0;
}

/* ---- sentences ---------------------------------------------------------------------------------
 */

static void line_free(struct spoken *l)
{
    l->p->tts_ops->cancel(&l->job);
    for (struct link *n = list_pop(&l->audio); n; n = list_pop(&l->audio)) {
        struct sound *s = container_of(n, struct sound, link);
        pcm_unref(&s->audio);
        free(s);
    }
    free(l->text);
    l->text = NULL;
}

static void pop_line(struct provider *p)
{
    line_free(line_at(p, 0));
    p->line_first = (p->line_first + 1) % SPEAK_LINES_MAX;
    p->line_count--;
}

static void add_line(struct provider *p, struct str text)
{
    struct buf plain;
    buf_init(&plain, SENTENCE_MAX * 4);
    (void)speakable_add(&plain, text);
    if (speakable_has_words(buf_str(&plain))) {
        struct spoken *l = line_at(p, p->line_count);
        *l = (struct spoken){.p = p, .text = str_dup(buf_str(&plain))};
        list_init(&l->audio);
        if (l->text)
            p->line_count++;
        else
            pipeline_fail(p, VA_ENOMEM, "out of memory");
    }
    buf_free(&plain);
}

static void cut(struct provider *p, bool last)
{
    while (p->line_count < SPEAK_LINES_MAX && sentence_next(&p->cutter, last, &p->scratch))
        add_line(p, buf_str(&p->scratch));
    if (p->line_count == SPEAK_LINES_MAX)
        p->enough = true; /* nobody listens that long */
    speak_go_on(p);
}

void speak_begin(struct provider *p, unsigned flags)
{
    speak_drop(p, true);
    p->reply = REPLY_GROWING;
    p->enough = false;
    p->flags = flags;
    sentence_reset(&p->cutter);
}

void speak_text(struct provider *p, struct str more)
{
    if (p->reply != REPLY_GROWING || p->enough)
        return;
    if (sentence_add(&p->cutter, more))
        p->enough = true;
    cut(p, false);
}

void speak_end(struct provider *p)
{
    if (p->reply != REPLY_GROWING)
        return;
    cut(p, true);
    p->reply = REPLY_WHOLE;
}

void speak_whole(struct provider *p, const char *text, unsigned flags)
{
    speak_begin(p, flags);
    speak_text(p, str_of(text));
    speak_end(p);
}

void speak_drop(struct provider *p, bool tell)
{
    bool was_open = p->answer_open;
    p->generation++;
    while (p->line_count)
        pop_line(p);
    p->reply = REPLY_NONE;
    p->answer_open = false;
    if (was_open && tell && !pipeline_gone(p))
        p->h->on_answer_done(p->arg, p->answer);
}

void speak_close(struct provider *p)
{
    tmr_stop(&p->pump);
    speak_drop(p, false);
    sentence_free(&p->cutter);
    buf_free(&p->scratch);
}

/* ---- audio -------------------------------------------------------------------------------------
 */

static void on_audio(void *arg, struct pcm *audio)
{
    struct spoken *l = arg;
    struct sound *s = calloc(1, sizeof(*s));
    if (!s) {
        pcm_unref(&audio);
        pipeline_fail(l->p, VA_ENOMEM, "out of memory");
        return;
    }
    s->audio = audio;
    list_push(&l->audio, &s->link);
    speak_go_on(l->p);
}

static void on_done(void *arg)
{
    struct spoken *l = arg;
    l->job = NULL;
    l->state = SPOKEN_COMPLETE;
    speak_go_on(l->p);
}

static void on_failed(void *arg, const struct stage_fault *fault)
{
    struct spoken *l = arg;
    l->job = NULL;
    pipeline_fail(l->p, fault->err, "%s", fault->text);
}

static const struct tts_handlers tts_handlers = {on_audio, on_done, on_failed};

static uint64_t ahead_ms(const struct provider *p)
{
    uint64_t now = loop_now_us(p->cfg.loop);
    return p->sound_end_us > now ? (p->sound_end_us - now) / 1000 : 0;
}

static void fetch(struct provider *p, struct spoken *l)
{
    enum va_err err = p->tts_ops->say(&p->cfg, l->text, &tts_handlers, l, &l->job);
    l->state = SPOKEN_FETCHING;
    if (err)
        pipeline_fail(p, err, "TTS: a sentence could not be sent: %s", va_err_text(err));
}

static void fetch_ahead(struct provider *p)
{
    uint64_t ahead = ahead_ms(p);
    if (ahead > SPEAK_AHEAD_MS) {
        tmr_start(&p->pump, p->cfg.loop, ahead - SPEAK_AHEAD_MS + 1, pump, p);
        return;
    }
    size_t fetching = 0;
    for (size_t i = 0; i < p->line_count && fetching < SPEAK_FETCH_MAX; i++) {
        struct spoken *l = line_at(p, i);
        if (l->state == SPOKEN_QUEUED)
            fetch(p, l);
        fetching++;
    }
}

/* ---- telling the call --------------------------------------------------------------------------
 */

/* Something of this reply was told and meanwhile it is another, or none. */
static bool changed(const struct provider *p, unsigned generation)
{
    return pipeline_gone(p) || p->generation != generation;
}

static bool tell_beginning(struct provider *p, unsigned generation)
{
    if (p->answer_open)
        return true;
    p->answer_open = true;
    p->cut = false;
    p->h->on_answer(p->arg, ++p->answer, p->flags);
    return !changed(p, generation);
}

static void count_sound(struct provider *p, const struct pcm *audio)
{
    uint64_t now = loop_now_us(p->cfg.loop);
    if (p->sound_end_us < now)
        p->sound_end_us = now;
    p->sound_end_us += pcm_ms(audio) * 1000;
}

/* What is there of the first sentence. @return false: nothing more to do now */
static bool tell_line(struct provider *p, unsigned generation)
{
    struct spoken *l = line_at(p, 0);
    struct link *n;
    if (!list_empty(&l->audio) && !tell_beginning(p, generation))
        return false;
    if (!list_empty(&l->audio) && !l->told) {
        l->told = true;
        p->h->on_transcript(p->arg, SPEAKER_AGENT, p->answer, l->text);
        if (changed(p, generation))
            return false;
    }
    while ((n = list_pop(&l->audio)) != NULL) {
        struct sound *s = container_of(n, struct sound, link);
        count_sound(p, s->audio);
        p->h->on_audio(p->arg, p->answer, s->audio);
        pcm_unref(&s->audio);
        free(s);
        if (changed(p, generation))
            return false;
    }
    if (l->state != SPOKEN_COMPLETE)
        return false;
    pop_line(p);
    fetch_ahead(p);
    return !changed(p, generation);
}

static void tell_end(struct provider *p)
{
    bool heard = p->answer_open;
    p->reply = REPLY_NONE;
    p->answer_open = false;
    if (heard)
        p->h->on_answer_done(p->arg, p->answer);
    else if (p->wish.state != WISH_WANTED)
        pipeline_fail(p, VA_EPROTO,
                      "TTS: no audio came for the text; check TTS_VOICE and TTS_MODEL");
    if (!pipeline_gone(p))
        think_run_tool(p);
}

/* While the caller's turn is under way, an answer that has not begun waits: it may be moot. */
static bool gated(const struct provider *p)
{
    return p->hear != HEAR_IDLE && !p->answer_open;
}

static void pump(void *arg)
{
    struct provider *p = arg;
    unsigned generation = p->generation;
    if (pipeline_gone(p))
        return;
    if (p->enough && p->reply == REPLY_GROWING) {
        think_cancel(p);
        p->reply = REPLY_WHOLE;
    }
    fetch_ahead(p);
    if (gated(p))
        return;
    while (p->line_count && tell_line(p, generation))
        ;
    if (!changed(p, generation) && !p->line_count && p->reply == REPLY_WHOLE)
        tell_end(p);
}
