#include "ai/speech/decoder.h"

#include "ai/speech/band.h"
#include "ai/speech/lang.h"
#include "ai/speech/net.h"

#include <math.h>
#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <sphinxbase/fsg_model.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DICT_MAX = 30000,
    FRAMES_MAX = 100 * ASR_UTTERANCE_MAX_MS / 1000 + 100,
    PRONS_MAX = 2 << 20,
    FRAMES_LEAST = 12 /* a phrase is no shorter [10 ms] */
};

/* Mean per frame by which the phrase fits worse than any sounds would. README.md has the figures.
 */
static const double ANY_SOUND_PROB = 1e-5, AGAIN_PROB = 1e-5;

static const float MARGIN_LEAST = -28.0F, MARGIN_SURE = -16.0F;

struct compiled {
    uint64_t id; /* of the grammar; 0: free */
    uint64_t used;
    bool empty; /* nothing in it is pronounceable */
};

struct decoder {
    ps_decoder_t *ps;
    char *model_dir;
    struct pron *pron;
    struct compiled grammars[DECODER_GRAMMARS_MAX];
    uint64_t clock, compilations;
    size_t dict_words;
    float *free_score; /* per frame, of the phone loop */
};

static void keep_quiet(void *arg, err_lvl_t level, const char *fmt, ...)
{
    (void)arg;
    (void)level;
    (void)fmt;
}

void decoder_quiet(void)
{
    err_set_callback(keep_quiet, NULL);
    err_set_logfp(NULL);
}

static const char *const phones[] = {"AA", "AE", "AH", "AO", "AW", "AY", "B",  "CH", "D",  "DH",
                                     "EH", "ER", "EY", "F",  "G",  "HH", "IH", "IY", "JH", "K",
                                     "L",  "M",  "N",  "NG", "OW", "OY", "P",  "R",  "S",  "SH",
                                     "T",  "TH", "UH", "UW", "V",  "W",  "Y",  "Z",  "ZH"};
enum { PHONES = sizeof(phones) / sizeof(phones[0]) };

static fsg_model_t *phone_loop(struct decoder *d)
{
    fsg_model_t *fsg = fsg_model_init("phones", ps_get_logmath(d->ps), 1.0F, 2);
    logmath_t *lm = ps_get_logmath(d->ps);
    for (size_t i = 0; fsg && i < PHONES; i++) {
        char label[8];
        (void)snprintf(label, sizeof(label), "~%s", phones[i]);
        (void)ps_add_word(d->ps, label, phones[i], FALSE);
        double p = 1.0 / PHONES;
        fsg_model_trans_add(fsg, 0, 1, logmath_log(lm, p), fsg_model_word_add(fsg, label));
    }
    if (fsg) {
        fsg_model_null_trans_add(fsg, 1, 0, 0);
        glist_free(fsg_model_null_trans_closure(fsg, NULL));
        fsg->start_state = 0;
        fsg->final_state = 1;
    }
    return fsg;
}

/* pocketsphinx reads transforms from files only; this one needs no disk. */
static enum va_err narrow_model(ps_decoder_t *ps)
{
    char path[64];
    int fd = memfd_create("transform", MFD_CLOEXEC);
    if (fd < 0)
        return VA_EIO;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ps_mllr_t *transform = band_write_transform(path) == VA_OK ? ps_mllr_read(path) : NULL;
    (void)close(fd);
    if (!transform)
        return VA_EIO;
    return ps_update_mllr(ps, transform) ? VA_OK : VA_EIO; /* the transform is the decoder's now */
}

static enum va_err open_sphinx(struct decoder *d)
{
    char hmm[512];
    (void)snprintf(hmm, sizeof(hmm), "%s/en-us", d->model_dir);
    /* All senones are computed (compallsen), because scores of the two passes over an utterance are
     * compared and each is relative to the best senone of its frame. The band is the telephone's,
     * upsampled: filters above 6.8 kHz would only see what is not there. */
    cmd_ln_t *config =
        cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", hmm, "-samprate", "16000", "-compallsen", "yes",
                    "-upperf", "6800", "-nfilt", "25", "-beam", "1e-60", "-wbeam", "1e-40",
                    "-pbeam", "1e-60", "-lw", "1.0", "-wip", "1.0", "-pip", "1.0", "-fillprob",
                    "1e-8", "-silprob", "0.005", "-pl_window", "0", NULL);
    d->ps = config ? ps_init(config) : NULL;
    cmd_ln_free_r(config);
    if (!d->ps)
        return VA_EIO;
    memset(d->grammars, 0, sizeof(d->grammars));
    d->dict_words = 0;
    if (narrow_model(d->ps))
        return VA_EIO;
    fsg_model_t *loop = phone_loop(d);
    int status = loop ? ps_set_fsg(d->ps, "~", loop) : -1;
    fsg_model_free(loop);
    return status ? VA_ENOMEM : VA_OK;
}

enum va_err decoder_new(const char *model_dir, struct pron *pron, struct decoder **ret_decoder,
                        struct va_fault *fault)
{
    struct decoder *d = calloc(1, sizeof(*d));
    if (!d)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    d->pron = pron;
    d->model_dir = str_dup(str_of(model_dir));
    d->free_score = calloc(FRAMES_MAX, sizeof(*d->free_score));
    enum va_err err = d->model_dir && d->free_score ? open_sphinx(d) : VA_ENOMEM;
    if (err) {
        decoder_free(&d);
        return va_fault_set(fault, err,
                            "pocketsphinx cannot load the acoustic model in %s/en-us; install the "
                            "package pocketsphinx-en-us",
                            model_dir);
    }
    *ret_decoder = d;
    return VA_OK;
}

void decoder_free(struct decoder **pd)
{
    struct decoder *d = pd ? *pd : NULL;
    if (!d)
        return;
    *pd = NULL;
    if (d->ps)
        ps_free(d->ps);
    free(d->model_dir);
    free(d->free_score);
    free(d);
}

size_t decoder_grammars(const struct decoder *d)
{
    size_t n = 0;
    for (size_t i = 0; i < DECODER_GRAMMARS_MAX; i++)
        n += d->grammars[i].id != 0;
    return n;
}

uint64_t decoder_compiled(const struct decoder *d)
{
    return d->compilations;
}

/* ---- compiling ------------------------------------------------------------------------------ */

static bool has_word(void *arg, const char *label)
{
    struct decoder *d = arg;
    char *phones_ = ps_lookup_word(d->ps, label);
    free(phones_);
    return phones_ != NULL;
}

/* "word\tA B|C D" → dictionary entries "pt-br=word", "pt-br=word(2)". */
static void add_word(struct decoder *d, const char *voice, enum net_part part, struct str line)
{
    char label[NET_LABEL_MAX], variant[NET_LABEL_MAX + 16], spelled[512];
    net_label(voice, part, str_cut(&line, '\t'), label);
    if (has_word(d, label))
        return;
    for (int i = 1; line.len; i++) {
        (void)str_copy(spelled, sizeof(spelled), str_cut(&line, '|'));
        if (i == 1)
            (void)snprintf(variant, sizeof(variant), "%s", label);
        else
            (void)snprintf(variant, sizeof(variant), "%s(%d)", label, i);
        if (ps_add_word(d->ps, variant, spelled, FALSE) >= 0)
            d->dict_words++;
    }
}

static enum va_err add_words(struct decoder *d, const struct asr_grammar *g, enum net_part part,
                             struct str words)
{
    char voice[32];
    lang_espeak_voice(g->language, voice, sizeof(voice));
    struct buf lines;
    buf_init(&lines, PRONS_MAX);
    enum va_err err = pron_words(d->pron, g->language, words, &lines);
    for (struct str rest = buf_str(&lines); !err && rest.len;)
        add_word(d, voice, part, str_cut(&rest, '\n'));
    buf_free(&lines);
    return err;
}

static enum va_err add_all_words(struct decoder *d, const struct asr_grammar *g)
{
    const struct lang *lang = lang_find(g->language);
    struct buf around, phrase;
    buf_init(&around, PRONS_MAX);
    buf_init(&phrase, PRONS_MAX);
    for (const char *const *p = lang->lead_ins; *p; p++)
        (void)buf_addf(&around, "%s\n", *p);
    for (const char *const *p = lang->politely; *p; p++)
        (void)buf_addf(&around, "%s\n", *p);
    for (size_t i = 0; i < g->count; i++)
        (void)buf_addf(&phrase, "%s\n", g->phrases[i].words);
    enum va_err err = buf_failed(&around) || buf_failed(&phrase) ? VA_ENOMEM : VA_OK;
    if (!err)
        err = add_words(d, g, NET_AROUND, buf_str(&around));
    if (!err)
        err = add_words(d, g, NET_PHRASE, buf_str(&phrase));
    buf_free(&around);
    buf_free(&phrase);
    return err;
}

static void search_name(uint64_t id, char out[static 24])
{
    (void)snprintf(out, 24, "g%llu", (unsigned long long)id);
}

/* Around a phrase anything may be said ("hello, my name is …"), sound by sound and at a price, so
 * that words of the net win wherever they fit. */
static void add_any_sounds(struct decoder *d, fsg_model_t *fsg, int at, int beside)
{
    logmath_t *lm = ps_get_logmath(d->ps);
    for (size_t i = 0; i < PHONES; i++) {
        char label[8];
        (void)snprintf(label, sizeof(label), "~%s", phones[i]);
        fsg_model_trans_add(fsg, at, beside, logmath_log(lm, ANY_SOUND_PROB),
                            fsg_model_word_add(fsg, label));
    }
    (void)fsg_model_null_trans_add(fsg, beside, at, 0);
}

static enum va_err set_fsg(struct decoder *d, const char *name, const struct net *net)
{
    logmath_t *lm = ps_get_logmath(d->ps);
    fsg_model_t *fsg = fsg_model_init(name, lm, 1.0F, net->state_count + 2);
    if (!fsg)
        return VA_ENOMEM;
    for (size_t i = 0; i < net->word_count; i++)
        (void)fsg_model_word_add(fsg, net->words[i]);
    for (size_t i = 0; i < net->arc_count; i++) {
        const struct net_arc *arc = &net->arcs[i];
        if (arc->word >= 0)
            fsg_model_trans_add(fsg, arc->from, arc->to, 0, arc->word);
        else
            (void)fsg_model_null_trans_add(
                fsg, arc->from, arc->to,
                arc->from == net->again_state && arc->to == 0 ? logmath_log(lm, AGAIN_PROB) : 0);
    }
    add_any_sounds(d, fsg, 0, net->state_count);
    add_any_sounds(d, fsg, net->final_state, net->state_count + 1);
    fsg->start_state = 0;
    fsg->final_state = net->final_state;
    glist_free(fsg_model_null_trans_closure(fsg, NULL));
    int status = ps_set_fsg(d->ps, name, fsg);
    fsg_model_free(fsg);
    return status ? VA_ENOMEM : VA_OK;
}

static struct compiled *find_compiled(struct decoder *d, uint64_t id)
{
    for (size_t i = 0; i < DECODER_GRAMMARS_MAX; i++) {
        if (d->grammars[i].id == id)
            return &d->grammars[i];
    }
    return NULL;
}

/* A free slot, else the one not used for longest, whose search goes. */
static struct compiled *free_slot(struct decoder *d)
{
    struct compiled *oldest = &d->grammars[0];
    for (size_t i = 1; i < DECODER_GRAMMARS_MAX; i++) {
        if (d->grammars[i].used < oldest->used)
            oldest = &d->grammars[i];
    }
    char name[24];
    search_name(oldest->id, name);
    if (oldest->id && !oldest->empty) {
        (void)ps_set_search(d->ps, "~");
        (void)ps_unset_search(d->ps, name);
    }
    *oldest = (struct compiled){0};
    return oldest;
}

static enum va_err compile(struct decoder *d, const struct asr_grammar *g)
{
    if (d->dict_words > DICT_MAX) { /* pocketsphinx cannot forget a word */
        ps_free(d->ps);
        enum va_err err = open_sphinx(d);
        if (err)
            return err;
    }
    enum va_err err = add_all_words(d, g);
    struct net net = {0};
    char name[24];
    search_name(g->id, name);
    if (!err)
        err = net_build(&net, g, has_word, d);
    if (err && err != VA_ENOTFOUND)
        return err;
    struct compiled *slot = free_slot(d);
    bool empty = err == VA_ENOTFOUND;
    err = empty ? VA_OK : set_fsg(d, name, &net);
    net_free(&net);
    if (!err)
        *slot = (struct compiled){g->id, ++d->clock, empty};
    d->compilations++;
    return err;
}

enum va_err decoder_prepare(struct decoder *d, const struct asr_grammar *g)
{
    struct compiled *c = find_compiled(d, g->id);
    enum va_err err = c ? VA_OK : compile(d, g);
    c = err ? NULL : find_compiled(d, g->id);
    if (!c)
        return err;
    c->used = ++d->clock;
    return c->empty ? VA_ENOTFOUND : VA_OK;
}

/* ---- decoding ------------------------------------------------------------------------------- */

static bool search(struct decoder *d, const char *name, const int16_t *samples, size_t count)
{
    if (ps_set_search(d->ps, name) || ps_start_utt(d->ps))
        return false;
    (void)ps_process_raw(d->ps, samples, count, FALSE, TRUE);
    return ps_end_utt(d->ps) == 0;
}

/* How well any sounds at all could fit, frame by frame: the measure for the phrase. */
static void note_free_scores(struct decoder *d)
{
    memset(d->free_score, 0, FRAMES_MAX * sizeof(*d->free_score));
    for (ps_seg_t *seg = ps_seg_iter(d->ps); seg; seg = ps_seg_next(seg)) {
        int from = 0, to = 0;
        int32 acoustic = 0, language = 0, back = 0;
        ps_seg_frames(seg, &from, &to);
        (void)ps_seg_prob(seg, &acoustic, &language, &back);
        for (int f = from; f <= to && f >= 0 && f < FRAMES_MAX; f++)
            d->free_score[f] = (float)(acoustic + language) / (float)(to - from + 1);
    }
}

static float margin_of(const struct decoder *d, int from, int to, int32 acoustic)
{
    double sum = acoustic;
    for (int f = from; f <= to && f < FRAMES_MAX; f++)
        sum -= (double)d->free_score[f];
    return (float)(sum / (double)(to - from + 1));
}

static void read_phrase(struct decoder *d, const struct asr_grammar *g, struct decoder_result *r)
{
    struct buf words;
    buf_init(&words, 4096);
    double sum = 0;
    for (ps_seg_t *seg = ps_seg_iter(d->ps); seg; seg = ps_seg_next(seg)) {
        int from = 0, to = 0;
        int32 acoustic = 0, language = 0, back = 0;
        struct str word = net_label_word(ps_seg_word(seg), NET_PHRASE);
        ps_seg_frames(seg, &from, &to);
        (void)ps_seg_prob(seg, &acoustic, &language, &back);
        if (!word.len || to < from)
            continue;
        sum += (double)margin_of(d, from, to, acoustic) * (to - from + 1);
        r->frames += to - from + 1;
        (void)buf_addf(&words, words.len ? " %.*s" : "%.*s", STR_ARG(word));
    }
    r->margin = r->frames ? (float)(sum / r->frames) : 0.0F;
    r->phrase = words.len ? grammar_find(g, buf_str(&words)) : NULL;
    buf_free(&words);
}

/* 0.5 at MARGIN_SURE, 0 at MARGIN_LEAST, 1 where the phrase is the best there is. */
static void judge(struct decoder_result *r)
{
    if (!r->phrase || r->margin < MARGIN_LEAST || r->frames < FRAMES_LEAST)
        return;
    r->understood = true;
    float c = r->margin >= MARGIN_SURE
                  ? 0.5F + 0.5F * (r->margin - MARGIN_SURE) / -MARGIN_SURE
                  : 0.5F * (r->margin - MARGIN_LEAST) / (MARGIN_SURE - MARGIN_LEAST);
    r->confidence = c > 1.0F ? 1.0F : c;
}

enum va_err decoder_run(struct decoder *d, const struct asr_grammar *g, const int16_t *samples,
                        size_t count, struct decoder_result *ret_result)
{
    struct decoder_result r = {0};
    enum va_err err = decoder_prepare(d, g);
    if (err && err != VA_ENOTFOUND)
        return err;
    char name[24];
    search_name(g->id, name);
    if (!err && search(d, "~", samples, count)) {
        note_free_scores(d);
        if (search(d, name, samples, count))
            read_phrase(d, g, &r);
        judge(&r);
    }
    *ret_result = r;
    return VA_OK;
}
