/* Any event, shown in every way: always terminated lines, no control byte, JSON that is UTF-8. */
#include "app/esl_show.h"
#include "base/utf8.h"

#include <stdlib.h>

static void check_safe(const struct buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if ((unsigned char)b->p[i] < 0x20 && b->p[i] != '\n')
            abort();
}

static void check_utf8(const struct buf *b)
{
    for (struct str s = buf_str(b); s.len;) {
        size_t n = utf8_char(s);
        if (!n)
            abort();
        s = str_make(s.p + n, s.len - n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct esl_event *ev = esl_event_new();
    struct buf out;
    if (!ev || len < 1)
        goto out;
    if (esl_event_parse(ev, (enum esl_format)(data[0] % 3),
                        str_make((const char *)data + 1, len - 1)))
        goto out;
    buf_init(&out, 64 << 20);
    esl_show_json(&out, ev);
    check_utf8(&out);
    check_safe(&out);
    buf_reset(&out);
    esl_show_line(&out, ev, false);
    esl_show_full(&out, ev, false);
    check_utf8(&out);
    check_safe(&out);
    buf_free(&out);
out:
    esl_event_free(&ev);
    return 0;
}
