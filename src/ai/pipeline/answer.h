/**
 * ai/pipeline/answer.h: an answer of a model out of the events of its stream. No I/O: the two
 * protocols are two functions over the same object.
 *
 * Tolerated of chat completions, because servers do it: no finish_reason, a whole tool call in one
 * piece, calls without an index or all with index 0, arguments as an object, content as parts, a
 * message in place of deltas, comments, usage in a chunk without choices.
 */
#ifndef VA_AI_PIPELINE_ANSWER_H
#define VA_AI_PIPELINE_ANSWER_H

#include "ai/pipeline/llm.h"
#include "ai/pipeline/speakable.h"
#include "net/sse.h"

struct answer_tool {
    bool used;
    int64_t index; /* the remote's, -1: none */
    char id[LLM_ID_MAX], name[LLM_NAME_MAX];
    struct buf arguments;
};

struct answer {
    struct buf text; /* to be spoken, not taken yet */
    struct reasoning reasoning;
    struct answer_tool tool[LLM_TOOLS_MAX];
    struct llm_usage usage;
    size_t bytes;    /* of text so far */
    bool over;       /* the stream said so */
    bool odd;        /* an event was no JSON, or made no sense */
    enum va_err err; /* the stream told an error */
    char cause[STAGE_CAUSE_MAX];
};

void answer_init(struct answer *a);
void answer_free(struct answer *a);

/** Event of chat completions (OpenAI's, and everybody's). @return false: nothing more is wanted */
bool answer_chat(struct answer *a, const struct sse_event *event);
/** Event of Anthropic's messages. @return likewise */
bool answer_anthropic(struct answer *a, const struct sse_event *event);
/** The stream is over: what was kept back is text. */
void answer_end(struct answer *a);

/* ---- between the two ---- */

/** Text of the answer; over STAGE_TEXT_MAX it is over. */
void answer_text(struct answer *a, struct str delta);
/** The slot of a call, a new one if need be; NULL: more than LLM_TOOLS_MAX. */
struct answer_tool *answer_tool_at(struct answer *a, int64_t index, struct str id);
/** @param kind  The remote's word for the error, may be empty */
void answer_error(struct answer *a, struct str kind, struct str body);

#endif
