/** app/esl_candidates.h: what a word could become, as FreeSWITCH's console_complete tells. */
#ifndef VA_APP_ESL_CANDIDATES_H
#define VA_APP_ESL_CANDIDATES_H

#include "app/esl_app.h"

enum { ESL_CANDIDATES_MAX = 2048, ESL_WORD_MAX = 128 };

/** Zero-initialise. Words are safe for a terminal. */
struct esl_candidates {
    char *word[ESL_CANDIDATES_MAX];
    size_t count, widest;
};

void esl_candidates_add(struct esl_candidates *c, struct str word);
void esl_candidates_free(struct esl_candidates *c);

/** Ask FreeSWITCH how `typed`, up to the cursor, could go on; at most `ms`. */
void esl_candidates_ask(struct esl_app *a, struct str typed, uint64_t ms, struct esl_reply *r);
/**
 * Read its answer.
 *
 * @param ret_len   Bytes before the cursor …
 * @param ret_text  … that this replaces; p is NULL when nothing does. Borrowed from the answer
 */
void esl_candidates_read(struct esl_candidates *c, struct str answer, size_t *ret_len,
                         struct str *ret_text);

#endif
