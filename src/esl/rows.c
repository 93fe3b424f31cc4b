/*
 *     {"row_count":2,"rows":[{"uuid":"…",…},{…}]}
 *                           ^ slices: from a brace to its brace, strings skipped as a whole
 */
#include "esl/event_int.h"
#include "esl/line.h"
#include "esl/reply.h"
#include "esl/rows.h"

enum va_err esl_show(struct esl_switch *sw, const char *what, const struct esl_then *then)
{
    struct esl_line l;
    esl_line_begin(&l, "show");
    esl_line_word(&l, what);
    esl_line_text(&l, "as json");
    return esl_line_api(&l, sw, then);
}

enum va_err esl_show_channels(struct esl_switch *sw, const struct esl_then *then)
{
    return esl_show(sw, "channels", then);
}

enum va_err esl_show_calls(struct esl_switch *sw, const struct esl_then *then)
{
    return esl_show(sw, "calls", then);
}

static struct str skip_blanks(struct str s)
{
    while (s.len && (unsigned char)s.p[0] <= ' ')
        s = str_make(s.p + 1, s.len - 1);
    return s;
}

static bool take(struct str *s, char c)
{
    *s = skip_blanks(*s);
    if (!s->len || s->p[0] != c)
        return false;
    *s = str_make(s->p + 1, s->len - 1);
    return true;
}

/* Length of the object or array that s begins with, to its own closing bracket; 0: it has none. */
static size_t nested(struct str s)
{
    size_t depth = 0, at = 0;
    while (at < s.len) {
        char c = s.p[at];
        if (c == '"') {
            at = esl_json_string_end(s.p, s.len, at);
            if (!at)
                return 0;
            continue;
        }
        at++;
        depth += c == '{' || c == '[';
        if (depth > ESL_EVENT_JSON_DEPTH)
            return 0;
        if ((c == '}' || c == ']') && --depth == 0)
            return at;
    }
    return 0;
}

/* Length of a number, true, false or null. */
static size_t word(struct str s)
{
    size_t n = 0;
    while (n < s.len && s.p[n] > ' ' && !strchr(",:\"{}[]", s.p[n]))
        n++;
    return n;
}

/* Cut off one value. */
static bool cut_value(struct str *s, struct str *ret_value)
{
    *s = skip_blanks(*s);
    if (!s->len)
        return false;
    char c = s->p[0];
    size_t n = c == '"'               ? esl_json_string_end(s->p, s->len, 0)
               : c == '{' || c == '[' ? nested(*s)
                                      : word(*s);
    *ret_value = str_make(s->p, n);
    *s = str_make(s->p + n, s->len - n);
    return n > 0;
}

/* The text between the brackets of "rows"; empty when there is no such member. */
static enum va_err find_rows(struct str text, struct str *ret_rows)
{
    struct str name, value, rows = {0};
    if (!take(&text, '{'))
        return VA_EPROTO;
    bool first = true;
    while (!take(&text, '}')) {
        if ((!first && !take(&text, ',')) || !cut_value(&text, &name) || name.p[0] != '"' ||
            !take(&text, ':') || !cut_value(&text, &value))
            return VA_EPROTO;
        if (str_eqz(name, "\"rows\""))
            rows = value;
        first = false;
    }
    if (skip_blanks(text).len || (rows.p && (rows.p[0] != '[' || rows.p[rows.len - 1] != ']')))
        return VA_EPROTO;
    *ret_rows = rows.p ? str_make(rows.p + 1, rows.len - 2) : rows;
    return VA_OK;
}

/* The next object; VA_ENOTFOUND at the end. */
static enum va_err next(struct str *rest, bool first, struct str *ret_row)
{
    *rest = skip_blanks(*rest);
    if (!rest->len)
        return VA_ENOTFOUND;
    if ((!first && !take(rest, ',')) || !cut_value(rest, ret_row) || ret_row->p[0] != '{' ||
        ret_row->p[ret_row->len - 1] != '}')
        return VA_EPROTO;
    return VA_OK;
}

enum va_err esl_rows_read(enum va_err err, struct str text, struct esl_rows *ret_rows)
{
    struct str all = {0}, row;
    err = esl_ok_read(err, text);
    if (!err)
        err = find_rows(text, &all);
    if (err)
        return err;
    struct str rest = all;
    size_t count = 0;
    while (!(err = next(&rest, count == 0, &row)))
        count++;
    if (err != VA_ENOTFOUND)
        return err;
    *ret_rows = (struct esl_rows){all, count};
    return VA_OK;
}

enum va_err esl_rows_next(struct esl_rows *rows, struct esl_event *row)
{
    struct str s;
    (void)take(&rows->rest, ','); /* where it must stand was checked when the table was read */
    enum va_err err = next(&rows->rest, true, &s);
    return err ? err : esl_event_parse(row, ESL_JSON, s);
}
