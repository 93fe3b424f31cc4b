/* Somebody is called for the channel of a session, and joined with it (call/ring.h). */
#include "call/control_socket_int.h"
#include "esl/escape.h"
#include "esl/originate.h"

/* Only what is safe in a dial string; the rest goes there escaped. */
static void keep_number(char *to, size_t cap, struct str text)
{
    *to = 0;
    if (esl_number_ok(text))
        (void)str_copy(to, cap, text);
}

void control_socket_keep(struct socket_control *s, const struct esl_event *channel)
{
    struct str id = esl_event_var(channel, "domain_uuid");
    keep_number(s->number, sizeof(s->number), esl_event_get(channel, "Caller-Destination-Number"));
    keep_number(s->context, sizeof(s->context), esl_event_get(channel, "Caller-Context"));
    keep_number(s->domain, sizeof(s->domain), esl_event_var(channel, "domain_name"));
    (void)str_copy(s->caller_number, sizeof(s->caller_number),
                   esl_event_get(channel, "Caller-Caller-ID-Number"));
    (void)str_copy(s->caller_name, sizeof(s->caller_name),
                   esl_event_get(channel, "Caller-Caller-ID-Name"));
    s->hide_name = str_ieqz(esl_event_get(channel, "Caller-Privacy-Hide-Name"), "true");
    s->hide_number = str_ieqz(esl_event_get(channel, "Caller-Privacy-Hide-Number"), "true");
    (void)str_copy(s->back_to, sizeof(s->back_to), esl_event_var(channel, "voice_ai_return"));
    if (esl_uuid_ok(id))
        (void)str_copy(s->domain_uuid, sizeof(s->domain_uuid), id);
}

static bool comes_back(const struct socket_control *s)
{
    return strcmp(s->settings->transfer_return, "always") == 0;
}

static void on_reached(void *arg)
{
    struct socket_control *s = arg;
    s->h->on_reached(s->arg);
}

static void on_ring_failed(void *arg, enum va_err err, struct str text)
{
    struct socket_control *s = arg;
    s->h->on_not_transferred(s->arg, err, text);
}

static void on_joined(void *arg)
{
    struct socket_control *s = arg;
    if (s->ring.comes_back)
        s->h->on_joined(s->arg);
    else
        control_socket_leaves(s);
}

static void on_back(void *arg)
{
    struct socket_control *s = arg;
    s->place = ADRIFT;
    s->h->on_returned(s->arg);
}

static void on_moved(void *arg)
{
    control_socket_leaves(arg);
}

static const struct ring_handlers ring_handlers = {on_reached, on_ring_failed, on_joined, on_back,
                                                   on_moved};

enum va_err control_socket_ring(struct control *ctl, const char *number, const char *context)
{
    struct socket_control *s = socket_control_of(ctl);
    const char *own = *s->context ? s->context : "default";
    const struct ring_wish wish = {.number = number,
                                   .context = *context ? context : own,
                                   .timeout_s = (unsigned)s->settings->transfer_ring_timeout_s,
                                   .comes_back = comes_back(s),
                                   .caller_name = str_of(s->caller_name),
                                   .caller_number = str_of(s->caller_number),
                                   .hide_name = s->hide_name,
                                   .hide_number = s->hide_number,
                                   .domain = str_of(s->domain),
                                   .domain_uuid = str_of(s->domain_uuid)};
    return ring_begin(&s->ring, s->session, &wish, &ring_handlers, s);
}

enum va_err control_socket_join(struct control *ctl)
{
    return ring_join(&socket_control_of(ctl)->ring);
}

void control_socket_cancel(struct control *ctl)
{
    ring_cancel(&socket_control_of(ctl)->ring);
}
