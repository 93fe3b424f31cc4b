/** ai/pipeline/llm_stream.h: a question as one HTTP request, its answer as an event stream. For the
 *  llm_*.c that speak HTTP. */
#ifndef VA_AI_PIPELINE_LLM_STREAM_H
#define VA_AI_PIPELINE_LLM_STREAM_H

#include "ai/pipeline/answer.h"

/** @param take  answer_chat or answer_anthropic. The spec's deadlines are set here */
VA_CHECK enum va_err llm_stream_ask(const struct stage_cfg *cfg, struct http_spec *spec,
                                    bool (*take)(struct answer *a, const struct sse_event *event),
                                    const struct llm_handlers *h, void *arg, struct llm **ret_llm);
void llm_stream_cancel(struct llm **llm);

#endif
