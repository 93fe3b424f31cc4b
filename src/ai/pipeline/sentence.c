#include "ai/pipeline/sentence.h"
#include "base/utf8.h"

#include <ctype.h>

enum { TEXT_MAX = 65536, WORD_MAX = 12 };

/* Lower case, without the dot. */
static const char *const abbreviations[] = {
    "sr",   "sra",  "srs",  "sras", "srta", "dr",   "dra", "drs",    "prof", "profa", "eng",
    "exmo", "exma", "ilmo", "ilma", "av",   "al",   "r",   "rod",    "pça",  "pc",    "tel",
    "ap",   "apt",  "apto", "cj",   "bl",   "nº",   "no",  "núm",    "num",  "pág",   "pag",
    "obs",  "ex",   "etc",  "mr",   "mrs",  "ms",   "st",  "mt",     "jr",   "vs",    "e.g",
    "i.e",  "p.ex", "inc",  "ltd",  "ltda", "dept", "ext", "approx", "a.m",  "p.m",   "u.s"};

void sentence_init(struct sentence *s)
{
    *s = (struct sentence){.first = true};
    buf_init(&s->text, TEXT_MAX);
}

void sentence_free(struct sentence *s)
{
    buf_free(&s->text);
}

void sentence_reset(struct sentence *s)
{
    buf_reset(&s->text);
    s->seen = 0;
    s->first = true;
}

enum va_err sentence_add(struct sentence *s, struct str more)
{
    return buf_adds(&s->text, more);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Length of the sentence mark at p, 0 when there is none. */
static size_t mark(struct str t, size_t at)
{
    char c = t.p[at];
    if (c == '.' || c == '!' || c == '?')
        return 1;
    bool wide = at + 2 < t.len;
    if (wide && (memcmp(t.p + at, "\xe2\x80\xa6", 3) == 0 || memcmp(t.p + at, "。", 3) == 0))
        return 3;
    return 0;
}

/* Marks and closing quotes and brackets in a row behind `at`. */
static size_t run_end(struct str t, size_t at)
{
    for (size_t n = 1; at < t.len && n; at += n) {
        n = mark(t, at);
        if (!n && (t.p[at] == '"' || t.p[at] == '\'' || t.p[at] == ')' || t.p[at] == '*' ||
                   t.p[at] == ']' || t.p[at] == '_'))
            n = 1;
        if (!n && at + 2 < t.len && memcmp(t.p + at, "\xe2\x80\x9d", 3) == 0)
            n = 3;
    }
    return at;
}

static struct str last_word(struct str t, size_t dot)
{
    size_t from = dot;
    while (from > 0 && !blank(t.p[from - 1]) && t.p[from - 1] != '(' && t.p[from - 1] != '"')
        from--;
    return str_make(t.p + from, dot - from);
}

static bool abbreviated(struct str word)
{
    char lower[WORD_MAX + 1];
    if (word.len == 0 || word.len > WORD_MAX)
        return false;
    for (size_t i = 0; i < word.len; i++)
        lower[i] = (char)tolower((unsigned char)word.p[i]);
    for (size_t i = 0; i < sizeof(abbreviations) / sizeof(abbreviations[0]); i++)
        if (str_eqz(str_make(lower, word.len), abbreviations[i]))
            return true;
    return word.len == 1 && isupper((unsigned char)*word.p); /* an initial */
}

/* "1." in front of a line is its number; "às 8." ends a sentence. */
static bool line_number(struct str t, struct str word)
{
    if (word.len == 0 || word.len > 2)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (!isdigit((unsigned char)word.p[i]))
            return false;
    const char *p = word.p;
    while (p > t.p && (p[-1] == ' ' || p[-1] == '\t'))
        p--;
    return p == t.p || p[-1] == '\n';
}

static bool is_end(struct str t, size_t at)
{
    if (t.p[at] != '.')
        return true;
    struct str word = last_word(t, at);
    return !abbreviated(word) && !line_number(t, word);
}

/* Between words, at the latest where it becomes too long; never inside a character. */
static size_t forced_end(struct str t)
{
    size_t at = SENTENCE_MAX;
    while (at > SENTENCE_MAX / 2 && !blank(t.p[at]))
        at--;
    if (blank(t.p[at]))
        return at;
    return utf8_cut(t, SENTENCE_MAX);
}

/* The text ends inside what may be a closing quote. */
static bool half_character(struct str t, size_t at)
{
    return at + 3 > t.len && (unsigned char)t.p[at] == 0xE2;
}

/* End of the first sentence, 0 when it is not here yet. */
static size_t find_end(struct sentence *s, bool last)
{
    struct str t = buf_str(&s->text);
    for (size_t at = s->seen; at < t.len; at++) {
        size_t n = mark(t, at), end = n ? run_end(t, at) : 0;
        if (t.p[at] == '\n')
            return at + 1;
        if (n && !last && (end == t.len || half_character(t, end))) {
            s->seen = at; /* what follows decides */
            return t.len > SENTENCE_MAX ? forced_end(t) : 0;
        }
        if (n && (end == t.len || blank(t.p[end])) && is_end(t, at))
            return end;
        if (n)
            at = end - 1;
        else if (s->first && at >= SENTENCE_CLAUSE && (t.p[at] == ',' || t.p[at] == ';') &&
                 at + 1 < t.len && blank(t.p[at + 1]))
            return at + 1;
        if (at >= SENTENCE_MAX)
            return forced_end(t);
    }
    s->seen = t.len;
    while (s->seen > 0 && ((unsigned char)t.p[s->seen - 1] & 0x80)) /* perhaps half a mark */
        s->seen--;
    if (s->seen && (t.p[s->seen - 1] == ',' || t.p[s->seen - 1] == ';'))
        s->seen--;
    return last ? t.len : 0;
}

bool sentence_next(struct sentence *s, bool last, struct buf *out)
{
    for (;;) {
        size_t end = find_end(s, last);
        if (end == 0)
            return false;
        struct str one = str_trim(str_make(s->text.p, end));
        buf_reset(out);
        (void)buf_adds(out, one);
        buf_consume(&s->text, end);
        s->seen = 0;
        if (one.len) {
            s->first = false;
            return true;
        }
    }
}
