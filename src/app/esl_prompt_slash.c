#include "app/esl_prompt.h"
#include "app/esl_show.h"

#include <stdio.h>
#include <stdlib.h>

/* Wait for FreeSWITCH's answer to a subscription or filter and say it, if it is a no. */
static void settle(struct esl_prompt *p, enum va_err err, struct esl_reply *r, const char *done)
{
    struct esl_app *a = p->app;
    if (!err && a->ready && !esl_app_wait(a, &r->done, 10000)) {
        esl_client_forget(a->client, r);
        err = VA_ETIMEOUT;
        a->stop = false;
    } else if (!err) {
        err = r->err;
    }
    if (err == VA_EREFUSED)
        esl_app_say(a, "FreeSWITCH refused: %s", buf_z(&r->text));
    else if (err)
        esl_app_say(a, "not done: %s", va_err_text(err));
    else if (done)
        esl_app_say(a, "%s", done);
    buf_free(&r->text);
}

static void event(struct esl_prompt *p, struct str rest)
{
    struct esl_reply r = {0};
    struct str after = rest, first = str_cut(&after, ' ');
    /* As fs_cli's users write it: /event plain ALL */
    if (str_ieqz(first, "plain") || str_ieqz(first, "json") || str_ieqz(first, "xml"))
        rest = str_trim(after);
    if (!rest.len)
        rest = str_of("ALL");
    if (p->subscriptions == SUBSCRIPTIONS_MAX) {
        esl_app_say(p->app, "enough of /event; /noevents first");
        return;
    }
    char *names = str_dup(rest);
    if (!names)
        return;
    p->subscribed[p->subscriptions++] = names;
    struct esl_then then = {esl_app_on_result, &r, 0};
    enum va_err err = esl_client_subscribe(p->app->client, str_of(names), NULL, &then);
    settle(p, err, &r, "events are shown as they come; /noevents stops them");
    if (err || r.err)
        free(p->subscribed[--p->subscriptions]);
}

static void noevents(struct esl_prompt *p, struct str rest)
{
    (void)rest;
    while (p->subscriptions) {
        char *names = p->subscribed[--p->subscriptions];
        struct esl_reply r = {0};
        struct esl_then then = {esl_app_on_result, &r, 0};
        settle(p, esl_client_unsubscribe(p->app->client, str_of(names), NULL, &then), &r,
               p->subscriptions ? NULL : "no more events");
        free(names);
    }
}

static void filter(struct esl_prompt *p, struct str rest)
{
    struct esl_reply r = {0};
    struct esl_then then = {esl_app_on_result, &r, 0};
    struct str header = str_cut(&rest, ' ');
    char name[128];
    if (str_ieqz(header, "delete") || !header.len) {
        settle(p, esl_client_filter_clear(p->app->client, &then), &r, "no filters");
        return;
    }
    rest = str_trim(rest);
    if (!rest.len || !str_copy(name, sizeof(name), header)) {
        esl_app_say(p->app, "write /filter HEADER VALUE, as: /filter Caller-Context default");
        return;
    }
    settle(p, esl_client_filter(p->app->client, name, rest, &then), &r,
           "only events with that value are shown; /filter delete shows all");
}

static int level_of(struct str word)
{
    static const char *const name[] = {"console", "alert",  "crit", "err",
                                       "warning", "notice", "info", "debug"};
    if (!word.len)
        return 7;
    for (int i = 0; i < 8; i++)
        if (str_ieqz(word, name[i]) || (word.len == 1 && word.p[0] == '0' + i))
            return i;
    return -1;
}

static void set_log(struct esl_prompt *p, int level, const char *done)
{
    struct esl_reply r = {0};
    struct esl_then then = {esl_app_on_result, &r, 0};
    settle(p, esl_client_log(p->app->client, level, &then), &r, done);
}

static void log_(struct esl_prompt *p, struct str rest)
{
    int level = level_of(rest);
    if (level < 0)
        esl_app_say(p->app, "levels: console alert crit err warning notice info debug");
    else
        set_log(p, level, "FreeSWITCH's log is shown; /nolog stops it");
}

static void nolog(struct esl_prompt *p, struct str rest)
{
    (void)rest;
    set_log(p, -1, "no more log");
}

static void bg(struct esl_prompt *p, struct str rest)
{
    if (rest.len)
        esl_prompt_run(p, rest, true);
    else
        esl_app_say(p->app, "write /bg COMMAND");
}

static void full(struct esl_prompt *p, struct str rest)
{
    (void)rest;
    p->app->full = !p->app->full;
    p->app->json = false;
    esl_app_say(p->app, p->app->full ? "events with all headers" : "events in one line each");
}

static void json(struct esl_prompt *p, struct str rest)
{
    (void)rest;
    p->app->json = !p->app->json;
    esl_app_say(p->app, p->app->json ? "events as JSON" : "events in one line each");
}

static void quit(struct esl_prompt *p, struct str rest)
{
    (void)rest;
    p->quit = true;
}

static void help(struct esl_prompt *p, struct str rest)
{
    struct buf text;
    (void)rest;
    buf_init(&text, 8192);
    (void)buf_addz(&text, "Everything else goes to FreeSWITCH. Tab completes as it knows.\n");
    for (const struct esl_slash *s = esl_slashes; s->name; s++)
        if (s->help)
            (void)buf_addf(&text, "  %-9s %-16s %s\n", s->name, s->arguments, s->help);
    (void)buf_addz(&text, "  Ctrl-C clears the line or stops waiting, Ctrl-D leaves.\n");
    esl_out_now(&p->app->out, buf_str(&text));
    buf_free(&text);
}

const struct esl_slash esl_slashes[] = {
    {"/event", "[NAME...]", "show events: CHANNEL_ANSWER, CUSTOM sofia::register, ALL", event},
    {"/events", "", NULL, event},
    {"/noevents", "", "no more events", noevents},
    {"/filter", "HEADER VALUE", "only events with that value; /filter delete", filter},
    {"/full", "", "events with all headers, or in one line", full},
    {"/json", "", "events as JSON, or in one line", json},
    {"/log", "[LEVEL]", "show FreeSWITCH's log: err, warning, info, debug …", log_},
    {"/nolog", "", "no more log", nolog},
    {"/bg", "COMMAND", "run as a job and wait for its output", bg},
    {"/help", "", "this", help},
    {"/exit", "", "leave, as /quit and Ctrl-D", quit},
    {"/quit", "", NULL, quit},
    {"/bye", "", NULL, quit},
    {NULL, NULL, NULL, NULL},
};

void esl_prompt_slash(struct esl_prompt *p, struct str line)
{
    struct str rest = line, word = str_cut(&rest, ' ');
    for (const struct esl_slash *s = esl_slashes; s->name; s++) {
        if (str_ieqz(word, s->name)) {
            s->run(p, str_trim(rest));
            return;
        }
    }
    esl_app_say(p->app, "%.*s is no command of the prompt; /help lists them", STR_ARG(word));
}
