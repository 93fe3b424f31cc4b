/**
 * ai/pipeline/speakable.h: a model's text as a voice should read it. No I/O.
 *
 * Marks of Markdown, emoji and what stands between <think> and </think> are not spoken.
 */
#ifndef VA_AI_PIPELINE_SPEAKABLE_H
#define VA_AI_PIPELINE_SPEAKABLE_H

#include "base/buf.h"

/** `text` without its markup, appended; blanks joined. A link is its words, a code fence nothing.
 *  @return VA_OK, VA_ELIMIT, VA_ENOMEM */
enum va_err speakable_add(struct buf *out, struct str text);
/** Is there anything a voice could read? */
bool speakable_has_words(struct str text);

enum { REASONING_TAG_MAX = 16 };

/** Filter of a growing text: thoughts of models that write them into their answer. Zero at first.
 */
struct reasoning {
    bool inside;                 /* of a thought */
    char tag[REASONING_TAG_MAX]; /* what may become a tag */
    size_t tag_len;
};

/** Append the part of `delta` that is no thought. @return VA_OK, VA_ELIMIT, VA_ENOMEM */
enum va_err reasoning_filter(struct reasoning *r, struct str delta, struct buf *out);
/** The text is over: what looked like the begin of a tag was none. */
enum va_err reasoning_end(struct reasoning *r, struct buf *out);

#endif
