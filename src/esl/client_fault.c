/* What a person reads when there is no connection: the cause, and what to look at. */
#include "esl/client_int.h"

#include <ctype.h>

static void add_where(const struct esl_client *c, struct buf *out)
{
    bool v6 = strchr(c->host, ':') != NULL;
    (void)buf_addf(out, v6 ? "[%s]:%u" : "%s:%u", c->host, c->cfg.port);
}

/* The first bytes a stranger said, as far as they can be shown. */
static void add_first(const struct esl_client *c, struct buf *out)
{
    struct str first = c->conn ? esl_conn_first(c->conn) : (struct str){0};
    (void)buf_addc(out, '"');
    for (size_t i = 0; i < first.len && first.p[i] != '\r' && first.p[i] != '\n'; i++)
        (void)buf_addc(out, isprint((unsigned char)first.p[i]) ? first.p[i] : '?');
    (void)buf_addc(out, '"');
}

static void explain_connect(const struct esl_client *c, struct buf *out)
{
    enum va_err err = c->conn ? esl_conn_io_err(c->conn) : VA_EIO;
    add_where(c, out);
    if (err == VA_EREFUSED)
        (void)buf_addz(out,
                       ": nobody listens there; is FreeSWITCH running, mod_event_socket loaded,"
                       " and its listen-ip and listen-port (event_socket.conf.xml) these?");
    else if (err == VA_OK || err == VA_ETIMEOUT)
        (void)buf_addf(out,
                       ": no answer within %llu ms; is the address right, and does a firewall let "
                       "TCP through?",
                       (unsigned long long)c->cfg.connect_timeout_ms);
    else
        (void)buf_addf(out, ": cannot connect (%s); is there a route to it?", va_err_text(err));
}

/* Text behind "host:port" for what needs no more than that. */
static const char *plain_text(enum esl_why why)
{
    switch (why) {
    case ESL_WHY_RESOLVE: return " cannot be found: no address for this host name (DNS)";
    case ESL_WHY_SILENT:
        return " accepts connections but says nothing: not an Event Socket, or FreeSWITCH hangs "
               "(its listener thread is blocked)";
    case ESL_WHY_HALF_OPEN:
        return " does not answer any more: FreeSWITCH hangs, or the network between is gone";
    case ESL_WHY_ACL:
        return " refuses our address: add it to the list named by apply-inbound-acl in "
               "event_socket.conf.xml (default loopback.auto), then reload mod_event_socket";
    case ESL_WHY_KILLED:
        return " closed the connection because events were read too slowly; events were lost";
    case ESL_WHY_SHUTDOWN: return " is shutting down";
    case ESL_WHY_NOTICE: return " said good-bye";
    case ESL_WHY_PROTOCOL: return " sent what is no Event Socket message, or one over the limits";
    case ESL_WHY_MEMORY: return ": out of memory here";
    case ESL_WHY_EOF: return " closed the connection without a word";
    default: return ": the connection broke";
    }
}

void client_explain(const struct esl_client *c, enum esl_why why, struct buf *out)
{
    if (why == ESL_WHY_CONNECT) {
        explain_connect(c, out);
        return;
    }
    add_where(c, out);
    if (why == ESL_WHY_AUTH && c->user) {
        (void)buf_addf(out,
                       " refuses user %s: is it in the directory, with the parameter esl-password, "
                       "and is the password right?",
                       c->user);
    } else if (why == ESL_WHY_AUTH) {
        (void)buf_addz(out, " refuses the password: it must be that of event_socket.conf.xml");
    } else if (why == ESL_WHY_NOT_ESL) {
        (void)buf_addz(out, " is not FreeSWITCH's Event Socket: it begins with ");
        add_first(c, out);
    } else {
        (void)buf_addz(out, plain_text(why));
    }
}
