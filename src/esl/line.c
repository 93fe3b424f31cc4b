#include "esl/line.h"
#include "esl/escape.h"

void esl_line_fail(struct esl_line *l, enum va_err err)
{
    if (!l->b.err)
        l->b.err = err;
}

void esl_line_begin(struct esl_line *l, const char *verb)
{
    buf_init(&l->b, ESL_LINE_MAX);
    (void)buf_addz(&l->b, verb);
}

void esl_line_text(struct esl_line *l, const char *text)
{
    (void)buf_addc(&l->b, ' ');
    (void)buf_addz(&l->b, text);
}

void esl_line_uuid(struct esl_line *l, const char *uuid)
{
    if (esl_uuid_ok(str_of(uuid)))
        esl_line_text(l, uuid);
    else
        esl_line_fail(l, VA_EINVAL);
}

void esl_line_word(struct esl_line *l, const char *word)
{
    if (esl_word_ok(str_of(word)))
        esl_line_text(l, word);
    else
        esl_line_fail(l, VA_EINVAL);
}

void esl_line_arg(struct esl_line *l, struct str arg)
{
    (void)buf_addc(&l->b, ' ');
    enum va_err err = esl_escape_arg(&l->b, arg);
    if (err)
        esl_line_fail(l, err);
}

void esl_line_number(struct esl_line *l, uint64_t n)
{
    (void)buf_addf(&l->b, " %llu", (unsigned long long)n);
}

static enum va_err check(const struct esl_line *l)
{
    if (l->b.err)
        return l->b.err;
    return esl_line_reloads(buf_str(&l->b)) ? VA_ENOTSUP : VA_OK;
}

enum va_err esl_line_api(struct esl_line *l, struct esl_switch *sw, const struct esl_then *then)
{
    enum va_err err = check(l);
    if (!err)
        err = esl_switch_api(sw, buf_str(&l->b), then);
    buf_free(&l->b);
    return err;
}

enum va_err esl_line_bgapi(struct esl_line *l, struct esl_switch *sw, const struct esl_then *then)
{
    enum va_err err = check(l);
    if (!err)
        err = esl_switch_bgapi(sw, buf_str(&l->b), then);
    buf_free(&l->b);
    return err;
}
