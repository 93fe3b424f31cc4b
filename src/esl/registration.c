/*
 *     Registrations:
 *     ====…
 *     Call-ID:    <tab>…      a record begins
 *     User:       <tab>user@domain
 *     …
 *     MWI-Account:<tab>…      and ends
 *
 *     Total items returned: 1
 *     ====…
 *
 * A phone chooses what stands behind Call-ID, Contact and Agent, but a SIP header has no line end,
 * so it can write no line of its own; names count only where a line begins.
 */
#include "esl/escape.h"
#include "esl/line.h"
#include "esl/registration.h"
#include "esl/reply.h"

static bool name_ok(const char *z)
{
    struct str s = str_of(z);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == 0x7F || strchr("@'\"\\", c))
            return false;
    }
    return s.len >= 1 && s.len <= 256;
}

enum va_err esl_registration(struct esl_switch *sw, const char *profile, const char *user,
                             const char *domain, const struct esl_then *then)
{
    if (!name_ok(user) || !name_ok(domain))
        return VA_EINVAL;
    struct esl_line l;
    esl_line_begin(&l, "sofia status profile");
    esl_line_word(&l, profile);
    esl_line_text(&l, "user ");
    (void)buf_addf(&l.b, "%s@%s", user, domain);
    return esl_line_api(&l, sw, then);
}

static const char begin[] = "Call-ID:", end[] = "MWI-Account:", total[] = "Total items returned: ";

static struct str behind(struct str line, size_t n)
{
    return str_trim(str_make(line.p + n, line.len - n));
}

/* Text from the last `mark` on, without it; p is NULL when there is none. */
static struct str after_last(struct str s, const char *mark)
{
    size_t len = strlen(mark);
    for (size_t i = s.len; i-- > 0;)
        if (s.len - i >= len && memcmp(s.p + i, mark, len) == 0)
            return str_make(s.p + i + len, s.len - i - len);
    return (struct str){0};
}

/* "Registered(UDP)(unknown) EXP(2026-11-23 22:50:00) EXPSECS(59)" */
static void read_status(struct str s, struct esl_registration *reg)
{
    struct str secs = after_last(s, " EXPSECS("), exp = after_last(s, " EXP(");
    int64_t n = 0;
    if (secs.p && str_to_i64(str_cut(&secs, ')'), &n) == VA_OK)
        reg->expires_s = n;
    struct str status = exp.p ? str_make(s.p, s.len - exp.len - 5) : s;
    struct str rpid = after_last(status, "(");
    reg->status = rpid.p ? str_make(status.p, status.len - rpid.len - 1) : status;
}

static void read_user(struct str s, struct esl_registration *reg)
{
    struct str domain = after_last(s, "@");
    reg->domain = domain;
    reg->user = domain.p ? str_make(s.p, s.len - domain.len - 1) : s;
}

static void read_line(struct str line, struct esl_registration *reg)
{
    uint64_t port = 0;
    struct str value = line, name = str_cut(&value, ':');
    value = str_trim(value);
    if (str_eqz(name, "Call-ID"))
        reg->call_id = value;
    else if (str_eqz(name, "User"))
        read_user(value, reg);
    else if (str_eqz(name, "Contact"))
        reg->contact = value;
    else if (str_eqz(name, "Agent"))
        reg->agent = value;
    else if (str_eqz(name, "Status"))
        read_status(value, reg);
    else if (str_eqz(name, "Host"))
        reg->host = value;
    else if (str_eqz(name, "IP"))
        reg->ip = value;
    else if (str_eqz(name, "Port") && str_to_u64(value, &port) == VA_OK && port <= UINT16_MAX)
        reg->port = (uint16_t)port;
    else if (str_eqz(name, "Auth-User"))
        reg->auth_user = value;
    else if (str_eqz(name, "Auth-Realm"))
        reg->auth_realm = value;
}

bool esl_registrations_next(struct esl_registrations *list, struct esl_registration *ret_reg)
{
    struct esl_registration reg = {0};
    bool inside = false;
    while (list->rest.len) {
        struct str line = str_cut(&list->rest, '\n');
        inside = inside || str_starts(line, begin);
        if (!inside)
            continue;
        read_line(line, &reg);
        if (str_starts(line, end)) {
            *ret_reg = reg;
            return true;
        }
    }
    return false;
}

enum va_err esl_registrations_read(enum va_err err, struct str text,
                                   struct esl_registrations *ret_list)
{
    struct esl_registrations list = {.rest = text}, walk = list;
    struct esl_registration reg;
    err = esl_ok_read(err, text);
    if (err)
        return err;
    if (!str_starts(str_trim(text), "Registrations:\n"))
        return VA_EPROTO;
    while (esl_registrations_next(&walk, &reg))
        list.count++;
    uint64_t told;
    for (struct str rest = text; rest.len && memchr(rest.p, '\n', rest.len);) {
        struct str line = str_cut(&rest, '\n');
        if (!str_starts(line, total) || str_to_u64(behind(line, sizeof(total) - 1), &told))
            continue;
        if (told != list.count)
            return VA_EPROTO;
        *ret_list = list;
        return VA_OK;
    }
    return VA_EPROTO;
}
