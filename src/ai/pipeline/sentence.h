/**
 * ai/pipeline/sentence.h: sentences out of a text that grows, as soon as each is complete. No I/O.
 *
 * A sentence ends at . ! ? … or a line's end. Not at the dot of an abbreviation ("Sr.", "Dr.",
 * "Av.", "e.g."), an initial ("J. Silva"), a number ("3.500", "1. first"), nor inside one
 * ("12.5"). The first one of an answer may end earlier, at a comma, when it is long: the caller
 * waits for it. No sentence is longer than SENTENCE_MAX.
 */
#ifndef VA_AI_PIPELINE_SENTENCE_H
#define VA_AI_PIPELINE_SENTENCE_H

#include "base/buf.h"

enum {
    SENTENCE_MAX = 400,  /* [bytes]; then it is cut between words */
    SENTENCE_CLAUSE = 90 /* of a first one; from here on a comma ends it [bytes] */
};

struct sentence {
    struct buf text; /* what is not cut off yet */
    size_t seen;     /* bytes of it that were looked at in vain */
    bool first;      /* none was cut off yet */
};

void sentence_init(struct sentence *s);
void sentence_free(struct sentence *s);
void sentence_reset(struct sentence *s);
/** More text. @return VA_OK, VA_ELIMIT, VA_ENOMEM */
VA_CHECK enum va_err sentence_add(struct sentence *s, struct str more);
/**
 * Take the next complete sentence, trimmed, never empty.
 *
 * @param last  The text is over: what is left is a sentence, too
 * @param out   Its content is replaced
 * @return false: none yet
 */
bool sentence_next(struct sentence *s, bool last, struct buf *out);

#endif
