#include "fakefs/script.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORDS_MAX = 12, WORD_MAX = 1000 };

/* One line, cut into words; the parser eats them from the left. */
struct line {
    const char *name;
    unsigned number;
    char word[WORDS_MAX][WORD_MAX];
    size_t count, at;
    struct va_fault *fault;
};

static enum va_err wrong(struct line *l, const char *what)
{
    return va_fault_set(l->fault, VA_ECONFIG, "%s:%u: %s", l->name, l->number, what);
}

/* Words are separated by blanks; "…" holds blanks, \" and \\ inside; # begins a comment. */
static enum va_err cut_words(struct line *l, struct str text)
{
    size_t i = 0;
    for (;;) {
        while (i < text.len && (text.p[i] == ' ' || text.p[i] == '\t' || text.p[i] == '\r'))
            i++;
        if (i == text.len || text.p[i] == '#')
            return VA_OK;
        if (l->count == WORDS_MAX)
            return wrong(l, "too many words; quote the text to say: say \"…\"");
        char *out = l->word[l->count++];
        size_t n = 0;
        bool quoted = text.p[i] == '"', open = quoted;
        for (i += quoted; i < text.len && n + 1 < WORD_MAX; i++) {
            char c = text.p[i];
            if (quoted && c == '\\' && i + 1 < text.len) {
                c = text.p[++i];
            } else if (quoted && c == '"') {
                open = false;
                i++;
                break;
            } else if (!quoted && (c == ' ' || c == '\t' || c == '\r' || c == '#')) {
                break;
            }
            out[n++] = c;
        }
        out[n] = 0;
        if (open)
            return wrong(l, "a quote is never closed");
    }
}

static const char *next(struct line *l)
{
    return l->at < l->count ? l->word[l->at++] : NULL;
}

static bool take(struct line *l, const char *word)
{
    bool hit = l->at < l->count && str_ieqz(str_of(l->word[l->at]), word);
    l->at += hit;
    return hit;
}

/* "500ms", "2s", "1.5s" */
static enum va_err read_time(struct line *l, uint64_t *ret_ms)
{
    const char *word = next(l);
    struct str text = str_of(word), whole, unit;
    uint64_t n = 0, tenths = 0;
    size_t digits = 0;
    while (digits < text.len &&
           ((text.p[digits] >= '0' && text.p[digits] <= '9') || text.p[digits] == '.'))
        digits++;
    unit = str_make(text.p + digits, text.len - digits);
    struct str fraction = str_make(text.p, digits);
    whole = str_cut(&fraction, '.');
    bool seconds = str_eqz(unit, "s");
    if (!word || (!seconds && !str_eqz(unit, "ms")) || str_to_u64(whole, &n) || n > 86400000 ||
        (fraction.len && (fraction.len > 1 || !seconds || str_to_u64(fraction, &tenths))))
        return wrong(l, "a time is missing or wrong; write 500ms, 2s or 1.5s");
    *ret_ms = seconds ? n * 1000 + tenths * 100 : n;
    return VA_OK;
}

static enum va_err read_within(struct line *l, uint64_t *ret_ms)
{
    *ret_ms = SCRIPT_WAIT_MS;
    return take(l, "within") ? read_time(l, ret_ms) : VA_OK;
}

static enum va_err set_text(struct line *l, char **to, const char *text)
{
    *to = str_dup(str_of(text));
    return *to ? VA_OK : va_fault_set(l->fault, VA_ENOMEM, "out of memory");
}

static enum va_err read_voice(struct line *l, struct step *st)
{
    const char *text = next(l);
    if (!text || !*text)
        return wrong(l, "nothing to say; write: say \"good morning\"");
    enum va_err err = set_text(l, &st->text, text);
    if (err || !take(l, "voice"))
        return err;
    text = next(l);
    return text ? set_text(l, &st->voice, text)
                : wrong(l, "the voice is missing; write: say \"…\" voice pt-br");
}

static enum va_err read_sound(struct line *l, struct step *st)
{
    if (take(l, "say"))
        return read_voice(l, st);
    const char *file = take(l, "wav") ? next(l) : NULL;
    if (!file)
        return wrong(l, "a sound is missing; write: say \"…\" or: wav FILE");
    st->count = 1; /* from a file */
    return set_text(l, &st->text, file);
}

/* ---- steps ---------------------------------------------------------------------------------- */

static enum va_err step_wait(struct line *l, struct step *st)
{
    static const char *const what[] = {"greeting", "speech", "answer", "silence"};
    for (unsigned i = 0; i < 4; i++) {
        if (!take(l, what[i]))
            continue;
        st->kind = (enum step_kind)(STEP_WAIT_GREETING + i);
        return read_within(l, &st->ms);
    }
    return wrong(l, "wait for what? greeting, speech, answer or silence");
}

static enum va_err step_try(struct line *l, struct step *st)
{
    st->optional = true;
    return take(l, "wait") ? step_wait(l, st) : wrong(l, "write: try wait answer within 5s");
}

static enum va_err step_say(struct line *l, struct step *st)
{
    st->kind = STEP_SAY;
    return read_voice(l, st);
}

static enum va_err step_wav(struct line *l, struct step *st)
{
    st->kind = STEP_WAV;
    const char *file = next(l);
    return file ? set_text(l, &st->text, file) : wrong(l, "the file is missing; write: wav FILE");
}

static enum va_err step_barge_in(struct line *l, struct step *st)
{
    st->kind = STEP_BARGE_IN;
    enum va_err err = read_time(l, &st->ms);
    if (!err)
        err = read_sound(l, st);
    return err ? err : read_within(l, &st->limit_ms);
}

static enum va_err step_dtmf(struct line *l, struct step *st)
{
    st->kind = STEP_DTMF;
    const char *digits = next(l);
    if (!digits || !*digits || strlen(digits) > 32 ||
        strspn(digits, "0123456789*#ABCDabcd") != strlen(digits))
        return wrong(l, "keys are 0-9 * # A-D, at most 32 (quote a #: dtmf \"1#\")");
    return set_text(l, &st->text, digits);
}

static enum va_err step_sleep(struct line *l, struct step *st)
{
    st->kind = STEP_SLEEP;
    return read_time(l, &st->ms);
}

static enum va_err step_expect(struct line *l, struct step *st)
{
    static const char *const what[] = {"speech", "silence", "transfer", "bridge",
                                       "hangup", "return",  "unbridge"};
    for (unsigned i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
        if (!take(l, what[i]))
            continue;
        st->kind = (enum step_kind)(STEP_EXPECT_SPEECH + i);
        bool names = st->kind == STEP_EXPECT_TRANSFER || st->kind == STEP_EXPECT_BRIDGE ||
                     st->kind == STEP_EXPECT_HANGUP;
        if (names && l->at < l->count && !str_ieqz(str_of(l->word[l->at]), "within")) {
            enum va_err err = set_text(l, &st->text, next(l));
            if (err)
                return err;
        }
        return read_within(l, &st->ms);
    }
    return wrong(l, "expect what? speech, silence, transfer [DEST], bridge [DEST], hangup [CAUSE] "
                    "return or unbridge, each: within TIME");
}

static enum va_err step_hangup(struct line *l, struct step *st)
{
    st->kind = STEP_HANGUP;
    const char *cause = next(l);
    return set_text(l, &st->text, cause ? cause : "NORMAL_CLEARING");
}

static enum va_err step_fail_audio(struct line *l, struct step *st)
{
    (void)l;
    st->kind = STEP_FAIL_AUDIO;
    return VA_OK;
}

static enum va_err step_resume_audio(struct line *l, struct step *st)
{
    (void)l;
    st->kind = STEP_RESUME_AUDIO;
    return VA_OK;
}

static enum va_err step_reset(struct line *l, struct step *st)
{
    (void)l;
    st->kind = STEP_RESET_CONTROL;
    return VA_OK;
}

static enum va_err step_inject(struct line *l, struct step *st)
{
    uint64_t n = 50;
    st->kind = STEP_INJECT;
    if (take(l, "foreign"))
        st->choice = FAKEFS_INJECT_FOREIGN;
    else if (take(l, "garbage"))
        st->choice = FAKEFS_INJECT_GARBAGE;
    else
        return wrong(l, "inject what? foreign or garbage, and how many: inject foreign 50");
    const char *count = next(l);
    if (count && (str_to_u64(str_of(count), &n) || n > 10000))
        return wrong(l, "a number of datagrams is 1 to 10000");
    st->count = (unsigned)n;
    return VA_OK;
}

static enum va_err step_human(struct line *l, struct step *st)
{
    st->kind = STEP_HUMAN;
    st->talks_ms = 2000;
    if (take(l, "answers"))
        st->choice = FAKEFS_HUMAN_ANSWERS;
    else if (take(l, "busy"))
        st->choice = FAKEFS_HUMAN_BUSY;
    else if (take(l, "no-answer"))
        st->choice = FAKEFS_HUMAN_NO_ANSWER;
    else
        return wrong(l, "human does what? answers, busy or no-answer [after TIME] [talks TIME]");
    enum va_err err = take(l, "after") ? read_time(l, &st->ms) : VA_OK;
    if (!err && take(l, "talks"))
        err = read_time(l, &st->talks_ms);
    return err;
}

static const struct {
    const char *word;
    enum va_err (*read)(struct line *l, struct step *st);
} words[] = {{"wait", step_wait},
             {"try", step_try},
             {"say", step_say},
             {"wav", step_wav},
             {"barge-in", step_barge_in},
             {"dtmf", step_dtmf},
             {"sleep", step_sleep},
             {"expect", step_expect},
             {"hangup", step_hangup},
             {"fail-audio", step_fail_audio},
             {"resume-audio", step_resume_audio},
             {"reset-control", step_reset},
             {"inject", step_inject},
             {"human", step_human}};

static void step_free(struct step *st)
{
    free(st->text);
    free(st->voice);
    pcm_unref(&st->pcm);
}

static enum va_err read_step(struct line *l, struct step *st)
{
    const char *word = next(l);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!str_ieqz(str_of(word), words[i].word))
            continue;
        enum va_err err = words[i].read(l, st);
        if (!err && l->at < l->count)
            err = wrong(l, "words are left over at the end of the line");
        if (!err && !st->text)
            err = set_text(l, &st->text, "");
        return err;
    }
    return wrong(l, "unknown step; known are: wait try say wav barge-in dtmf sleep expect hangup "
                    "fail-audio resume-audio reset-control inject human");
}

static enum va_err add(struct script *s, const struct step *st, struct va_fault *fault)
{
    if (s->count == SCRIPT_STEPS_MAX)
        return va_fault_set(fault, VA_ELIMIT, "more than %d steps", SCRIPT_STEPS_MAX);
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        struct step *more = realloc(s->step, cap * sizeof(*more));
        if (!more)
            return va_fault_set(fault, VA_ENOMEM, "out of memory");
        s->step = more;
        s->cap = cap;
    }
    s->step[s->count++] = *st;
    return VA_OK;
}

enum va_err script_parse(struct script *s, const char *name, struct str text,
                         struct va_fault *fault)
{
    struct line *l = malloc(sizeof(*l));
    if (!l)
        return va_fault_set(fault, VA_ENOMEM, "out of memory");
    enum va_err err = VA_OK;
    for (unsigned number = 1; !err && text.len; number++) {
        l->name = name;
        l->number = number;
        l->count = l->at = 0;
        l->fault = fault;
        err = cut_words(l, str_cut(&text, '\n'));
        if (err || !l->count)
            continue;
        struct step st = {.line = number};
        err = read_step(l, &st);
        if (!err)
            err = add(s, &st, fault);
        if (err)
            step_free(&st);
    }
    free(l);
    return err;
}

void script_free(struct script *s)
{
    for (size_t i = 0; i < s->count; i++)
        step_free(&s->step[i]);
    free(s->step);
    *s = (struct script){NULL, 0, 0};
}

const char *script_step_text(const struct step *st, char *out, size_t cap)
{
    static const char *const name[] = {
        "wait greeting", "wait speech",   "wait answer",    "wait silence",
        "say",           "wav",           "barge-in",       "dtmf",
        "sleep",         "expect speech", "expect silence", "expect transfer",
        "expect bridge", "expect hangup", "expect return",  "expect unbridge",
        "hangup",        "fail-audio",    "resume-audio",   "reset-control",
        "inject",        "human"};
    bool limit = st->kind <= STEP_WAIT_SILENCE ||
                 (st->kind >= STEP_EXPECT_SPEECH && st->kind <= STEP_EXPECT_UNBRIDGE);
    char within[40] = "";
    if (limit)
        (void)snprintf(within, sizeof(within), " within %.1f s", (double)st->ms / 1000);
    (void)snprintf(out, cap, "%s%s%s%s", name[st->kind], *st->text ? " " : "", st->text, within);
    return out;
}
