/* Whatever a server says, in whatever order, between whatever the call asks for: the rules of
 * ai/provider.h hold. A line is a message; one that begins with a mark is the call's:
 * '!' say, '#' digit, '<' interrupt, '=' tool result, '~' caller's audio. Corpus:
 * tests/corpus/realtime_openai. */
#include "ai/realtime/openai/openai.h"
#include "ai/realtime/realtime.h"
#include "net/loop.h"

#include "realtime_listener.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct loop *loop;
static struct settings settings;
static struct secretary *secretary;

static void begin(void)
{
    char *none[] = {NULL};
    struct destination *d;
    log_set_fd(-1);
    log_set_level(LOG_ERROR);
    require(settings_load("/dev/null", none, &settings, NULL) == VA_OK);
    (void)str_copy(settings.openai_api_key, SETTING_TEXT_MAX, str_of("k"));
    (void)str_copy(settings.openai_base_url, SETTING_TEXT_MAX, str_of("ws://127.0.0.1:1/v1"));
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
    p->dialect->on_text(p, str_make(exact, line.len));
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!loop)
        begin();
    const struct provider_ops *ops = size % 2 ? &provider_openai : &provider_openai_compatible;
    struct listener l = {0};
    struct provider_cfg cfg = {
        .loop = loop, .secretary = secretary, .rate_hz = 8000, .settings = &settings};
    struct provider *p = NULL;
    require(ops->open(&cfg, &handlers, &l, &p) == VA_OK);
    struct str rest = str_make((const char *)data, size);
    for (int i = 0; rest.len && i < 200; i++)
        step(p, ops, str_cut(&rest, '\n'));
    ops->close(&p);
    loop_turn(loop, false);
    loop_turn(loop, false);
    return 0;
}
