#include "ai/json_get.h"
#include "ai/pipeline/deepgram.h"

enum { ROUNDING_MS = 40 /* of its times; no word is that short */ };

void deepgram_init(struct deepgram *d)
{
    *d = (struct deepgram){.turn_from_ms = -1, .flush_from_ms = -1};
    buf_init(&d->final, STAGE_TEXT_MAX);
    buf_init(&d->words, STAGE_TEXT_MAX + STAGE_CAUSE_MAX);
}

void deepgram_free(struct deepgram *d)
{
    buf_free(&d->final);
    buf_free(&d->words);
}

void deepgram_reset(struct deepgram *d)
{
    buf_reset(&d->final);
    buf_reset(&d->words);
    d->flushed = false;
}

static void join(struct buf *b, struct str text)
{
    if (!text.len || b->len + text.len + 1 > STAGE_TEXT_MAX)
        return; /* a turn that long keeps its beginning */
    if (b->len)
        (void)buf_addc(b, ' ');
    (void)buf_adds(b, text);
}

/* Where in its audio a result ends [ms]; -1: it does not say. */
static int64_t end_ms(struct json_object *root)
{
    double start = json_object_get_double(jg_obj(root, "start")),
           duration = json_object_get_double(jg_obj(root, "duration"));
    double ms = (start + duration) * 1000;
    return jg_obj(root, "duration") && ms >= 0 && ms < (double)JG_INT_MAX ? (int64_t)ms : -1;
}

static bool ends_by(int64_t ms, int64_t limit_ms)
{
    return ms >= 0 && limit_ms >= 0 && ms <= limit_ms + ROUNDING_MS;
}

static bool take_results(struct deepgram *d, struct json_object *root)
{
    int64_t ms = end_ms(root);
    if (ends_by(ms, d->turn_from_ms))
        return false;
    struct json_object *all = jg_obj(jg_obj(root, "channel"), "alternatives");
    struct json_object *best = jg_at(all, 0);
    struct str text = str_trim(jg_str(best, "transcript"));
    if (jg_true(root, "from_finalize") && !ends_by(ms, d->flush_from_ms))
        d->flushed = true;
    if (jg_true(root, "is_final"))
        join(&d->final, text);
    buf_reset(&d->words);
    (void)buf_adds(&d->words, buf_str(&d->final));
    if (!jg_true(root, "is_final"))
        join(&d->words, text);
    return text.len > 0;
}

bool deepgram_take(struct deepgram *d, struct str message)
{
    struct json_object *root = jg_parse(message);
    struct str type = jg_str(root, "type");
    bool changed = false;
    if (str_eqz(type, "Results")) {
        changed = take_results(d, root);
    } else if (str_eqz(type, "Error")) {
        d->err = VA_EIO;
        stage_cause(message, d->cause);
        struct str description = jg_str(root, "description");
        if (description.len)
            (void)str_copy(d->cause, sizeof(d->cause), description);
    } /* Metadata, SpeechStarted, UtteranceEnd: the call has ears of its own */
    json_object_put(root);
    return changed;
}
