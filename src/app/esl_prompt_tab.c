#include "app/esl_candidates.h"
#include "app/esl_prompt.h"
#include "app/esl_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { TAB_MS = 2000, LINE_BYTES = 4096 };

/* Below the line, in columns; the line is drawn again behind them. */
static void list(struct esl_prompt *p, const struct esl_candidates *c)
{
    struct winsize w = {0};
    struct buf out;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) || !w.ws_col)
        w.ws_col = 80;
    size_t columns = w.ws_col / (c->widest + 2), rows;
    columns = columns ? columns : 1;
    rows = (c->count + columns - 1) / columns;
    buf_init(&out, 1 << 20);
    (void)buf_addc(&out, '\n');
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = row; i < c->count; i += rows)
            (void)buf_addf(&out, "%-*s  ", (int)c->widest, c->word[i]);
        while (out.len && out.p[out.len - 1] == ' ')
            out.len--;
        (void)buf_addc(&out, '\n');
    }
    (void)fwrite(buf_z(&out), 1, out.len, stdout);
    buf_free(&out);
    (void)el_set(p->el, EL_REFRESH);
}

/* ---- by FreeSWITCH -------------------------------------------------------------------------- */

static bool harmless(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] > 0x7e)
            return false;
    return s.len <= ESL_WORD_MAX;
}

/* Characters the last `bytes` bytes before the cursor stand for. */
static unsigned char replace(EditLine *el, size_t bytes, struct str text)
{
    char z[ESL_WORD_MAX + 1];
    const LineInfo *line = el_line(el);
    if (!text.len || !harmless(text) || !str_copy(z, sizeof(z), text))
        return CC_REFRESH;
    if (bytes > (size_t)(line->cursor - line->buffer))
        return CC_ERROR;
    int characters = 0;
    for (size_t i = 1; i <= bytes; i++)
        characters += ((unsigned char)line->cursor[-(long)i] & 0xc0) != 0x80;
    el_deletestr(el, characters);
    (void)el_insertstr(el, z);
    return CC_REFRESH;
}

static unsigned char by_freeswitch(struct esl_prompt *p, struct str typed)
{
    struct esl_candidates *c = calloc(1, sizeof(*c));
    unsigned char done = CC_ERROR;
    struct esl_reply r = {0};
    struct str text;
    size_t len = 0;
    if (c && p->app->ready) {
        esl_candidates_ask(p->app, typed, TAB_MS, &r);
        p->app->stop = false;
    }
    if (c && r.done && !r.err) {
        esl_candidates_read(c, buf_str(&r.text), &len, &text);
        /* More than one and nothing to add: show them. */
        if (c->count > 1 && text.len <= len)
            list(p, c);
        done = replace(p->el, len, text);
    }
    if (c)
        esl_candidates_free(c);
    free(c);
    buf_free(&r.text);
    return done;
}

/* ---- by ourselves: slash commands and names of events --------------------------------------- */

static size_t common(const struct esl_candidates *c)
{
    size_t n = c->count ? strlen(c->word[0]) : 0;
    for (size_t i = 1; i < c->count; i++) {
        size_t same = 0;
        while (same < n && c->word[i][same] == c->word[0][same])
            same++;
        n = same;
    }
    return n;
}

static unsigned char by_ourselves(struct esl_prompt *p, struct str typed)
{
    struct esl_candidates *c = calloc(1, sizeof(*c));
    struct str word = typed;
    if (!c)
        return CC_ERROR;
    while (memchr(word.p, ' ', word.len))
        (void)str_cut(&word, ' ');
    if (word.len == typed.len) {
        for (const struct esl_slash *s = esl_slashes; s->name; s++)
            if (s->help && str_starts(str_of(s->name), "/") && strlen(s->name) >= word.len &&
                str_ieq(str_make(s->name, word.len), word))
                esl_candidates_add(c, str_of(s->name));
    } else if (str_starts(typed, "/event")) {
        for (const char *const *name = esl_event_names; *name; name++)
            if (strlen(*name) >= word.len && str_ieq(str_make(*name, word.len), word))
                esl_candidates_add(c, str_of(*name));
    }
    unsigned char done = CC_ERROR;
    size_t n = common(c);
    if (c->count) {
        char text[ESL_WORD_MAX + 2];
        if (c->count > 1 && n == word.len)
            list(p, c);
        (void)snprintf(text, sizeof(text), "%.*s%s", (int)n, c->word[0], c->count == 1 ? " " : "");
        done = replace(p->el, word.len, str_of(text));
    }
    esl_candidates_free(c);
    free(c);
    return done;
}

unsigned char esl_prompt_tab(EditLine *el, int key)
{
    void *p = NULL;
    char typed[LINE_BYTES];
    const LineInfo *line = el_line(el);
    (void)key;
    (void)el_get(el, EL_CLIENTDATA, &p);
    if (!str_copy(typed, sizeof(typed),
                  str_make(line->buffer, (size_t)(line->cursor - line->buffer))))
        return CC_ERROR;
    struct str text = str_of(typed);
    while (text.len && text.p[0] == ' ')
        text = str_make(text.p + 1, text.len - 1);
    return str_starts(text, "/") ? by_ourselves(p, text) : by_freeswitch(p, text);
}
