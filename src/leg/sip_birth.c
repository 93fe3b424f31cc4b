/* How calls begin: expected ones, direct ones, ours. */
#include "base/rand.h"
#include "leg/sip_int.h"

#include <stdlib.h>

/* Undo a call the SIP thread never heard of. */
static void forget(struct sip_call *call)
{
    atomic_fetch_sub(&call->ua->live, 1);
    sip_call_unref(call);
    sip_call_unref(call);
}

enum va_err sip_ua_expect(struct sip_ua *ua, struct loop *loop, const struct sip_call_handlers *h,
                          void *arg, char ret_token[static SIP_TOKEN_TEXT],
                          struct sip_call **ret_call)
{
    struct sip_call *call = NULL;
    enum va_err err = sip_call_new(ua, &call);
    if (err)
        return err;
    rand_hex(call->token, sizeof(call->token));
    sip_call_take_over(call, loop, h, arg);
    struct sip_order *order = sip_order_new(call, SIP_ORDER_EXPECT);
    err = order ? VA_OK : VA_ENOMEM;
    char token[SIP_TOKEN_TEXT];
    memcpy(token, call->token, sizeof(token));
    if (!err)
        err = sip_order_post(ua, order);
    if (err) {
        forget(call);
        return err;
    }
    memcpy(ret_token, token, sizeof(token));
    *ret_call = call;
    return VA_OK;
}

static bool name_ok(const char *name)
{
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < ' ' || *p == '"' || *p == '\\' || *p == 127)
            return false;
    return strlen(name) < SIP_NAME_MAX;
}

static bool user_ok(const char *user)
{
    for (const char *p = user; *p; p++)
        if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
              strchr("+-_.*", *p)))
            return false;
    return *user && strlen(user) < SIP_NAME_MAX;
}

static char *from_header(const struct sip_ua *ua, const struct sip_place *place)
{
    const struct settings *s = ua->cfg.settings;
    struct net_addr host;
    bool any = net_addr_parse(s->sip_host, 0, &host) || net_addr_is_any(&host);
    const char *ip = *s->sip_advertise_address ? s->sip_advertise_address
                     : any                     ? "voice-ai.invalid"
                                               : s->sip_host;
    struct buf b;
    buf_init(&b, 1024);
    if (place->name && *place->name)
        buf_addf(&b, "\"%s\" ", place->name);
    buf_addf(&b, memchr(ip, ':', strlen(ip)) ? "<sip:%s@[%s]>" : "<sip:%s@%s>",
             place->from ? place->from : "voice-ai", ip);
    return b.p; /* NULL when out of memory */
}

enum va_err sip_call_place(struct sip_ua *ua, struct loop *loop, const struct sip_place *place,
                           const struct sip_call_handlers *h, void *arg, struct sip_call **ret_call)
{
    if (!sip_uri_ok(place->to) || (place->from && !user_ok(place->from)) ||
        (place->name && !name_ok(place->name)) || !sip_sdp_ok(place->offer))
        return VA_EINVAL;
    struct sip_call *call = NULL;
    enum va_err err = sip_call_new(ua, &call);
    if (err)
        return err;
    sip_call_take_over(call, loop, h, arg);
    struct sip_order *order = sip_order_new(call, SIP_ORDER_PLACE);
    err = order ? VA_OK : VA_ENOMEM;
    if (!err) {
        order->text = str_dup(place->offer);
        order->to = str_dup(str_of(place->to));
        order->from = from_header(ua, place);
        if (!order->text || !order->to || !order->from) {
            err = VA_ENOMEM;
            sip_order_free(order);
        }
    }
    if (!err)
        err = sip_order_post(ua, order);
    if (err) {
        forget(call);
        return err;
    }
    *ret_call = call;
    return VA_OK;
}

const struct sip_incoming_info *sip_incoming_info(const struct sip_incoming *in)
{
    return &in->info;
}

enum va_err sip_call_take(struct sip_incoming *in, struct loop *loop,
                          const struct sip_call_handlers *h, void *arg, struct sip_call **ret_call)
{
    struct sip_call *call = in->call;
    call->local = in->info.local;
    call->peer = in->info.source;
    call->addressed = true;
    free(in);
    sip_call_take_over(call, loop, h, arg);
    *ret_call = call;
    return VA_OK;
}

void sip_incoming_reject(struct sip_incoming *in, int status)
{
    struct sip_call *call = in->call;
    free(in);
    struct sip_order *order = sip_order_new(call, SIP_ORDER_REJECT);
    if (order) {
        order->status = status < 400 || status > 699 ? 480 : status;
        sip_order_send(call->ua, order);
    }
    sip_call_close(&call); /* refuses it too, if there was no memory to say how */
}
