/**
 * ai/brief.h: what a model is told about itself, the call and its tools, whoever carries it there.
 * Everything comes from the secretary or is ours; what came from the call is marked as data. Any
 * thread; functions that add to a buf return its error.
 */
#ifndef VA_AI_BRIEF_H
#define VA_AI_BRIEF_H

#include "ai/provider.h"
#include "base/buf.h"
#include "base/json_write.h"

enum { BRIEF_ARGUMENTS_MAX = 16384 /**< of a tool that the model calls [bytes] */ };

/* ---- texts ---------------------------------------------------------------------------------- */

/** The system prompt: who it is, the company, what it may do, topics, destinations. Only the
 *  administrator's words: nothing in it came from a call. */
enum va_err brief_prompt_add(struct buf *out, const struct secretary *s);
/** What the telephone network told about the call, as JSON marked as data: a message of its own,
 *  never a part of the system prompt. Nothing when nothing is known.
 *  @param r  NULL: nothing is known */
enum va_err brief_call_add(struct buf *out, const struct call_record *r);
/** What a say intent means, for the model: a note in square brackets. */
enum va_err brief_say_add(struct buf *out, const struct secretary *s, enum say_intent intent);
/** The secretary's own words for it, where it has some: for remotes that say a text as it is. Else
 *  nothing is added. */
enum va_err brief_say_words_add(struct buf *out, const struct secretary *s, enum say_intent intent);
/** Two letters of the secretary's language: "pt"; "" when it has none. */
void brief_language(const struct secretary *s, char out[static 3]);

/* ---- tools ---------------------------------------------------------------------------------- */

/** A tool as the model is told of it. Its parameter, if it has one, is of type string. */
struct brief_tool {
    enum tool_kind kind;
    const char *name, *description;
    const char *parameter; /**< NULL: none */
    const char *parameter_description;
};

/** Tool `i` of those that this secretary has a use for; NULL behind the last. */
const struct brief_tool *brief_tool_at(const struct secretary *s, size_t i);
/** JSON schema of its parameters as member `key` of an open object; destinations as an enum.
 *  Upper case types ("STRING") where `upper`, as Google writes them. */
void brief_tool_schema(struct json_writer *w, const char *key, const struct secretary *s,
                       const struct brief_tool *tool, bool upper);
/**
 * What the model wants.
 *
 * @param arguments  JSON text, the model's: data
 * @param ret_call   Set on success, but for its id; its destination is borrowed from `s`
 * @return NULL, or why it cannot have it, as JSON for the model
 */
const char *brief_tool_read(const struct secretary *s, struct str name, struct str arguments,
                            struct tool_call *ret_call);
/** What became of a tool, as JSON for the model. */
const char *brief_tool_result(enum tool_kind kind, enum va_err result);
/** The caller is to be told of it: another answer is wanted. */
bool brief_tool_result_told(enum tool_kind kind, enum va_err result);

#endif
