/* Why three layers for originate: FreeSWITCH cuts the braces' content at blanks, then at commas,
 * then at the equals sign, and un-escapes at each cut (esl.md §1.9). */
#include "esl/escape.h"

bool esl_line_ok(struct str s)
{
    return !s.len ||
           (!memchr(s.p, '\n', s.len) && !memchr(s.p, '\r', s.len) && !memchr(s.p, 0, s.len));
}

static bool alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool esl_uuid_ok(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_' && s.p[i] != '.')
            return false;
    return s.len >= 1 && s.len <= 128;
}

bool esl_word_ok(struct str s)
{
    static const char not_in_words[] = ":={}[]'\"\\$,;|";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == 0x7F || strchr(not_in_words, c))
            return false;
    }
    return s.len >= 1 && s.len <= 256;
}

bool esl_arg_expands(struct str s)
{
    return s.len && memmem(s.p, s.len, "${", 2);
}

/* One escaping: `extra` (0: none) gets a backslash; blanks become \s at both ends or everywhere. */
static void escape(struct buf *b, struct str s, char extra, bool all_blanks)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool edge = i == 0 || i + 1 == s.len;
        const char *text = c == '\\'                          ? "\\\\"
                           : c == '\''                        ? "\\'"
                           : c == '\n'                        ? "\\n"
                           : c == '\r'                        ? "\\r"
                           : c == '\t'                        ? "\\t"
                           : c == ' ' && (all_blanks || edge) ? "\\s"
                                                              : NULL;
        if (text) {
            (void)buf_addz(b, text);
        } else {
            if (extra && c == extra)
                (void)buf_addc(b, '\\');
            (void)buf_addc(b, c);
        }
    }
}

enum va_err esl_escape_setvar(struct buf *b, struct str value)
{
    if (value.len && memchr(value.p, 0, value.len))
        return VA_EINVAL;
    escape(b, value, 0, false);
    return b->err;
}

static bool balanced(struct str s)
{
    size_t depth = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '{')
            depth++;
        else if (s.p[i] == '}' && depth-- == 0)
            return false;
    }
    return depth == 0;
}

enum va_err esl_escape_originate(struct buf *b, struct str value)
{
    if (value.len && memchr(value.p, 0, value.len))
        return VA_EINVAL;
    if (!balanced(value) || esl_arg_expands(value) ||
        (value.len && memmem(value.p, value.len, ":_:", 3)))
        return VA_ENOTSUP;
    struct buf one, two;
    buf_init(&one, b->max * 2);
    buf_init(&two, b->max * 2);
    escape(&one, value, '=', true);
    escape(&two, buf_str(&one), ',', true);
    escape(b, buf_str(&two), 0, true);
    enum va_err err = one.err ? one.err : two.err ? two.err : b->err;
    if (err)
        b->err = err;
    buf_free(&one);
    buf_free(&two);
    return err;
}
