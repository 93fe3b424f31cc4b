/*
 * Control of a direct SIP call: a dialog of ours, no FreeSWITCH behind it.
 *
 *     transfer: REFER ─► NOTIFY 100 … 200: the caller is with somebody else, BYE
 *                                   486 …: it comes back to the conversation
 *
 * The leg uses the same dialog for its audio; nothing of it stands in the way of a transfer.
 */
#include "call/control.h"
#include "leg/sip_ua.h"

#include <stdio.h>
#include <stdlib.h>

enum { TRANSFER_MS = 60000 /* a phone may ring */ };

struct sip_control {
    struct control base;
    struct loop *loop;
    const struct control_handlers *h;
    void *arg;
    struct sip_call *call;
    struct sip_incoming_info info;
    enum sip_control_state { CONNECTED, TRANSFERRING, GONE } state;
    struct tmr timer; /* until on_connected; then of a transfer */
};

static struct sip_control *of(struct control *ctl)
{
    return container_of(ctl, struct sip_control, base);
}

static void set_state(struct sip_control *s, enum sip_control_state state)
{
    s->state = state;
    tmr_stop(&s->timer);
}

/* ---- what the dialog tells ------------------------------------------------------------------- */

static void on_connect(void *arg)
{
    struct sip_control *s = arg;
    const struct channel_facts facts = {.caller_number = str_of(s->info.caller_number),
                                        .caller_name = str_of(s->info.caller_name),
                                        .called_number = str_of(s->info.called_number),
                                        .answered = true /* the leg answers */};
    s->h->on_connected(s->arg, &facts);
}

static void on_digit(void *arg, char digit)
{
    struct sip_control *s = arg;
    s->h->on_digit(s->arg, digit);
}

static void not_transferred(struct sip_control *s, enum va_err err, struct str text)
{
    if (s->state != TRANSFERRING)
        return;
    set_state(s, CONNECTED);
    s->h->on_not_transferred(s->arg, err, text);
}

static void on_transfer(void *arg, int status)
{
    struct sip_control *s = arg;
    char text[32];
    if (status < 200 || s->state != TRANSFERRING)
        return;
    if (status < 300) {
        set_state(s, GONE);
        s->h->on_left(s->arg);
        return;
    }
    int n = snprintf(text, sizeof(text), "SIP %d", status);
    not_transferred(s, VA_EREFUSED, str_make(text, (size_t)n));
}

static void on_transfer_late(void *arg)
{
    not_transferred(arg, VA_ETIMEOUT, str_of("nobody answered"));
}

/* FreeSWITCH's word where there is one. */
static void cause_text(const struct sip_end *end, char *out, size_t cap)
{
    static const struct {
        int status;
        const char *word;
    } words[] = {{200, "NORMAL_CLEARING"},
                 {408, "RECOVERY_ON_TIMER_EXPIRE"},
                 {487, "ORIGINATOR_CANCEL"},
                 {488, "INCOMPATIBLE_DESTINATION"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].status == end->status) {
            (void)str_copy(out, cap, str_of(words[i].word));
            return;
        }
    }
    (void)snprintf(out, cap, "SIP_%d", end->status);
}

static void on_ended(void *arg, const struct sip_end *end)
{
    struct sip_control *s = arg;
    char cause[40];
    cause_text(end, cause, sizeof(cause));
    set_state(s, GONE);
    s->h->on_hung_up(s->arg, str_of(cause));
}

static const struct sip_call_handlers call_handlers = {
    .on_digit = on_digit,
    .on_transfer = on_transfer,
    .on_ended = on_ended,
};

/* ---- what it is asked for -------------------------------------------------------------------- */

static enum va_err sip_answer(struct control *ctl)
{
    (void)ctl;
    return VA_ENOTSUP;
}

/* A number is dialled where the call came from: a PBX knows it. */
static enum va_err sip_transfer(struct control *ctl, const char *number, const char *context)
{
    struct sip_control *s = of(ctl);
    char uri[256], at[NET_ADDR_TEXT];
    (void)context;
    struct net_addr peer = s->info.source;
    net_addr_set_port(&peer, s->info.port);
    net_addr_text(&peer, at);
    int n = strchr(number, '@') ? snprintf(uri, sizeof(uri), "sip:%s", number)
                                : snprintf(uri, sizeof(uri), "sip:%s@%s", number, at);
    if (n < 0 || (size_t)n >= sizeof(uri))
        return VA_EINVAL;
    enum va_err err = sip_call_refer(s->call, uri);
    if (err)
        return err;
    set_state(s, TRANSFERRING);
    tmr_start(&s->timer, s->loop, TRANSFER_MS, on_transfer_late, s);
    return VA_OK;
}

static enum va_err sip_hangup(struct control *ctl, const char *cause)
{
    (void)cause;
    sip_call_bye(of(ctl)->call);
    return VA_OK;
}

static enum va_err sip_setvar(struct control *ctl, const char *name, struct str value)
{
    (void)ctl, (void)name, (void)value;
    return VA_ENOTSUP;
}

static enum va_err sip_publish(struct control *ctl, const char *subclass,
                               const struct esl_field *fields, size_t count, struct str body)
{
    (void)ctl, (void)subclass, (void)fields, (void)count, (void)body;
    return VA_ENOTSUP;
}

static void sip_fill_leg(struct control *ctl, struct leg_cfg *cfg)
{
    const struct sip_control *s = of(ctl);
    cfg->sip_call = s->call;
    cfg->control_local = s->info.local;
    cfg->control_peer = s->info.source;
}

static void sip_close(struct control **pctl)
{
    struct sip_control *s = pctl && *pctl ? of(*pctl) : NULL;
    if (!s)
        return;
    *pctl = NULL;
    tmr_stop(&s->timer);
    sip_call_close(&s->call);
    free(s);
}

static const struct control_ops sip_ops = {
    .name = "sip",
    .transfer_ms = TRANSFER_MS,
    .answer = sip_answer,
    .transfer = sip_transfer,
    .hangup = sip_hangup,
    .setvar = sip_setvar,
    .publish = sip_publish,
    .fill_leg = sip_fill_leg,
    .give_back = sip_close, /* there is nothing it could go on with */
    .close = sip_close,
};

enum va_err control_sip_open(const struct control_cfg *cfg, struct sip_incoming *in,
                             struct control **ret_control)
{
    struct sip_control *s = calloc(1, sizeof(*s));
    if (!s) {
        sip_incoming_reject(in, 503);
        return VA_ENOMEM;
    }
    s->base.ops = &sip_ops;
    s->loop = cfg->loop;
    s->h = cfg->handlers;
    s->arg = cfg->arg;
    s->info = *sip_incoming_info(in);
    enum va_err err = sip_call_take(in, cfg->loop, &call_handlers, s, &s->call);
    if (err) {
        free(s);
        return err;
    }
    log_info("call", &cfg->log, "sip-call", "call_id", s->info.call_id, NULL);
    sip_call_ring(s->call);
    tmr_start(&s->timer, cfg->loop, 0, on_connect, s);
    *ret_control = &s->base;
    return VA_OK;
}
