#include "esl/variable.h"
#include "esl/escape.h"
#include "esl/line.h"

enum va_err esl_uuid_getvar(struct esl_switch *sw, const char *uuid, const char *name,
                            const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, "uuid_getvar");
    esl_line_uuid(&l, uuid);
    esl_line_word(&l, name);
    return esl_line_api(&l, sw, then);
}

enum va_err esl_uuid_setvar(struct esl_switch *sw, const char *uuid, const char *name,
                            struct str value, const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, "uuid_setvar");
    esl_line_uuid(&l, uuid);
    esl_line_word(&l, name);
    (void)buf_addc(&l.b, ' ');
    enum va_err err = esl_escape_setvar(&l.b, value);
    if (err)
        esl_line_fail(&l, err);
    return esl_line_api(&l, sw, then);
}

static enum va_err add_pair(struct buf *b, const struct esl_field *var, struct va_fault *fault)
{
    if (!var->name || !esl_word_ok(str_of(var->name)))
        return va_fault_set(fault, VA_EINVAL, "\"%.80s\" cannot name a variable",
                            var->name ? var->name : "");
    (void)buf_addf(b, "%s=", var->name);
    enum va_err err = esl_escape_multi(b, var->value);
    if (err == VA_EINVAL)
        return va_fault_set(fault, err, "value of %s has a NUL byte", var->name);
    if (err == VA_ENOTSUP)
        return va_fault_set(fault, err,
                            "value of %s has \"${\" or begins with \"ARRAY::\": FreeSWITCH would "
                            "change it; set the former by uuid_setvar",
                            var->name);
    if (err)
        return va_fault_set(fault, err, "variable %s: %s", var->name, va_err_text(err));
    return VA_OK;
}

enum va_err esl_uuid_setvar_multi(struct esl_switch *sw, const char *uuid,
                                  const struct esl_field *vars, size_t count,
                                  const struct esl_then *then, struct va_fault *fault)
{
    if (!vars || !count || count > ESL_SETVAR_MAX)
        return va_fault_set(fault, VA_EINVAL, "%zu variables: 1 to %d go in one command", count,
                            ESL_SETVAR_MAX);
    if (!esl_uuid_ok(str_of(uuid)))
        return va_fault_set(fault, VA_EINVAL, "\"%.80s\" is no uuid", uuid ? uuid : "");
    struct esl_line l;
    esl_line_begin(&l, "uuid_setvar_multi");
    esl_line_uuid(&l, uuid);
    (void)buf_addc(&l.b, ' ');
    enum va_err err = VA_OK;
    for (size_t i = 0; i < count && !err; i++) {
        if (i)
            (void)buf_addc(&l.b, ';');
        err = add_pair(&l.b, &vars[i], fault);
    }
    if (err) { /* the fault is told */
        buf_free(&l.b);
        return err;
    }
    err = esl_line_api(&l, sw, then);
    return err ? va_fault_set(fault, err, "uuid_setvar_multi: %s", va_err_text(err)) : VA_OK;
}

enum va_err esl_global_getvar(struct esl_switch *sw, const char *name, const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, "global_getvar");
    esl_line_word(&l, name);
    return esl_line_api(&l, sw, then);
}
