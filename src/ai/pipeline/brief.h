/**
 * ai/pipeline/brief.h: what the model is told about itself, the call and its tools: the texts that
 * the realtime providers use, too.
 */
#ifndef VA_AI_PIPELINE_BRIEF_H
#define VA_AI_PIPELINE_BRIEF_H

#include "ai/provider.h"
#include "base/buf.h"
#include "base/json_write.h"

/** The system prompt: nothing in it came from a call. */
enum va_err brief_prompt_add(struct buf *out, const struct secretary *s);
/** What the telephone network told, marked as data. Nothing when nothing is known. */
enum va_err brief_call_add(struct buf *out, const struct secretary *s, const struct call_record *r);
/** Two letters of the secretary's language: "pt". */
void brief_language(const struct secretary *s, char out[static 3]);

/** A tool as the model is told of it. */
struct brief_tool {
    enum tool_kind kind;
    const char *name, *description;
};
/** Tool `i` of this secretary; false behind the last. */
bool brief_tool_at(const struct secretary *s, size_t i, struct brief_tool *ret);
/** JSON schema of the parameters of tool `i` as member `key` of an open object. */
void brief_tool_schema(struct json_writer *w, const char *key, const struct secretary *s, size_t i);
/** What became of a tool, as JSON for the model. */
const char *brief_tool_result(enum tool_kind kind, enum va_err result);
/** The caller is to be told of it: another answer is wanted. */
bool brief_tool_result_told(enum tool_kind kind, enum va_err result);
/** What a say intent means, for the model: a note in square brackets. */
enum va_err brief_say_add(struct buf *out, const struct secretary *s, enum say_intent intent);

#endif
