/**
 * tests/fuzz/realtime_driver.h: a conversation with a realtime provider out of bytes. Whatever the
 * remote says, in whatever order, between whatever the call asks for: the rules of ai/provider.h
 * hold. A line is a message; one that begins with a mark is the call's: '!' say, '#' digit,
 * '<' interrupt, '=' tool result, '~' caller's audio. '^' is audio of the remote, where that comes
 * as a message of its own kind.
 */
#ifndef VA_FUZZ_REALTIME_DRIVER_H
#define VA_FUZZ_REALTIME_DRIVER_H

#include "ai/realtime/rt.h"
#include "net/loop.h"

#include "realtime_listener.h"

enum { LINES_MAX = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;
static struct settings settings;
static struct secretary *secretary;

static void set(char *setting, const char *value)
{
    (void)str_copy(setting, SETTING_TEXT_MAX, str_of(value));
}

/* Everybody's settings; nobody is ever reached. */
static void begin(void)
{
    char *none[] = {NULL};
    struct destination *d;
    log_set_fd(-1);
    log_set_level(LOG_ERROR);
    require(settings_load("/dev/null", none, &settings, NULL) == VA_OK);
    set(settings.openai_api_key, "k");
    set(settings.gemini_api_key, "k");
    set(settings.deepgram_api_key, "k");
    set(settings.ultravox_api_key, "k");
    set(settings.elevenlabs_agent_id, "a");
    set(settings.openai_base_url, "ws://127.0.0.1:1");
    set(settings.gemini_base_url, "ws://127.0.0.1:1");
    set(settings.deepgram_agent_url, "ws://127.0.0.1:1");
    set(settings.ultravox_base_url, "ws://127.0.0.1:1");
    set(settings.elevenlabs_base_url, "ws://127.0.0.1:1");
    require(loop_new(NULL, 0, &loop) == VA_OK && secretary_new(&secretary) == VA_OK);
    require(secretary_add_destination(secretary, &d) == VA_OK &&
            secretary_set(&d->name, "sales") == VA_OK && secretary_set(&d->number, "1") == VA_OK);
}

static void ask(struct provider *p, const struct provider_ops *ops, struct str line)
{
    static const int16_t frame[160];
    unsigned n = line.len > 1 ? (unsigned char)line.p[1] : 0;
    switch (line.p[0]) {
    case '!': ops->say(p, (enum say_intent)(n % 7)); break;
    case '#': ops->digit(p, "0123456789*#ABCD"[n % 16]); break;
    case '<': ops->interrupt(p, n % 20, n * 100); break;
    case '=': ops->tool_result(p, n % 8, n % 2 ? VA_OK : VA_ETIMEOUT); break;
    default: ops->audio_in(p, frame, 160);
    }
}

static void step(struct provider *p, const struct provider_ops *ops, struct str line)
{
    if (line.len && strchr("!#<=~", line.p[0])) {
        ask(p, ops, line);
        return;
    }
    if (rt_gone(p))
        return;
    if (p->state != RT_READY && p->state != RT_STARTING) { /* as if a socket had opened */
        p->state = RT_STARTING;
        p->dialect->on_open(p);
    }
    char *exact = malloc(line.len ? line.len : 1);
    memcpy(exact, line.p ? line.p : "", line.len);
    if (line.len && line.p[0] == '^' && p->dialect->on_binary)
        p->dialect->on_binary(p, str_make(exact, line.len));
    else
        p->dialect->on_text(p, str_make(exact, line.len));
    free(exact);
}

/* A whole conversation. */
static void converse(const struct provider_ops *ops, struct str lines)
{
    struct listener l = {0};
    struct provider *p = NULL;
    if (!loop)
        begin();
    struct provider_cfg cfg = {
        .loop = loop, .secretary = secretary, .rate_hz = 8000, .settings = &settings};
    require(ops->open(&cfg, &handlers, &l, &p) == VA_OK);
    for (int i = 0; lines.len && i < LINES_MAX; i++)
        step(p, ops, str_cut(&lines, '\n'));
    ops->close(&p);
    loop_turn(loop, false);
    loop_turn(loop, false);
}

#endif
