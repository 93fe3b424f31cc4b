#include "app/esl_candidates.h"
#include "app/esl_show.h"

#include <stdlib.h>

enum { LINE_BYTES = 4096 };

void esl_candidates_add(struct esl_candidates *c, struct str word)
{
    word = str_trim(word);
    if (!word.len || word.len > ESL_WORD_MAX || c->count == ESL_CANDIDATES_MAX)
        return;
    for (size_t i = 0; i < c->count; i++)
        if (str_eqz(word, c->word[i]))
            return; /* FreeSWITCH names some twice */
    struct buf safe;
    buf_init(&safe, 4 * ESL_WORD_MAX);
    esl_show_safe(&safe, word, false);
    c->word[c->count] = str_dup(buf_str(&safe));
    if (c->word[c->count])
        c->count++;
    c->widest = safe.len > c->widest ? safe.len : c->widest;
    buf_free(&safe);
}

void esl_candidates_free(struct esl_candidates *c)
{
    while (c->count)
        free(c->word[--c->count]);
}

void esl_candidates_ask(struct esl_app *a, struct str typed, uint64_t ms, struct esl_reply *r)
{
    struct buf line;
    *r = (struct esl_reply){.err = VA_EINVAL};
    while (typed.len && typed.p[0] == ' ')
        typed = str_make(typed.p + 1, typed.len - 1);
    buf_init(&line, LINE_BYTES);
    (void)buf_addf(&line, "console_complete c=%zu;", typed.len);
    if (!buf_adds(&line, typed))
        esl_app_ask(a, ESL_ASK_API, buf_str(&line), ms, r);
    buf_free(&line);
}

/* "[   word]\t" … "\n\nwrite=LEN:TEXT": candidates, and what replaces LEN bytes before the cursor.
 */
void esl_candidates_read(struct esl_candidates *c, struct str answer, size_t *ret_len,
                         struct str *ret_text)
{
    static const char mark[] = "write=";
    const char *at = memmem(answer.p ? answer.p : "", answer.len, mark, sizeof(mark) - 1);
    struct str words = at ? str_make(answer.p, (size_t)(at - answer.p)) : answer;
    uint64_t len = 0;
    *ret_len = 0;
    *ret_text = str_make(NULL, 0);
    if (at) {
        struct str rest = str_make(at + 6, answer.len - (size_t)(at - answer.p) - 6);
        struct str number = str_cut(&rest, ':');
        if (!str_to_u64(number, &len) && len <= ESL_WORD_MAX) {
            *ret_len = (size_t)len;
            *ret_text = str_cut(&rest, '\n');
        }
    }
    while (words.len) {
        (void)str_cut(&words, '[');
        esl_candidates_add(c, str_cut(&words, ']'));
    }
}
