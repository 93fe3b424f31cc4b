/** tests/fuzz/realtime_listener.h: handlers of a provider that abort where a rule of ai/provider.h
 * is broken. */
#ifndef VA_FUZZ_REALTIME_LISTENER_H
#define VA_FUZZ_REALTIME_LISTENER_H

#include "ai/provider.h"

#include <stdlib.h>
#include <string.h>

struct listener {
    bool ready, failed;
    uint32_t answers, done;
    uint32_t tools;
};

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void on_ready(void *arg)
{
    struct listener *l = arg;
    require(!l->ready && !l->failed);
    l->ready = true;
}

static void on_answer(void *arg, uint32_t answer, unsigned flags)
{
    struct listener *l = arg;
    (void)flags;
    require(!l->failed && answer == l->answers + 1);
    l->answers = answer;
}

static void on_audio(void *arg, uint32_t answer, struct pcm *audio)
{
    struct listener *l = arg;
    require(!l->failed && answer && answer <= l->answers && pcm_count(audio) > 0);
}

static void on_answer_done(void *arg, uint32_t answer)
{
    struct listener *l = arg;
    require(!l->failed && answer && answer <= l->answers);
    l->done++;
    require(l->done <= l->answers); /* each once */
}

static void on_transcript(void *arg, enum speaker who, uint32_t answer, const char *text)
{
    struct listener *l = arg;
    require(!l->failed && *text && (who == SPEAKER_CALLER) == (answer == 0));
}

static void on_speech(void *arg, enum turn_phase phase)
{
    (void)phase;
    require(!((struct listener *)arg)->failed);
}

static void on_tool(void *arg, const struct tool_call *tool)
{
    struct listener *l = arg;
    require(!l->failed && tool->id == ++l->tools);
    require(tool->kind != TOOL_TRANSFER || strcmp(tool->destination, "sales") == 0);
}

static void on_failed(void *arg, enum va_err why, const char *text)
{
    struct listener *l = arg;
    require(!l->failed && why && *text);
    l->failed = true;
}

static void on_usage(void *arg, const char *text)
{
    (void)arg;
    require(*text);
}

static const struct provider_handlers handlers = {on_ready,       on_answer,     on_audio,
                                                  on_answer_done, on_transcript, on_speech,
                                                  on_tool,        on_failed,     on_usage};

#endif
