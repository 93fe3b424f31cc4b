#include "net/http_head.h"

static bool token_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

bool http_is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!token_char(s.p[i]))
            return false;
    return s.len > 0;
}

bool http_is_value(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < ' ' && c != '\t') || c == 127)
            return false;
    }
    return true;
}

size_t http_head_length(const char *p, size_t len, size_t from)
{
    static const char end[4] = {'\r', '\n', '\r', '\n'};
    size_t at = from > 3 ? from - 3 : 0; /* the end may have been cut by the last search */
    if (len < at + sizeof(end))
        return 0;
    const char *found = memmem(p + at, len - at, end, sizeof(end));
    return found ? (size_t)(found - p) + sizeof(end) : 0;
}

/* The next line without its CRLF. A CR or LF of its own inside is an error of the value checks.
 * @return false: it is cut off, or ends in a bare LF */
static bool line(struct str *rest, struct str *ret_line)
{
    if (!rest->len || !memchr(rest->p, '\n', rest->len))
        return false;
    *ret_line = str_cut(rest, '\n');
    if (!ret_line->len || ret_line->p[ret_line->len - 1] != '\r')
        return false;
    ret_line->len--;
    return true;
}

static bool version(struct str s, int *ret_minor)
{
    if (s.len != 8 || !str_starts(s, "HTTP/1.") || s.p[7] < '0' || s.p[7] > '9')
        return false;
    *ret_minor = s.p[7] - '0';
    return true;
}

static enum va_err headers(struct str rest, struct http_message *h)
{
    struct str l;
    while (line(&rest, &l)) {
        if (l.len == 0)
            return rest.len ? VA_EPROTO : VA_OK;
        if (h->header_count == HTTP_FIELDS_MAX)
            return VA_ELIMIT;
        const char *colon = memchr(l.p, ':', l.len);
        if (!colon)
            return VA_EPROTO;
        size_t name = (size_t)(colon - l.p);
        struct http_field *out = &h->headers[h->header_count++];
        out->name = str_make(l.p, name);
        out->value = str_make(colon + 1, l.len - name - 1);
        if (!http_is_token(out->name) || !http_is_value(out->value))
            return VA_EPROTO;
        out->value = str_trim(out->value);
    }
    return VA_EPROTO;
}

static bool visible(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c >= 127)
            return false;
    }
    return s.len > 0;
}

enum va_err http_head_request(const char *p, size_t len, struct http_message *ret_head)
{
    struct http_message h = {.status = 0};
    struct str rest = {p, len}, first;
    if (!line(&rest, &first))
        return VA_EPROTO;
    h.method = str_cut(&first, ' ');
    h.target = str_cut(&first, ' ');
    if (!http_is_token(h.method) || !visible(h.target) || !version(first, &h.minor))
        return VA_EPROTO;
    enum va_err err = headers(rest, &h);
    if (!err)
        *ret_head = h;
    return err;
}

enum va_err http_head_answer(const char *p, size_t len, struct http_message *ret_head)
{
    struct http_message h = {.status = 0};
    struct str rest = {p, len}, first;
    uint64_t status = 0;
    if (!line(&rest, &first) || !version(str_cut(&first, ' '), &h.minor))
        return VA_EPROTO;
    struct str code = str_cut(&first, ' ');
    if (code.len != 3 || str_to_u64(code, &status) || status < 100)
        return VA_EPROTO;
    h.status = (int)status;
    h.reason = first;
    if (!http_is_value(first))
        return VA_EPROTO;
    enum va_err err = headers(rest, &h);
    if (!err)
        *ret_head = h;
    return err;
}

struct str http_head_get(const struct http_message *h, const char *name)
{
    for (size_t i = 0; i < h->header_count; i++)
        if (str_ieqz(h->headers[i].name, name))
            return h->headers[i].value;
    return (struct str){NULL, 0};
}

size_t http_head_count(const struct http_message *h, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < h->header_count; i++)
        n += str_ieqz(h->headers[i].name, name);
    return n;
}

bool http_head_lists(const struct http_message *h, const char *name, const char *token)
{
    for (size_t i = 0; i < h->header_count; i++) {
        struct str rest = h->headers[i].value;
        if (!str_ieqz(h->headers[i].name, name))
            continue;
        while (rest.len)
            if (str_ieqz(str_trim(str_cut(&rest, ',')), token))
                return true;
    }
    return false;
}
