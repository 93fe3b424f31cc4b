/*
 * ws_leg_peer: the WebSocket port and legs without the rest of the program, for peers that are not
 * ours: npm's ws playing mod_audio_stream, a real FreeSWITCH. Says what happens, a line each.
 *
 *   ws_leg_peer [NAME=value …]
 *     mode=websocket|dual  esl=PORT (dual)  ws=PORT  token=T  playback=P  adv=URL
 *     echo=1        what the caller says comes back; else a tone of tone=HZ
 *     on=MS off=MS  the tone comes and goes
 *     flush=MS      interrupt so long after the start: silence from then on
 *     release=MS    give the channel back so long after the start
 *     control=HOST:PORT:PASSWORD  websocket: bind the channel over an inbound connection
 *     raw=FILE      the caller's audio;  seconds=S  end;  calls=N  end after so many
 */
#include "esl/client.h"
#include "esl/commands.h"
#include "esl/server.h"
#include "leg/websocket.h"
#include "leg/ws_hub.h"
#include "media/clock.h"
#include "media/format.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
    const char *mode, *control, *raw;
    struct settings settings;
    int esl_port, tone, on_ms, off_ms, flush_ms, release_ms, seconds, calls;
    bool echo, unparked;
};

struct bench {
    struct options o;
    struct loop *loop;
    struct media_clock *clock;
    struct ws_hub *hub;
    struct leg_env env;
    struct esl_server *server;
    struct tmr end;
    int over;
};

struct call {
    struct bench *b;
    struct esl_session *control;
    struct ws_stream *stream;
    const struct leg_ops *ops;
    struct leg *leg;
    struct leg_format format;
    struct media_tick tick;
    struct tmr flush, release;
    char uuid[UUID_TEXT];
    uint64_t born_us, started_us, ticks, frames, silent;
    double energy, phase;
    int16_t echo[MEDIA_FRAME_MAX];
    bool quiet, heard;
    uint32_t lead_max;
    FILE *raw;
};

static void say(struct call *c, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void say(struct call *c, const char *what, const char *fmt, ...)
{
    va_list ap;
    printf("%.3f %s ", (double)(loop_now_us(c->b->loop) - c->born_us) / 1e6, what);
    va_start(ap, fmt);
    (void)vprintf(fmt, ap);
    va_end(ap);
    printf("\n");
    (void)fflush(stdout);
}

static void end_call(struct call *c)
{
    struct bench *b = c->b;
    struct leg_stats st = {0};
    if (c->leg) {
        c->ops->stats(c->leg, &st);
        say(c, "stats", "in=%llu out=%llu lost=%llu fails=%llu lead=%u lead_max=%u rms=%.0f",
            (unsigned long long)st.frames_in, (unsigned long long)st.frames_out,
            (unsigned long long)st.lost, (unsigned long long)st.send_fails, st.lead_ms, c->lead_max,
            c->frames ? sqrt(c->energy / (double)c->frames) : 0);
        c->ops->close(&c->leg);
    }
    media_clock_leave(&c->tick);
    tmr_stop(&c->flush);
    tmr_stop(&c->release);
    esl_session_close(&c->control);
    if (c->raw)
        (void)fclose(c->raw);
    say(c, "over", "%s", c->uuid);
    free(c);
    if (++b->over == b->o.calls)
        loop_stop(b->loop);
}

/* ---- audio ----------------------------------------------------------------------------------- */

static bool tone_on(const struct call *c)
{
    const struct options *o = &c->b->o;
    uint64_t ms = c->ticks * (uint64_t)c->format.ptime_ms;
    return !c->quiet && (!o->off_ms || ms % (uint64_t)(o->on_ms + o->off_ms) < (uint64_t)o->on_ms);
}

static void on_tick(void *arg, uint64_t now_us)
{
    struct call *c = arg;
    int16_t frame[MEDIA_FRAME_MAX] = {0};
    size_t count = (size_t)(c->format.rate_hz / 1000 * c->format.ptime_ms);
    (void)now_us;
    if (c->b->o.echo)
        memcpy(frame, c->echo, count * sizeof(frame[0]));
    else if (tone_on(c))
        for (size_t i = 0; i < count; i++) {
            frame[i] = (int16_t)lrint(8000 * sin(c->phase));
            c->phase += 2 * M_PI * c->b->o.tone / c->format.rate_hz;
        }
    c->ticks++;
    memset(c->echo, 0, sizeof(c->echo));
    c->ops->send(c->leg, frame, count);
    struct leg_stats st;
    c->ops->stats(c->leg, &st);
    if (st.lead_ms > c->lead_max)
        c->lead_max = st.lead_ms;
}

static void on_flush(void *arg)
{
    struct call *c = arg;
    c->quiet = true;
    uint32_t unheard = c->ops->flush(c->leg);
    say(c, "flush", "unheard_ms=%u us=%llu", unheard, (unsigned long long)loop_now_us(c->b->loop));
}

static void on_release(void *arg)
{
    struct call *c = arg;
    media_clock_leave(&c->tick);
    say(c, "release", "-");
    c->ops->release(c->leg);
}

static void on_started(void *arg, const struct leg_format *format)
{
    struct call *c = arg;
    const struct options *o = &c->b->o;
    c->format = *format;
    c->started_us = loop_now_us(c->b->loop);
    say(c, "started", "rate=%d ptime=%d us=%llu", format->rate_hz, format->ptime_ms,
        (unsigned long long)c->started_us);
    if (media_clock_join(c->b->clock, &c->tick, format->ptime_ms, on_tick, c))
        abort();
    if (o->flush_ms)
        tmr_start(&c->flush, c->b->loop, (uint64_t)o->flush_ms, on_flush, c);
    if (o->release_ms)
        tmr_start(&c->release, c->b->loop, (uint64_t)o->release_ms, on_release, c);
}

static void on_frame(void *arg, const int16_t *samples, size_t count, bool silence)
{
    struct call *c = arg;
    double sum = 0;
    (void)silence;
    for (size_t i = 0; i < count; i++)
        sum += (double)samples[i] * samples[i];
    c->energy += sum / (double)count;
    c->frames++;
    if (!c->heard && sum / (double)count > 1e4) {
        c->heard = true;
        say(c, "heard", "frame=%llu", (unsigned long long)c->frames);
    }
    memcpy(c->echo, samples, count * sizeof(*samples));
    if (c->raw)
        (void)fwrite(samples, sizeof(*samples), count, c->raw);
}

static void on_digit(void *arg, char digit)
{
    say(arg, "digit", "%c", digit);
}

static void on_failed(void *arg, enum va_err why, const char *cause)
{
    struct call *c = arg;
    say(c, "failed", "%s %s", va_err_name(why), cause);
    end_call(c);
}

static void on_released(void *arg)
{
    struct call *c = arg;
    say(c, "released", "-");
    end_call(c); /* closing the socket gives the channel back to its dialplan */
}

static const struct leg_handlers leg_handlers = {on_started, on_frame, on_digit, on_failed,
                                                 on_released};

static void open_leg(struct call *c, int rate_hz, const char *peer)
{
    struct leg_cfg cfg = {.loop = c->b->loop,
                          .env = &c->b->env,
                          .control = c->control,
                          .parked = c->control && !c->b->o.unparked,
                          .uuid = c->uuid,
                          .settings = &c->b->o.settings,
                          .rate_hz = rate_hz ? rate_hz : 8000,
                          .stream = c->stream,
                          .log = {"default", c->uuid}};
    c->stream = NULL;
    if (net_addr_parse("127.0.0.1", 0, &cfg.control_local) ||
        net_addr_parse(peer, 0, &cfg.control_peer))
        abort();
    enum va_err err = c->ops->open(&cfg, &leg_handlers, c, &c->leg);
    if (err) {
        say(c, "failed", "open %s", va_err_name(err));
        end_call(c);
    }
}

/* ---- control --------------------------------------------------------------------------------- */

static void on_connected(void *arg, const struct esl_event *channel)
{
    struct call *c = arg;
    uint64_t rate = 0;
    (void)str_copy(c->uuid, sizeof(c->uuid), esl_event_uuid(channel));
    if (str_to_u64(esl_event_get(channel, "Channel-Read-Codec-Rate"), &rate))
        rate = 0;
    say(c, "connected", "%s rate=%d", c->uuid, (int)rate);
    if (esl_session_myevents(c->control, ESL_PLAIN, NULL) ||
        (c->b->o.release_ms && esl_session_resume(c->control, NULL)))
        abort();
    open_leg(c, (int)rate, "127.0.0.1");
}

static void on_event(void *arg, const struct esl_event *ev)
{
    struct call *c = arg;
    if (esl_event_is(ev, "DTMF"))
        say(c, "dtmf", "%.*s", STR_ARG(esl_event_get(ev, "DTMF-Digit")));
    if (esl_event_is(ev, "CHANNEL_HANGUP")) {
        say(c, "hangup", "-");
        end_call(c);
    } else if (c->leg && esl_event_is(ev, "CUSTOM")) {
        c->ops->on_event(c->leg, ev);
    }
}

static void on_closed(void *arg, enum esl_why why)
{
    struct call *c = arg;
    say(c, "control-closed", "%s", esl_why_text(why));
    end_call(c);
}

static const struct esl_session_handlers session_handlers = {
    .on_connected = on_connected, .on_event = on_event, .on_closed = on_closed};

static struct call *make_call(struct bench *b, const struct leg_ops *ops)
{
    struct call *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->b = b;
    c->ops = ops;
    c->born_us = loop_now_us(b->loop);
    c->raw = b->o.raw ? fopen(b->o.raw, "wb") : NULL;
    return c;
}

static void *on_session(void *arg, struct esl_session *s, const char *peer)
{
    struct call *c = make_call(arg, &leg_dual);
    (void)peer;
    c->control = s;
    return c;
}

static void bind_control(struct call *c)
{
    char host[64], password[64];
    struct str rest = str_of(c->b->o.control);
    (void)str_copy(host, sizeof(host), str_cut(&rest, ':'));
    uint64_t port = 0;
    if (str_to_u64(str_cut(&rest, ':'), &port))
        abort();
    (void)str_copy(password, sizeof(password), rest);
    const struct esl_client_cfg to = {.host = host, .port = (uint16_t)port, .password = password};
    if (esl_session_bind(c->b->loop, &to, c->uuid, NULL, &session_handlers, c, &c->control))
        abort();
}

static void on_stream(void *arg, struct ws_stream *stream)
{
    struct call *c = make_call(arg, &leg_websocket);
    const struct ws_stream_facts *f = ws_stream_facts(stream);
    (void)str_copy(c->uuid, sizeof(c->uuid), str_of(f->call));
    say(c, "stream", "secretary=%s call=%s caller=%s", f->secretary, f->call, f->caller);
    c->stream = stream;
    if (c->b->o.control)
        bind_control(c);
    else
        open_leg(c, 0, "127.0.0.1");
}

/* ---- options --------------------------------------------------------------------------------- */

static bool text_option(struct options *o, struct str name, const char *value)
{
    struct {
        const char *name;
        char *to;
    } texts[] = {
        {"token", o->settings.ws_token},       {"playback", o->settings.ws_playback},
        {"adv", o->settings.ws_advertise_url}, {"host", o->settings.ws_host},
        {"cert", o->settings.ws_tls_cert},     {"key", o->settings.ws_tls_key},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (str_eqz(name, texts[i].name))
            return str_copy(texts[i].to, SETTING_TEXT_MAX, str_of(value));
    const char **pointers[] = {&o->mode, &o->control, &o->raw};
    static const char *const names[] = {"mode", "control", "raw"};
    for (size_t i = 0; i < 3; i++)
        if (str_eqz(name, names[i])) {
            *pointers[i] = value;
            return true;
        }
    return false;
}

static bool option(struct options *o, struct str name, const char *value)
{
    int *const numbers[] = {&o->esl_port, &o->tone,       &o->on_ms,   &o->off_ms,
                            &o->flush_ms, &o->release_ms, &o->seconds, &o->calls};
    static const char *const names[] = {"esl",   "tone",    "on",      "off",
                                        "flush", "release", "seconds", "calls"};
    int n = (int)strtol(value, NULL, 10);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (str_eqz(name, names[i])) {
            *numbers[i] = n;
            return true;
        }
    if (str_eqz(name, "ws"))
        o->settings.ws_port = n;
    else if (str_eqz(name, "echo"))
        o->echo = n != 0;
    else if (str_eqz(name, "unparked"))
        o->unparked = n != 0;
    else if (str_eqz(name, "start_ms"))
        o->settings.media_start_timeout_ms = n;
    else if (str_eqz(name, "lost_ms"))
        o->settings.media_lost_timeout_ms = n;
    else
        return text_option(o, name, value);
    return true;
}

static void on_end(void *arg)
{
    loop_stop(arg);
}

static void serve(struct bench *b)
{
    struct va_fault fault;
    bool dual = strcmp(b->o.mode, "dual") == 0;
    const struct ws_hub_handlers hub = {dual ? NULL : on_stream};
    if (ws_hub_open(b->loop, &b->o.settings, &hub, b, &b->hub, &fault)) {
        printf("0 error %s\n", fault.text);
        exit(2);
    }
    b->env.ws = b->hub;
    const struct esl_server_cfg cfg = {.host = "127.0.0.1", .port = (uint16_t)b->o.esl_port};
    const struct esl_server_handlers h = {session_handlers, on_session, NULL};
    if (dual && esl_server_open(b->loop, &cfg, &h, b, &b->server, &fault)) {
        printf("0 error %s\n", fault.text);
        exit(2);
    }
    struct net_addr at;
    char text[NET_ADDR_TEXT];
    ws_hub_addr(b->hub, &at);
    net_addr_text(&at, text);
    printf("0 listening %s\n", text);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct bench b;
    char *const none[] = {NULL};
    struct va_fault fault;
    if (settings_load("/dev/null", none, &b.o.settings, &fault)) {
        printf("0 error %s\n", fault.text);
        return 2;
    }
    b.o.mode = "websocket";
    b.o.tone = 1000;
    b.o.on_ms = 1000;
    b.o.calls = 1;
    b.o.seconds = 60;
    (void)str_copy(b.o.settings.ws_host, SETTING_TEXT_MAX, str_of("127.0.0.1"));
    b.o.settings.ws_port = 0;
    for (int i = 1; i < argc; i++) {
        struct str rest = str_of(argv[i]);
        struct str name = str_cut(&rest, '=');
        if (!rest.p || !option(&b.o, name, rest.p)) {
            printf("0 error unknown option %s\n", argv[i]);
            return 2;
        }
    }
    if (loop_new(NULL, 0, &b.loop) || media_clock_new(b.loop, &b.clock))
        return 2;
    serve(&b);
    tmr_start(&b.end, b.loop, (uint64_t)b.o.seconds * 1000, on_end, b.loop);
    loop_run(b.loop);
    esl_server_close(&b.server);
    ws_hub_close(&b.hub);
    media_clock_free(&b.clock);
    tmr_start(&b.end, b.loop, 300, on_end, b.loop); /* what was written still goes out */
    loop_run(b.loop);
    loop_free(&b.loop);
    return 0;
}
