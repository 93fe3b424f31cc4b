/* Any text is read or refused with a one-line fault; what is read survives out and in again. */
#include "store/secretary_admin.h"

#include <stdint.h>
#include <stdlib.h>

static void on_again(void *arg, struct secretary *s)
{
    struct buf *out = arg;
    const struct secretary *made = s;
    if (secretary_to_yaml(made, out))
        abort();
    secretary_unref(&made);
}

static void on_each(void *arg, struct secretary *s)
{
    (void)arg;
    const struct secretary *made = s;
    struct buf first, second;
    struct va_fault fault = {0};
    buf_init(&first, 4 * SECRETARY_YAML_MAX);
    buf_init(&second, 4 * SECRETARY_YAML_MAX);
    if (secretary_to_yaml(made, &first))
        abort();
    if (first.len <= SECRETARY_YAML_MAX &&
        (secretary_from_yaml("again", buf_str(&first), on_again, &second, &fault) ||
         !str_eq(buf_str(&first), buf_str(&second))))
        abort();
    buf_free(&first);
    buf_free(&second);
    secretary_unref(&made);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    struct va_fault fault = {0};
    enum va_err err =
        secretary_from_yaml("fuzz", str_make((const char *)p, len), on_each, NULL, &fault);
    if (err && (fault.code != err || !fault.text[0] || strchr(fault.text, '\n')))
        abort();
    return 0;
}
