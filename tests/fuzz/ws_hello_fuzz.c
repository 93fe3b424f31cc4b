/* The WebSocket handshake as bytes: a request, an answer, a URL. Corpus: tests/corpus/ws_hello. */
#include "net/ws_hello.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_head(const struct http_message *h, const char *p, size_t len)
{
    for (size_t i = 0; i < h->header_count; i++) {
        struct str name = h->headers[i].name, value = h->headers[i].value;
        if (!http_is_token(name) || !http_is_value(value))
            abort();
        if (name.p < p || value.p < name.p + name.len || value.p + value.len > p + len)
            abort();
    }
}

static void request(const char *p, size_t len)
{
    struct http_message h;
    const char *text = NULL;
    if (http_head_request(p, len, &h))
        return;
    check_head(&h, p, len);
    int status = ws_hello_check_request(&h, &text);
    if ((status == 101) != (text == NULL))
        abort();
    struct buf out;
    buf_init(&out, WS_HEAD_BYTES_MAX);
    enum va_err err =
        status == 101 ? ws_hello_answer(&h, NULL, &out) : ws_hello_refusal(status, text, &out);
    if (err || http_head_answer(out.p, http_head_length(out.p, out.len, 0), &h) ||
        h.status != status)
        abort();
    buf_free(&out);
}

static void answer(const char *p, size_t len)
{
    struct http_message h;
    if (http_head_answer(p, len, &h))
        return;
    check_head(&h, p, len);
    (void)ws_hello_check_answer(&h, "dGhlIHNhbXBsZSBub25jZQ==", "chat");
}

/* What a URL becomes is one request line and one Host line, whatever is in it. */
static void url(const char *z)
{
    struct ws_url u;
    struct http_message h;
    struct buf out;
    const struct ws_target to = {.url = z};
    const char *text = NULL;
    if (ws_url_parse(z, &u))
        return;
    buf_init(&out, WS_HEAD_BYTES_MAX);
    enum va_err err = ws_hello_request(&u, &to, "dGhlIHNhbXBsZSBub25jZQ==", &out);
    if (err != VA_ELIMIT && (err || http_head_request(out.p, out.len, &h) || h.header_count != 5 ||
                             ws_hello_check_request(&h, &text) != 101))
        abort();
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *z = malloc(size + 1);
    if (!z)
        abort();
    memcpy(z, data, size);
    z[size] = 0;
    size_t len = http_head_length(z, size, 0);
    if (len) {
        if (http_head_length(z, len - 1, 0) || http_head_length(z, size, len - 1) != len)
            abort();
        request(z, len);
        answer(z, len);
    }
    url(z);
    free(z);
    return 0;
}
