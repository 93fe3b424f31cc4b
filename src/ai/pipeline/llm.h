/**
 * ai/pipeline/llm.h: the head: an answer to a conversation, as it is being thought.
 *
 *     ask ─► on_text … ─► [on_tool …] ─► on_done        cancel: at any moment, closes the
 * connection
 */
#ifndef VA_AI_PIPELINE_LLM_H
#define VA_AI_PIPELINE_LLM_H

#include "ai/pipeline/stage.h"

enum { LLM_ID_MAX = 128, LLM_NAME_MAX = 64, LLM_ARGUMENTS_MAX = 4096, LLM_TOOLS_MAX = 8 };

struct llm;

/** A tool that the model called, and later its result. Borrowed for the call. */
struct llm_tool {
    const char *id; /**< the model's, "" when it gave none */
    const char *name;
    const char *arguments; /**< JSON text, the model's: data */
    const char *result;    /**< JSON text; NULL in on_tool */
};

/** What is asked. Borrowed for ask(). */
struct llm_question {
    const char *system;            /**< the system prompt */
    const char *opening;           /**< first user message: what is known of the call */
    const struct history *history; /**< what was said, as it was heard */
    const struct llm_tool *tool;   /**< a call behind that with its result; NULL: none */
    const char *note;              /**< last user message, in square brackets; NULL: none */
    bool tools;                    /**< the model may call them */
};

struct llm_usage {
    int64_t input_tokens, output_tokens; /**< -1: not told */
};

struct llm_handlers {
    /** Text of the answer that is to be spoken; never what was only thought. Borrowed. */
    void (*on_text)(void *arg, struct str delta);
    /** A whole call of a tool, behind all text. */
    void (*on_tool)(void *arg, const struct llm_tool *tool);
    /** All of it came. Once and last: the object is released. */
    void (*on_done)(void *arg, const struct llm_usage *usage);
    /** Likewise, instead of on_done. */
    void (*on_failed)(void *arg, const struct stage_fault *fault);
};

struct llm_ops {
    const char *name; /**< as in LLM_PROVIDER */
    /** Are all settings there? Before anything is asked. */
    VA_CHECK enum va_err (*check)(const struct stage_cfg *cfg, struct va_fault *fault);
    VA_CHECK enum va_err (*ask)(const struct stage_cfg *cfg, const struct llm_question *q,
                                const struct llm_handlers *h, void *arg, struct llm **ret_llm);
    /** NULL-safe, leaves NULL. No handler follows. */
    void (*cancel)(struct llm **llm);
};

extern const struct llm_ops llm_openai, llm_anthropic;

/** By name, or NULL. The list is llm.c. */
const struct llm_ops *llm_find(const char *name);

/* ---- the conversation as messages (llm.c) ---------------------------------------------------- */

enum llm_role { LLM_USER, LLM_ASSISTANT };

/**
 * The messages of a question in order: they begin with the user's and roles alternate, because some
 * servers take nothing else: what one side said in a row is one message.
 *
 * @param each  One message. `tool_call`: this one ends in the call; its result is the next thing.
 *              `text` may be "" then
 */
void llm_each_message(const struct llm_question *q,
                      void (*each)(void *arg, enum llm_role role, const char *text,
                                   const struct llm_tool *tool_call),
                      void *arg);

#endif
