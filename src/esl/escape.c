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
    static const char not_in_words[] = ":={}[]'\"\\$,;|^";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c == 0x7F || strchr(not_in_words, c))
            return false;
    }
    return s.len >= 1 && s.len <= 256;
}

bool esl_arg_expands(struct str s)
{
    bool dollar = false;
    for (size_t i = 0; i < s.len; i++) {
        if (dollar && s.p[i] == '{')
            return true;
        dollar = s.p[i] == '$' || (dollar && s.p[i] == '\\');
    }
    return false;
}

static const struct str socket_module = STR_LIT("mod_event_socket");

static bool holds(struct str s, struct str word)
{
    for (size_t i = 0; i + word.len <= s.len; i++)
        if (str_ieq(str_make(s.p + i, word.len), word))
            return true;
    return false;
}

bool esl_line_reloads(struct str line)
{
    static const struct str reload = STR_LIT("reload"), unload = STR_LIT("unload");
    return holds(line, socket_module) && (holds(line, reload) || holds(line, unload));
}

enum {
    ALL_BLANKS = 1, /* blanks become \s everywhere, else only at both ends */
    OUTER = 2       /* this text stands on the wire */
};

static const char *escaped(char c, bool blank_too)
{
    switch (c) {
    case '\\': return "\\\\";
    case '\'': return "\\'";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case ' ': return blank_too ? "\\s" : NULL;
    default: return NULL;
    }
}

/* One escaping: `extra` (0: none) gets a backslash. On the wire two quotes, which FreeSWITCH drops,
 * protect what is not for un-escaping: its own module's name (esl_line_reloads) and a vertical tab
 * at the end, which it strips from a line as a blank. */
static void escape(struct buf *b, struct str s, char extra, unsigned flags)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool last = i + 1 == s.len;
        const char *text = escaped(c, (flags & ALL_BLANKS) || i == 0 || last);
        if (!text && extra && c == extra)
            (void)buf_addc(b, '\\');
        if (text)
            (void)buf_addz(b, text);
        else
            (void)buf_addc(b, c);
        if (!(flags & OUTER))
            continue;
        bool module = s.len - i >= socket_module.len &&
                      str_ieq(str_make(s.p + i, socket_module.len), socket_module);
        if (module || (last && c == '\v'))
            (void)buf_addz(b, "''");
    }
}

static bool has_nul(struct str s)
{
    return s.len && memchr(s.p, 0, s.len);
}

enum va_err esl_escape_setvar(struct buf *b, struct str value)
{
    if (has_nul(value))
        return VA_EINVAL;
    if (str_starts(value, "ARRAY::"))
        return VA_ENOTSUP;
    escape(b, value, 0, OUTER);
    return b->err;
}

enum va_err esl_escape_multi(struct buf *b, struct str value)
{
    if (has_nul(value))
        return VA_EINVAL;
    if (str_starts(value, "ARRAY::") || esl_arg_expands(value))
        return VA_ENOTSUP;
    escape(b, value, ';', OUTER);
    return b->err;
}

enum va_err esl_escape_arg(struct buf *b, struct str arg)
{
    if (!arg.len || has_nul(arg))
        return VA_EINVAL;
    escape(b, arg, 0, OUTER | ALL_BLANKS);
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

static bool expressible(struct str value)
{
    return balanced(value) && !esl_arg_expands(value) && !str_starts(value, "ARRAY::") &&
           !(value.len && memmem(value.p, value.len, ":_:", 3));
}

enum va_err esl_escape_originate(struct buf *b, struct str value)
{
    if (has_nul(value))
        return VA_EINVAL;
    if (!expressible(value))
        return VA_ENOTSUP;
    struct buf one, two;
    buf_init(&one, b->max * 2);
    buf_init(&two, b->max * 2);
    escape(&one, value, '=', ALL_BLANKS);
    escape(&two, buf_str(&one), ',', ALL_BLANKS);
    escape(b, buf_str(&two), 0, ALL_BLANKS | OUTER);
    enum va_err err = one.err ? one.err : two.err ? two.err : b->err;
    if (err)
        b->err = err;
    buf_free(&one);
    buf_free(&two);
    return err;
}
