/**
 * ai/pipeline/stage.h: what every stage is given, and what stages share.
 *
 * A stage never calls back from inside one of its functions. Its handlers take note and leave: they
 * do not cancel the stage that called them (the pipeline acts on the loop's next turn); the last
 * one of an object, on_done, on_failed or on_final, may do anything.
 */
#ifndef VA_AI_PIPELINE_STAGE_H
#define VA_AI_PIPELINE_STAGE_H

#include "ai/provider.h"
#include "base/buf.h"
#include "net/http.h"

enum {
    STAGE_TEXT_MAX = 16384,      /* of one answer, one turn [bytes] */
    STAGE_REQUEST_MAX = 1 << 20, /* a request's body [bytes] */
    STAGE_URL_MAX = HTTP_URL_MAX,
    STAGE_CAUSE_MAX = 200,       /* of what a server says went wrong [bytes] */
    STAGE_STALL_MS = 10000,      /* a stream that says nothing for this long has failed */
    STAGE_FIRST_BYTE_MS = 20000, /* a model that is being loaded takes its time; how long the caller
                                  * waits is AI_FIRST_AUDIO_TIMEOUT_MS, which ends it before */
};

/** All borrowed, outliving the stage. */
struct stage_cfg {
    struct loop *loop;
    struct http_client *http;
    const struct provider_env *env;
    const struct settings *settings;
    const struct secretary *secretary;
    const struct log_ctx *log;
    int rate_hz; /**< of the line [Hz] */
};

/** Why a stage failed. Borrowed for the call. */
struct stage_fault {
    enum va_err err;
    int64_t retry_after_ms; /**< the server's wish; -1: none */
    const char *text;       /**< for people: cause and fix */
};

/** `base` (or `fallback` when it is "") and `path`, with one slash between. @return VA_OK,
 * VA_ELIMIT
 */
VA_CHECK enum va_err stage_url(char out[static STAGE_URL_MAX], const char *base,
                               const char *fallback, const char *path);

/**
 * What a server says is wrong: error.message, error, message or detail of a JSON body, else the
 * text itself; one line, printable, cut. "" when there is nothing.
 */
void stage_cause(struct str body, char out[static STAGE_CAUSE_MAX]);

/** A fault out of a request that ended badly. `stage`: "LLM". `text` is where its text goes. */
struct stage_fault stage_http_fault(const char *stage, const struct http_end *end, char *text,
                                    size_t cap);

/** Deadlines of a stage's request. */
void stage_deadlines(const struct stage_cfg *cfg, struct http_spec *spec);

/** The key of a server of OpenAI's kind: `own`, else OPENAI_API_KEY where `base` is OpenAI itself.
 */
const char *stage_openai_key(const struct settings *s, const char *own, const char *base);
/** Headers of such a request: JSON and, with a key, the bearer. `bearer` holds the value.
 *  @return how many */
size_t stage_bearer(struct http_header h[static 2], const char *key, char *bearer, size_t cap);

#endif
