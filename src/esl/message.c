/* Reading the header lines of a message: outer lines are cut at the first ":" (esl.md fact 7). */
#include "esl/parser.h"

/* Next line of *rest, cut into name and value. A line without ":" gives an empty name. */
static bool next_line(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    if (!rest->len)
        return false;
    struct str value = str_cut(rest, '\n');
    struct str name = str_cut(&value, ':');
    if (name.p + name.len == value.p) /* no ":" in it */
        name.len = 0;
    if (value.len && value.p[0] == ' ')
        value = str_make(value.p + 1, value.len - 1);
    *ret_name = name;
    *ret_value = value;
    return true;
}

struct str esl_message_get(const struct esl_message *m, const char *name)
{
    struct str rest = m->head, want = str_of(name), n, v;
    while (next_line(&rest, &n, &v)) {
        if (n.len == want.len && str_ieq(n, want))
            return v;
    }
    return (struct str){0};
}

struct str esl_message_reply_text(const struct esl_message *m)
{
    return str_trim(esl_message_get(m, "Reply-Text"));
}

bool esl_message_is_channel_data(const struct esl_message *m)
{
    /* Encoded only here: elsewhere Reply-Text is raw and may hold anything (esl.md §5 cases 2, 3).
     * The event's own first line excludes a raw text that happens to begin with %2B. */
    return m->type == ESL_MSG_REPLY && str_starts(m->head, "Event-Name: ") &&
           str_starts(esl_message_get(m, "Reply-Text"), "%2B");
}

static bool contains(struct str s, const char *what)
{
    return s.len && memmem(s.p, s.len, what, strlen(what));
}

enum esl_notice esl_message_notice(const struct esl_message *m)
{
    if (str_ieqz(esl_message_get(m, "Content-Disposition"), "linger"))
        return ESL_NOTICE_LINGER;
    if (contains(m->body, "killed listener because of lost"))
        return ESL_NOTICE_KILLED;
    if (contains(m->body, "system is being shut down"))
        return ESL_NOTICE_SHUTDOWN;
    return ESL_NOTICE_DISCONNECT;
}
