#include "esl/channel.h"
#include "esl/escape.h"
#include "esl/event.h"
#include "esl/line.h"
#include "esl/reply.h"

static enum va_err of_uuid(struct esl_switch *sw, const char *verb, const char *uuid,
                           const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, verb);
    esl_line_uuid(&l, uuid);
    return esl_line_api(&l, sw, then);
}

/* uuid_hold and uuid_media take their switch first, so a channel of the uuid "off" would be one. */
static void prefixed(struct esl_line *l, const char *word, const char *uuid)
{
    struct str u = str_of(uuid);
    if (str_ieqz(u, "off") || str_ieqz(u, "toggle"))
        esl_line_fail(l, VA_EINVAL);
    if (word)
        esl_line_text(l, word);
    esl_line_uuid(l, uuid);
}

enum va_err esl_uuid_bridge(struct esl_switch *sw, const char *a, const char *b,
                            const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, "uuid_bridge");
    esl_line_uuid(&l, a);
    esl_line_uuid(&l, b);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_kill(struct esl_switch *sw, const char *uuid, const char *cause,
                          const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, "uuid_kill");
    esl_line_uuid(&l, uuid);
    if (cause)
        esl_line_word(&l, cause);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_answer(struct esl_switch *sw, const char *uuid, const struct esl_then *then)
{
    return of_uuid(sw, "uuid_answer", uuid, then);
}

enum va_err esl_uuid_pre_answer(struct esl_switch *sw, const char *uuid,
                                const struct esl_then *then)
{
    return of_uuid(sw, "uuid_pre_answer", uuid, then);
}

enum va_err esl_uuid_park(struct esl_switch *sw, const char *uuid, const struct esl_then *then)
{
    return of_uuid(sw, "uuid_park", uuid, then);
}

enum va_err esl_uuid_exists(struct esl_switch *sw, const char *uuid, const struct esl_then *then)
{
    return of_uuid(sw, "uuid_exists", uuid, then);
}

enum va_err esl_uuid_flush_dtmf(struct esl_switch *sw, const char *uuid,
                                const struct esl_then *then)
{
    return of_uuid(sw, "uuid_flush_dtmf", uuid, then);
}

enum va_err esl_uuid_dump(struct esl_switch *sw, const char *uuid, const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, "uuid_dump");
    esl_line_uuid(&l, uuid);
    esl_line_text(&l, "json");
    return esl_line_api(&l, sw, then);
}

enum va_err esl_dump_read(enum va_err err, struct str text, struct esl_event *ev)
{
    enum va_err why = esl_ok_read(err, text);
    if (!why)
        why = esl_event_parse(ev, ESL_JSON, text);
    return !why && esl_event_flawed(ev) ? VA_EPROTO : why;
}

/* ---- what is heard -------------------------------------------------------------------------- */

/* Without a word FreeSWITCH plays to leg A and holds leg B. */
static void add_heard_by(struct esl_line *l, enum esl_leg leg)
{
    static const char *const words[] = {"aleg", "bleg", "both"};
    if ((unsigned)leg < sizeof(words) / sizeof(words[0]))
        esl_line_text(l, words[leg]);
    else if (leg != ESL_LEG_A_HOLD_B)
        esl_line_fail(l, VA_EINVAL);
}

static enum va_err broadcast(struct esl_switch *sw, const char *uuid, struct str what,
                             enum esl_leg leg, const struct esl_then *then)
{
    if (esl_arg_expands(what))
        return VA_ENOTSUP;
    struct esl_line l;
    esl_line_begin(&l, "uuid_broadcast");
    esl_line_uuid(&l, uuid);
    esl_line_arg(&l, what);
    add_heard_by(&l, leg);
    return esl_line_api(&l, sw, then);
}

/* As switch_ivr_broadcast() looks for an application. */
static bool names_app(struct str path)
{
    const char *colon = path.len ? memchr(path.p, ':', path.len) : NULL;
    return colon && colon + 1 < path.p + path.len && colon[1] == ':';
}

enum va_err esl_uuid_broadcast(struct esl_switch *sw, const char *uuid, struct str path,
                               enum esl_leg leg, const struct esl_then *then)
{
    return names_app(path) ? VA_EINVAL : broadcast(sw, uuid, path, leg, then);
}

enum va_err esl_uuid_broadcast_app(struct esl_switch *sw, const char *uuid, const char *app,
                                   struct str arg, enum esl_leg leg, const struct esl_then *then)
{
    /* "app!cause" would hang up behind it. */
    if (!esl_word_ok(str_of(app)) || strchr(app, '!'))
        return VA_EINVAL;
    struct buf what;
    buf_init(&what, ESL_LINE_MAX);
    (void)buf_addf(&what, "%s::", app);
    (void)buf_adds(&what, arg);
    enum va_err err = what.err ? what.err : broadcast(sw, uuid, buf_str(&what), leg, then);
    buf_free(&what);
    return err;
}

enum va_err esl_uuid_break(struct esl_switch *sw, const char *uuid, bool all,
                           const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, "uuid_break");
    esl_line_uuid(&l, uuid);
    if (all)
        esl_line_text(&l, "all");
    return esl_line_api(&l, sw, then);
}

/* ---- the phone and the way ------------------------------------------------------------------ */

enum va_err esl_uuid_hold(struct esl_switch *sw, const char *uuid, enum esl_hold hold,
                          const struct esl_then *then)
{
    struct esl_line l;
    if ((unsigned)hold > ESL_HOLD_TOGGLE)
        return VA_EINVAL;
    esl_line_begin(&l, "uuid_hold");
    prefixed(&l, hold == ESL_HOLD_OFF ? "off" : hold == ESL_HOLD_TOGGLE ? "toggle" : NULL, uuid);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_media(struct esl_switch *sw, const char *uuid, bool on,
                           const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, "uuid_media");
    prefixed(&l, on ? NULL : "off", uuid);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_phone_event(struct esl_switch *sw, const char *uuid, const char *event,
                                 const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, "uuid_phone_event");
    esl_line_uuid(&l, uuid);
    esl_line_word(&l, event);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_transfer(struct esl_switch *sw, const char *uuid,
                              const struct esl_transfer *to, const struct esl_then *then)
{
    static const char *const legs[] = {NULL, "-bleg", "-both"};
    if (!to || (unsigned)to->leg > ESL_LEG_BOTH || str_starts(to->extension, "-") ||
        (to->context && !to->dialplan))
        return VA_EINVAL;
    struct esl_line l;
    esl_line_begin(&l, "uuid_transfer");
    esl_line_uuid(&l, uuid);
    if (legs[to->leg])
        esl_line_text(&l, legs[to->leg]);
    esl_line_arg(&l, to->extension);
    if (to->dialplan)
        esl_line_word(&l, to->dialplan);
    if (to->context)
        esl_line_word(&l, to->context);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_deflect(struct esl_switch *sw, const char *uuid, const char *uri,
                             const struct esl_then *then)
{
    /* Taken as it is, from the first blank to the end of the line. */
    struct str s = str_of(uri);
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7F)
            return VA_EINVAL;
    if (!s.len)
        return VA_EINVAL;
    struct esl_line l;
    esl_line_begin(&l, "uuid_deflect");
    esl_line_uuid(&l, uuid);
    esl_line_text(&l, uri);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_sched_hangup(struct esl_switch *sw, const char *uuid, unsigned after_s,
                             const char *cause, const struct esl_then *then)
{
    enum { LATEST = 31 * 86400 };
    if (!after_s || after_s > LATEST)
        return VA_EINVAL;
    struct esl_line l;
    esl_line_begin(&l, "sched_hangup");
    (void)buf_addf(&l.b, " +%u", after_s);
    esl_line_uuid(&l, uuid);
    if (cause)
        esl_line_word(&l, cause);
    return esl_line_api(&l, sw, then);
}

static enum va_err dtmf(struct esl_switch *sw, const char *verb, const char *uuid,
                        const char *digits, unsigned ms, const struct esl_then *then)
{
    size_t len = digits ? strlen(digits) : 0;
    if (!len || len > ESL_DTMF_MAX || strspn(digits, "0123456789*#ABCDabcdFfwW") != len ||
        ms > ESL_DTMF_MS_MAX)
        return VA_EINVAL;
    struct esl_line l;
    esl_line_begin(&l, verb);
    esl_line_uuid(&l, uuid);
    esl_line_text(&l, digits);
    if (ms)
        (void)buf_addf(&l.b, "@%u", ms);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_send_dtmf(struct esl_switch *sw, const char *uuid, const char *digits,
                               unsigned ms, const struct esl_then *then)
{
    return dtmf(sw, "uuid_send_dtmf", uuid, digits, ms, then);
}

enum va_err esl_uuid_recv_dtmf(struct esl_switch *sw, const char *uuid, const char *digits,
                               unsigned ms, const struct esl_then *then)
{
    return dtmf(sw, "uuid_recv_dtmf", uuid, digits, ms, then);
}
