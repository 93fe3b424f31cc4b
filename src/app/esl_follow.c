#include "app/esl_app.h"
#include "app/esl_show.h"

/* A name FreeSWITCH does not know is silently left out by it, when others are right. */
static void check_names(struct esl_app *a, struct str names)
{
    while (names.len) {
        struct str name = str_cut(&names, ' ');
        if (str_ieqz(name, "CUSTOM"))
            return; /* what follows are subclasses, which modules make up */
        size_t count = 0;
        while (esl_event_names[count])
            count++;
        const char *best = str_nearest(name, esl_event_names, count, sizeof(*esl_event_names));
        if (name.len && !str_ieqz(name, best))
            esl_app_say(a, "\"%.*s\" is no event FreeSWITCH 1.10 has; did you mean %s?",
                        STR_ARG(name), best);
    }
}

static enum va_err subscribe(struct esl_app *a, struct esl_reply *r)
{
    struct esl_then then = {esl_app_on_result, r, 0};
    const struct esl_options *o = a->o;
    enum va_err err = VA_OK;
    for (size_t i = 0; i < o->filters && !err; i++)
        err = esl_client_filter(a->client, o->filter[i].header, str_of(o->filter[i].value), NULL);
    if (!err && o->log_level >= 0)
        err = esl_client_log(a->client, o->log_level, o->words.len ? NULL : &then);
    if (!err && o->words.len)
        err = esl_client_subscribe(a->client, buf_str(&o->words), o->uuid, &then);
    return err;
}

static int begin(struct esl_app *a)
{
    struct esl_reply r = {0};
    int code = 0;
    check_names(a, buf_str(&a->o->words));
    enum va_err err = subscribe(a, &r);
    if (!err && !esl_app_wait(a, &r.done, 0))
        esl_client_forget(a->client, &r);
    else if (!err)
        err = r.err;
    if (err == VA_EREFUSED) {
        esl_app_say(a, "FreeSWITCH refused: %s", buf_z(&r.text));
        code = ESL_EXIT_FAIL;
    } else if (err) {
        esl_app_say(a, "cannot follow: %s",
                    err == VA_EINVAL ? "a name, header, value or uuid cannot be sent"
                                     : va_err_text(err));
        code = ESL_EXIT_FAIL;
    }
    buf_free(&r.text);
    return code;
}

static void over(void *arg)
{
    *(bool *)arg = true;
}

static void tell_dropped(struct esl_app *a, uint64_t *told)
{
    if (a->out.dropped > *told)
        esl_app_say(a, "%llu lines are not shown: the output is too slow",
                    (unsigned long long)(a->out.dropped - *told));
    *told = a->out.dropped;
}

int esl_follow(struct esl_app *a)
{
    const struct esl_options *o = a->o;
    bool late = false;
    struct tmr tmr = {0};
    uint64_t dropped = 0;
    int code = begin(a);
    if (code)
        return code;
    if (o->timeout_ms)
        tmr_start(&tmr, a->loop, o->timeout_ms, over, &late);
    while (!a->stop && !late && !a->gave_up && !a->out.broken &&
           !(o->count && a->events >= o->count)) {
        loop_turn(a->loop, true);
        if (a->out.at == a->out.waiting.len)
            tell_dropped(a, &dropped);
    }
    tell_dropped(a, &dropped);
    tmr_stop(&tmr);
    if (late && o->count)
        esl_app_say(a, "only %llu of %llu events came in %.3g s", (unsigned long long)a->events,
                    (unsigned long long)o->count, (double)o->timeout_ms / 1000);
    if (a->gave_up)
        return ESL_EXIT_FAIL;
    return o->count && a->events < o->count && !a->out.broken ? ESL_EXIT_NO : 0;
}
