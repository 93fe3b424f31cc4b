#include "app/esl_app.h"
#include "app/esl_show.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EVENT_TEXT_MAX = 16 << 20, ANSWER_MAX = 128 << 20, LOST_MS = 2000 };

/* ---- what is told to the user --------------------------------------------------------------- */

static void add_said(struct buf *line, const char *text, bool color)
{
    (void)buf_addz(line, color ? ESL_DIM "-- " : "voice-ai esl: ");
    esl_show_safe(line, str_of(text), false);
    (void)buf_addz(line, color ? ESL_PLAIN_TEXT "\n" : "\n");
}

void esl_app_say(struct esl_app *a, const char *fmt, ...)
{
    char text[1024];
    struct buf line;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    buf_init(&line, 4 * sizeof(text) + 64);
    add_said(&line, text, a->prompt && a->color);
    if (a->prompt)
        esl_out_add(&a->out, buf_str(&line));
    else
        (void)fputs(buf_z(&line), stderr);
    buf_free(&line);
}

/* ---- the client's handlers ------------------------------------------------------------------ */

static void on_ready(void *arg, bool again)
{
    struct esl_app *a = arg;
    if (again)
        esl_app_say(a, "connected again; what happened in between is not shown");
    else if (a->prompt && a->down)
        esl_app_say(a, "connected");
    a->ready = a->was_ready = true;
    a->down = false;
}

static void on_down(void *arg, const struct esl_down *down)
{
    struct esl_app *a = arg;
    bool lost = down->was_ready;
    (void)str_copy(a->why, sizeof(a->why), str_of(down->text));
    /* The first failure is told by whoever waits for the connection, or for an answer. */
    if (a->was_ready && a->lasts && (lost || down->final || down->attempts % 10 == 1)) {
        if (down->final)
            esl_app_say(a, "%s; not tried again (ESL_MAX_RECONNECT_ATTEMPTS)", a->why);
        else
            esl_app_say(a, "%s; trying again in %.3g s", a->why, (double)down->retry_ms / 1000);
    }
    a->ready = false;
    a->down = true;
    a->gave_up = down->final;
}

static void on_event(void *arg, const struct esl_event *ev)
{
    struct esl_app *a = arg;
    struct buf text;
    if (a->o->count && a->events >= a->o->count && !a->prompt)
        return;
    a->events++;
    buf_init(&text, EVENT_TEXT_MAX);
    if (a->json)
        esl_show_json(&text, ev);
    else if (a->full)
        esl_show_full(&text, ev, a->color);
    else
        esl_show_line(&text, ev, a->color);
    if (buf_failed(&text))
        esl_app_say(a, "an event is not shown: %s", va_err_text(text.err));
    else
        esl_out_add(&a->out, buf_str(&text));
    buf_free(&text);
}

/* At most one line in two seconds: this comes when the output is too much already. */
static void tell_lost(void *arg)
{
    struct esl_app *a = arg;
    if (!a->lost)
        return;
    esl_app_say(a, "%llu events were dropped: this side is too slow", (unsigned long long)a->lost);
    a->lost = 0;
    tmr_start(&a->lost_tmr, a->loop, LOST_MS, tell_lost, a);
}

static void on_lost(void *arg, uint64_t n)
{
    struct esl_app *a = arg;
    a->lost += n;
    if (!tmr_running(&a->lost_tmr))
        tell_lost(a);
}

static void on_log(void *arg, int level, struct str line)
{
    struct esl_app *a = arg;
    struct buf text;
    buf_init(&text, EVENT_TEXT_MAX);
    esl_show_log(&text, level, line, a->color);
    esl_out_add(&a->out, buf_str(&text));
    buf_free(&text);
}

/* ---- birth and end -------------------------------------------------------------------------- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct esl_app *a = handle->data;
    a->stop = true;
    a->terminated |= number == SIGTERM;
}

static void watch_signal(struct esl_app *a, uv_signal_t *handle, int number)
{
    if (uv_signal_init(loop_uv(a->loop), handle))
        return;
    handle->data = a;
    a->open_signals++;
    (void)uv_signal_start(handle, on_signal, number);
}

static bool wants_color(const struct esl_app *a)
{
    const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
    if (a->o->color != ESL_COLOR_AUTO)
        return a->o->color == ESL_COLOR_ALWAYS;
    return a->terminal && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static struct esl_client_cfg client_cfg(const struct esl_options *o, bool lasts)
{
    return (struct esl_client_cfg){.host = o->host,
                                   .port = o->port,
                                   .user = o->user,
                                   .password = o->password,
                                   .format = ESL_JSON,
                                   .connect_timeout_ms = o->connect_timeout_ms,
                                   .read_timeout_ms = o->read_timeout_ms,
                                   .reconnect_delay_ms = o->reconnect_delay_ms,
                                   .max_attempts = lasts ? o->max_attempts : 1};
}

int esl_app_open(struct esl_app *a, const struct esl_options *o, bool lasts)
{
    struct esl_client_cfg cfg = client_cfg(o, lasts);
    struct esl_client_handlers h = {on_ready, on_down, on_event, on_lost, on_log};
    *a = (struct esl_app){.o = o,
                          .lasts = lasts,
                          .terminal = isatty(STDOUT_FILENO) != 0,
                          .full = o->full,
                          .json = o->json};
    a->color = wants_color(a);
    enum va_err err = loop_new(NULL, 0, &a->loop);
    if (err) {
        esl_app_say(a, "cannot begin: %s", va_err_text(err));
        return ESL_EXIT_FAIL;
    }
    esl_out_open(&a->out, a->loop, STDOUT_FILENO);
    watch_signal(a, &a->sig_int, SIGINT);
    watch_signal(a, &a->sig_term, SIGTERM);
    err = esl_client_open(a->loop, &cfg, &h, a, &a->client);
    if (err == VA_EINVAL)
        esl_app_say(a, "host, user or password cannot be sent: a line break, or too long");
    else if (err)
        esl_app_say(a, "cannot begin: %s", va_err_text(err));
    return err ? ESL_EXIT_FAIL : 0;
}

int esl_app_connect(struct esl_app *a)
{
    while (!a->ready && !a->down && !a->stop)
        loop_turn(a->loop, true);
    if (a->stop)
        return ESL_EXIT_SIGNAL;
    if (!a->ready) {
        esl_app_say(a, "%s", a->why);
        return ESL_EXIT_FAIL;
    }
    return 0;
}

static void on_signal_closed(uv_handle_t *handle)
{
    struct esl_app *a = handle->data;
    a->open_signals--;
}

void esl_app_close(struct esl_app *a)
{
    esl_client_close(&a->client);
    if (!a->loop)
        return;
    tmr_stop(&a->lost_tmr);
    esl_out_close(&a->out);
    if (a->sig_int.data)
        uv_close((uv_handle_t *)&a->sig_int, on_signal_closed);
    if (a->sig_term.data)
        uv_close((uv_handle_t *)&a->sig_term, on_signal_closed);
    while (a->open_signals)
        loop_turn(a->loop, false);
    loop_free(&a->loop);
}

/* ---- waiting -------------------------------------------------------------------------------- */

static void on_time(void *arg)
{
    *(bool *)arg = true;
}

bool esl_app_wait(struct esl_app *a, const bool *flag, uint64_t ms)
{
    bool over = false;
    struct tmr tmr = {0};
    if (ms)
        tmr_start(&tmr, a->loop, ms, on_time, &over);
    while (!*flag && !over && !a->stop && !a->out.broken)
        loop_turn(a->loop, true);
    tmr_stop(&tmr);
    return *flag;
}

void esl_app_on_result(void *arg, const struct esl_result *result)
{
    struct esl_reply *r = arg;
    if (!result->done)
        return;
    r->done = true;
    r->err = result->err;
    r->why = result->why;
    buf_init(&r->text, ANSWER_MAX);
    if (buf_adds(&r->text, result->text) && !r->err)
        r->err = r->text.err;
}

void esl_app_ask(struct esl_app *a, enum esl_ask how, struct str line, uint64_t ms,
                 struct esl_reply *r)
{
    struct esl_then then = {esl_app_on_result, r, ms};
    *r = (struct esl_reply){0};
    r->err = how == ESL_ASK_BGAPI ? esl_client_bgapi(a->client, line, &then)
                                  : esl_client_api(a->client, line, &then);
    if (r->err)
        return;
    if (!esl_app_wait(a, &r->done, 0)) {
        esl_client_forget(a->client, r);
        r->err = VA_ECANCELED;
    }
}

/* ---- answers -------------------------------------------------------------------------------- */

static int not_answered(struct esl_app *a, struct str line, const struct esl_reply *r)
{
    if (r->err == VA_ETIMEOUT)
        esl_app_say(a, "\"%.*s\": no answer in time; -t SECONDS waits longer, --bg as a job",
                    STR_ARG(line));
    else if (r->err == VA_EINVAL)
        esl_app_say(a, "\"%.*s\": a command is one line", STR_ARG(line));
    else if (r->err == VA_ECLOSED)
        esl_app_say(a, "\"%.*s\": the connection ended (%s), what became of it is not known",
                    STR_ARG(line), esl_why_text(r->why));
    else if (r->err != VA_ECANCELED)
        esl_app_say(a, "\"%.*s\": %s", STR_ARG(line), va_err_text(r->err));
    return r->err == VA_ECANCELED ? ESL_EXIT_SIGNAL : ESL_EXIT_FAIL;
}

int esl_app_print(struct esl_app *a, struct str line, const struct esl_reply *r)
{
    bool said_no = r->err == VA_EREFUSED || r->err == VA_ENOTFOUND;
    if (r->err && !said_no)
        return not_answered(a, line, r);
    struct str text = buf_str(&r->text);
    esl_out_now(&a->out, text);
    if (!text.len || text.p[text.len - 1] != '\n')
        esl_out_now(&a->out, str_of("\n"));
    return said_no ? ESL_EXIT_NO : 0;
}
