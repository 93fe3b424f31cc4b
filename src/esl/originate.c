/*
 *     originate {origination_uuid=U,esl_originate_id=U,…}endpoint &app(arg)
 *     originate {…}endpoint extension dialplan context
 *
 * Caller id and timeout go by variables, not by position: the word "undef" in any position is
 * nothing at all to FreeSWITCH, and as extension it aborts the whole of it (switch_assert in
 * originate_function). esl_originate_id is what all legs of a fork carry and a cancel looks for;
 * fail_on_single_reject makes a cancelled leg end the rest of `a|b` too.
 */
#include "esl/escape.h"
#include "esl/line.h"
#include "esl/originate.h"
#include "esl/reply.h"

#define ID_VARIABLE "esl_originate_id"

bool esl_number_ok(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (!c || !strchr("+*#._-", c)))
            return false;
    }
    return s.len >= 1 && s.len <= 64;
}

static bool endpoint_ok(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == 0x7F || strchr("'\"\\{}<>", c))
            return false;
    }
    return s.len && !str_ieqz(s, "undef") && !str_starts(s, "^^") && !esl_arg_expands(s) &&
           !memmem(s.p, s.len, ":_:", 3);
}

static enum va_err add_var(struct buf *b, const char *name, struct str value,
                           struct va_fault *fault)
{
    (void)buf_addf(b, "%c%s=", b->len ? ',' : '{', name);
    enum va_err err = esl_escape_originate(b, value);
    if (err == VA_ENOTSUP)
        return va_fault_set(fault, err,
                            "value of %s has \"${\", \":_:\", an unpaired brace or begins with "
                            "\"ARRAY::\", which originate cannot express; set it by uuid_setvar",
                            name);
    if (err)
        return va_fault_set(fault, err, "value of %s: %s", name,
                            err == VA_EINVAL ? "it has a NUL byte" : va_err_text(err));
    return VA_OK;
}

static enum va_err add_own_vars(struct buf *b, const struct esl_originate *o, const char *uuid,
                                struct va_fault *fault)
{
    (void)buf_addf(b, "{origination_uuid=%s," ID_VARIABLE "=%s", uuid, uuid);
    (void)buf_addz(b, ",fail_on_single_reject=ORIGINATOR_CANCEL");
    if (!o->early_media)
        (void)buf_addz(b, ",ignore_early_media=true");
    if (o->timeout_s)
        (void)buf_addf(b, ",originate_timeout=%u", o->timeout_s);
    enum va_err err = VA_OK;
    if (o->caller_name.len)
        err = add_var(b, "origination_caller_id_name", o->caller_name, fault);
    if (!err && o->caller_number.len)
        err = add_var(b, "origination_caller_id_number", o->caller_number, fault);
    return err;
}

static enum va_err add_vars(struct buf *b, const struct esl_originate *o, struct va_fault *fault)
{
    enum va_err err = VA_OK;
    for (size_t i = 0; i < o->var_count && !err; i++) {
        struct str name = str_of(o->vars[i].name);
        if (!esl_word_ok(name))
            return va_fault_set(fault, VA_EINVAL, "\"%.*s\" cannot name a variable", STR_ARG(name));
        if (str_ieqz(name, "origination_uuid") || str_ieqz(name, ID_VARIABLE))
            return va_fault_set(fault, VA_EINVAL, "%s: give the uuid as a field of its own",
                                o->vars[i].name);
        err = add_var(b, o->vars[i].name, o->vars[i].value, fault);
    }
    return err;
}

static enum va_err add_app(struct esl_line *l, const struct esl_originate *o,
                           struct va_fault *fault)
{
    if (!esl_word_ok(str_of(o->app)) || strpbrk(o->app, "()"))
        return va_fault_set(fault, VA_EINVAL, "application \"%.80s\" is not a name", o->app);
    if (o->app_arg.len &&
        (memchr(o->app_arg.p, ')', o->app_arg.len) || memchr(o->app_arg.p, 0, o->app_arg.len)))
        return va_fault_set(fault, VA_EINVAL,
                            "argument of %s has ')' or NUL, where FreeSWITCH would cut it; put it "
                            "into the dialplan and call an extension",
                            o->app);
    if (esl_arg_expands(o->app_arg))
        return va_fault_set(fault, VA_ENOTSUP, "argument of %s has \"${\", which runs APIs",
                            o->app);
    struct buf app;
    buf_init(&app, ESL_LINE_MAX);
    (void)buf_addf(&app, "&%s(", o->app);
    (void)buf_adds(&app, o->app_arg);
    (void)buf_addc(&app, ')');
    if (app.err)
        esl_line_fail(l, app.err);
    else
        esl_line_arg(l, buf_str(&app));
    buf_free(&app);
    return VA_OK;
}

static bool place_ok(const char *word)
{
    return !word || (esl_word_ok(str_of(word)) && !str_ieqz(str_of(word), "undef"));
}

static enum va_err add_extension(struct esl_line *l, const struct esl_originate *o,
                                 struct va_fault *fault)
{
    struct str x = o->extension;
    if (!x.len || x.p[0] == '&' || str_ieqz(x, "undef"))
        return va_fault_set(fault, VA_EINVAL,
                            "neither an application nor an extension that can be one: \"%.*s\"",
                            STR_ARG(x));
    if (!place_ok(o->dialplan) || !place_ok(o->context))
        return va_fault_set(fault, VA_EINVAL, "dialplan or context is not a name");
    esl_line_arg(l, x);
    if (o->dialplan || o->context)
        esl_line_text(l, o->dialplan ? o->dialplan : "XML");
    if (o->context)
        esl_line_text(l, o->context);
    return VA_OK;
}

static enum va_err add_call(struct esl_line *l, const struct esl_originate *o, const char *uuid,
                            struct va_fault *fault)
{
    struct buf braces;
    buf_init(&braces, ESL_LINE_MAX);
    enum va_err err = add_own_vars(&braces, o, uuid, fault);
    if (!err)
        err = add_vars(&braces, o, fault);
    if (!err) {
        (void)buf_addf(&braces, "}%s", o->endpoint);
        if (braces.err)
            esl_line_fail(l, braces.err);
        else
            esl_line_text(l, buf_z(&braces));
        err = o->app ? add_app(l, o, fault) : add_extension(l, o, fault);
    }
    buf_free(&braces);
    return err;
}

static enum va_err check(const struct esl_originate *o, struct va_fault *fault)
{
    if (!endpoint_ok(str_of(o->endpoint)))
        return va_fault_set(fault, VA_EINVAL,
                            "endpoint \"%.200s\": no blanks, quotes, backslashes, {}<>, \"${\" or "
                            "\":_:\"; variables go by vars",
                            o->endpoint ? o->endpoint : "");
    if (o->uuid && (!esl_uuid_ok(str_of(o->uuid)) || strlen(o->uuid) >= UUID_TEXT))
        return va_fault_set(fault, VA_EINVAL, "uuid \"%.80s\" is not 1 to 36 bytes of a uuid",
                            o->uuid);
    if (o->var_count > ESL_ORIGINATE_VARS_MAX || (o->var_count && !o->vars))
        return va_fault_set(fault, VA_EINVAL, "%zu variables: at most %d", o->var_count,
                            ESL_ORIGINATE_VARS_MAX);
    return VA_OK;
}

enum va_err esl_originate(struct esl_switch *sw, const struct esl_originate *o,
                          const struct esl_then *then, char ret_uuid[static UUID_TEXT],
                          struct va_fault *fault)
{
    enum va_err err = o ? check(o, fault) : va_fault_set(fault, VA_EINVAL, "no call described");
    if (err)
        return err;
    char uuid[UUID_TEXT];
    if (!o->uuid || !str_copy(uuid, sizeof(uuid), str_of(o->uuid)))
        rand_uuid(uuid);
    struct esl_line l;
    esl_line_begin(&l, "originate");
    err = add_call(&l, o, uuid, fault);
    if (err) {
        buf_free(&l.b);
        return err;
    }
    err = o->blocking ? esl_line_api(&l, sw, then) : esl_line_bgapi(&l, sw, then);
    if (err)
        return va_fault_set(fault, err, "originate %.80s: %s", o->endpoint, va_err_text(err));
    memcpy(ret_uuid, uuid, sizeof(uuid));
    return VA_OK;
}

enum va_err esl_originate_cancel(struct esl_switch *sw, const char *uuid,
                                 const struct esl_then *then)
{
    struct esl_line l;
    /* Without a variable and value hupall would hang up every call there is: both always stand. */
    esl_line_begin(&l, "hupall ORIGINATOR_CANCEL " ID_VARIABLE);
    esl_line_uuid(&l, uuid);
    return esl_line_api(&l, sw, then);
}

/* ---- the outcome ---------------------------------------------------------------------------- */

const char *esl_outcome_text(enum esl_outcome outcome)
{
    static const char *const texts[] = {
#define X(sym, text) text,
        ESL_OUTCOME_MAP(X)
#undef X
    };
    return (unsigned)outcome < ESL_OUTCOME_COUNT ? texts[outcome] : "unknown";
}

enum esl_outcome esl_outcome_of(struct str cause)
{
    static const struct {
        const char *cause;
        enum esl_outcome outcome;
    } rows[] = {
#define X(cause, outcome) {cause, outcome},
        ESL_CAUSE_MAP(X)
#undef X
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (str_ieqz(cause, rows[i].cause))
            return rows[i].outcome;
    return ESL_FAILED;
}

enum va_err esl_originate_read(enum va_err err, struct str text, struct esl_originated *ret_o)
{
    if (err != VA_OK && err != VA_EREFUSED && err != VA_ENOTFOUND)
        return err;
    struct str line = str_trim(text);
    if (str_starts(line, "+OK Job-UUID:"))
        return VA_EAGAIN;
    if (str_starts(line, "-USAGE"))
        return VA_EINVAL;
    bool good = str_starts(line, "+OK "), bad = str_starts(line, "-ERR ");
    struct str word = good  ? str_trim(str_make(line.p + 4, line.len - 4))
                      : bad ? str_trim(str_make(line.p + 5, line.len - 5))
                            : (struct str){0};
    if (good ? !esl_uuid_ok(word) : !esl_word_ok(word))
        return VA_EPROTO;
    *ret_o = (struct esl_originated){.outcome = good ? ESL_ANSWERED : esl_outcome_of(word),
                                     .uuid = good ? word : (struct str){0},
                                     .cause = bad ? word : (struct str){0}};
    return VA_OK;
}
