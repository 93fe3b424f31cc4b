/* One utterance: both searches, the margins between them, the verdict. */
#include "ai/speech/decoder_int.h"
#include "ai/speech/front.h"
#include "ai/speech/net.h"

#include <math.h>
#include <stdlib.h>

/* Segments with fewer frames of speech say too little to be anybody's worst. */
enum { WORST_FRAMES = 6 };

/* Logistic regression over synthetic telephone speech, clean and with noise, phrases of a secretary
 * and sentences that are none; margins in units of 1 nat per frame. */
static const double weight_bias = 5.5, weight_core = 0.6, weight_whole = 0.6, weight_worst = 1.0;

struct segment {
    const char *word;
    int from, to;
    double score;
};

static struct segment read_segment(ps_seg_t *seg, bool with_language)
{
    struct segment s = {.word = ps_seg_word(seg)};
    int32 acoustic = 0, language = 0, back = 0;
    ps_seg_frames(seg, &s.from, &s.to);
    (void)ps_seg_prob(seg, &acoustic, &language, &back);
    s.score = (double)acoustic + (with_language ? language : 0);
    if (s.from < 0 || s.to >= DECODER_FRAMES_MAX || s.score == 0.0)
        s.to = s.from - 1; /* a step without sound, or beyond what was asked for */
    return s;
}

static bool search(struct decoder *d, const char *name, const struct pcm *ready)
{
    if (ps_set_search(d->ps, name) || ps_start_utt(d->ps))
        return false;
    (void)ps_process_raw(d->ps, pcm_samples(ready), pcm_count(ready), FALSE, TRUE);
    return ps_end_utt(d->ps) == 0;
}

static void note_loop(struct decoder *d)
{
    memset(d->frames, 0, sizeof(d->frames));
    for (ps_seg_t *seg = ps_seg_iter(d->ps); seg; seg = ps_seg_next(seg)) {
        struct segment s = read_segment(seg, true);
        for (int f = s.from; f <= s.to; f++)
            d->frames[f] = (struct decoder_frame){(float)(s.score / (s.to - s.from + 1)),
                                                  s.word[0] == DECODER_LOOP[0]};
    }
}

static int count_phones(struct decoder *d, const char *word)
{
    char *spelled = ps_lookup_word(d->ps, word);
    int n = spelled ? 1 : 0;
    for (const char *p = spelled; p && *p; p++)
        n += *p == ' ';
    free(spelled);
    return n;
}

struct sums {
    double core, whole, worst;
    int core_frames, speech_frames, phones;
};

static void add_segment(struct decoder *d, const struct segment *s, bool of_phrase,
                        struct sums *sums)
{
    double margin = s->score;
    int speech = 0, length = s->to - s->from + 1;
    for (int f = s->from; f <= s->to; f++) {
        margin -= (double)d->frames[f].score;
        speech += d->frames[f].speech;
    }
    sums->whole += margin;
    sums->speech_frames += speech;
    if (speech >= WORST_FRAMES && margin / length < sums->worst)
        sums->worst = margin / length;
    if (!of_phrase)
        return;
    sums->core += margin;
    sums->core_frames += length;
    sums->phones += count_phones(d, s->word);
}

static void judge(const struct sums *s, struct decoder_result *r)
{
    if (!r->phrase || s->core_frames == 0 || s->speech_frames == 0)
        return;
    r->core = (float)(s->core / s->core_frames);
    r->whole = (float)(s->whole / s->speech_frames);
    r->worst = (float)s->worst;
    r->pace = s->phones ? (float)s->core_frames / (float)s->phones : 0.0F;
    double z = weight_bias + weight_core * (double)r->core / 10 +
               weight_whole * (double)r->whole / 10 + weight_worst * (double)r->worst / 10;
    r->confidence = (float)(1.0 / (1.0 + exp(-z)));
    r->understood = z >= 0;
}

static void read_phrase(struct decoder *d, const struct asr_grammar *g, struct decoder_result *r)
{
    struct buf words;
    buf_init(&words, 4096);
    struct sums sums = {0};
    for (ps_seg_t *seg = ps_seg_iter(d->ps); seg; seg = ps_seg_next(seg)) {
        struct segment s = read_segment(seg, false);
        struct str word = net_label_word(s.word, NET_PHRASE);
        if (s.to < s.from)
            continue;
        add_segment(d, &s, word.len > 0, &sums);
        if (word.len)
            (void)buf_addf(&words, words.len ? " %.*s" : "%.*s", STR_ARG(word));
    }
    r->phrase = words.len ? grammar_find(g, buf_str(&words)) : NULL;
    buf_free(&words);
    judge(&sums, r);
}

enum va_err decoder_run(struct decoder *d, const struct asr_grammar *g, const struct pcm *speech,
                        struct decoder_result *ret_result)
{
    struct decoder_result r = {0};
    enum va_err err = decoder_prepare(d, g);
    if (err && err != VA_ENOTFOUND)
        return err;
    struct pcm *ready = NULL;
    if (!err && pcm_count(speech) > 0) {
        char name[DECODER_NAME_MAX];
        decoder_search_name(g->id, name);
        err = front_prepare(speech, &ready);
        if (err)
            return err;
        /* A stream of its own, or the estimate of the noise were that of whoever spoke before. The
         * second search has what the first one found. */
        if (ps_start_stream(d->ps) == 0 && search(d, DECODER_LOOP, ready)) {
            note_loop(d);
            if (search(d, name, ready))
                read_phrase(d, g, &r);
        }
        pcm_unref(&ready);
    }
    *ret_result = r;
    return VA_OK;
}
