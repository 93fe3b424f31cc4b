#include "app/esl_app.h"
#include "esl/commands.h"

#include <stdio.h>
#include <unistd.h>

enum { RING_S = 60, GRACE_MS = 15000, CANCEL_MS = 5000, APP_MAX = 128 };

/* A call and the words it was made of. */
struct order {
    struct esl_originate o;
    struct esl_field var[ESL_VARS_MAX];
    char name[ESL_VARS_MAX][128];
    char app[APP_MAX];
    char uuid[UUID_TEXT];
};

/* "NAME <NUMBER>" or NUMBER */
static bool read_caller(const char *text, struct esl_originate *o)
{
    struct str rest = str_of(text);
    if (!memchr(rest.p, '<', rest.len)) {
        o->caller_number = str_trim(rest);
        return true;
    }
    o->caller_name = str_trim(str_cut(&rest, '<'));
    o->caller_number = str_cut(&rest, '>');
    return o->caller_number.len > 0 && str_trim(rest).len == 0;
}

/* "&park()", "&playback(file)" or an extension */
static bool read_target(const char *text, struct order *order)
{
    struct str rest = str_of(text), app;
    if (*text != '&') {
        order->o.extension = rest;
        return *text != '\0';
    }
    rest = str_make(rest.p + 1, rest.len - 1);
    app = str_cut(&rest, '(');
    if (rest.len && rest.p[rest.len - 1] == ')')
        rest.len--;
    order->o.app = order->app;
    order->o.app_arg = rest;
    return app.len > 0 && str_copy(order->app, sizeof(order->app), app);
}

static bool read_vars(const struct esl_options *o, struct order *order)
{
    for (size_t i = 0; i < o->vars; i++) {
        struct str rest = str_of(o->var[i]), name = str_cut(&rest, '=');
        if (!str_copy(order->name[i], sizeof(order->name[i]), name))
            return false;
        order->var[i] = (struct esl_field){order->name[i], rest};
    }
    order->o.vars = order->var;
    order->o.var_count = o->vars;
    return true;
}

static const char *read_order(const struct esl_options *o, struct order *order)
{
    uint64_t ring_ms = o->timeout_ms ? o->timeout_ms : RING_S * 1000;
    order->o.endpoint = o->endpoint;
    order->o.timeout_s = (unsigned)((ring_ms + 999) / 1000);
    if (o->caller_id && !read_caller(o->caller_id, &order->o))
        return "--caller-id: write 'NAME <NUMBER>' or NUMBER";
    if (!read_target(o->target, order))
        return "write an extension, or an application as '&park()'";
    return read_vars(o, order) ? NULL : "--var: a name is too long";
}

static void cancel(struct esl_app *a, const struct order *order, struct esl_reply *call)
{
    esl_app_say(a, "hanging up");
    a->stop = false;
    if (!esl_originate_cancel(esl_client_switch(a->client), order->uuid, NULL))
        (void)esl_app_wait(a, &call->done, CANCEL_MS);
}

static int tell(struct esl_app *a, const struct esl_reply *r)
{
    struct esl_originated end;
    char line[256];
    enum va_err err = esl_originate_read(r->err, buf_str(&r->text), &end);
    if (err == VA_ETIMEOUT || err == VA_ECLOSED) {
        esl_app_say(a, "what became of the call is not known: %s", va_err_text(err));
        return ESL_EXIT_FAIL;
    }
    if (err) {
        struct str said = str_trim(buf_str(&r->text));
        esl_app_say(a, "FreeSWITCH did not understand: %.*s",
                    STR_ARG(said.len ? said : str_of(va_err_text(err))));
        return ESL_EXIT_FAIL;
    }
    struct str more = end.outcome == ESL_ANSWERED ? end.uuid : end.cause;
    (void)snprintf(line, sizeof(line), "%s %.*s\n", esl_outcome_text(end.outcome), STR_ARG(more));
    esl_out_now(&a->out, str_of(line));
    return end.outcome == ESL_ANSWERED ? 0 : ESL_EXIT_NO;
}

int esl_originate_run(struct esl_app *a)
{
    struct order order = {0};
    struct esl_reply r = {0};
    struct va_fault fault = {0};
    const char *wrong = read_order(a->o, &order);
    if (wrong) {
        esl_app_say(a, "originate: %s", wrong);
        return ESL_EXIT_FAIL;
    }
    /* FreeSWITCH ends the ringing itself; our own limit is for a FreeSWITCH that does not. */
    struct esl_then then = {esl_app_on_result, &r, order.o.timeout_s * 1000ull + GRACE_MS};
    enum va_err err =
        esl_originate(esl_client_switch(a->client), &order.o, &then, order.uuid, &fault);
    if (err) {
        esl_app_say(a, "originate: %s", *fault.text ? fault.text : va_err_text(err));
        return ESL_EXIT_FAIL;
    }
    if (!esl_app_wait(a, &r.done, 0) && a->o->cancel_on_signal)
        cancel(a, &order, &r);
    int code = r.done ? tell(a, &r) : ESL_EXIT_SIGNAL;
    if (!r.done) {
        esl_client_forget(a->client, &r);
        esl_app_say(a, "the call goes on ringing; end it with: voice-ai esl uuid_kill %s",
                    order.uuid);
    }
    buf_free(&r.text);
    return code;
}
