/* A sentence somebody else's recogniser wrote: any bytes are read; what is found is one of the
 * secretary's, and blanks and capitals around it change nothing. */
#include "ai/attendant/listen.h"
#include "base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static struct secretary *secretary(void)
{
    static struct secretary *s; /* for the whole run */
    struct destination *d = NULL;
    struct topic *t = NULL;
    if (s)
        return s;
    if (secretary_new(&s) || secretary_set(&s->language, "pt-BR") ||
        secretary_add_destination(s, &d) || secretary_set(&d->name, "São José") ||
        secretary_list_add(&d->aliases, "vendas") || secretary_add_topic(s, &t) ||
        secretary_set(&t->name, "horário") || secretary_list_add(&t->phrases, "a"))
        abort();
    return s;
}

static enum va_err read_it(const char *before, const uint8_t *p, size_t len, int *ret_tag)
{
    char text[8200];
    bool sure = false;
    int n = snprintf(text, sizeof(text), "%s%.*s", before, (int)(len < 8000 ? len : 8000),
                     (const char *)p);
    if (n < 0)
        abort();
    *ret_tag = -1;
    return listen_read(secretary(), text, ret_tag, &sure);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
    int tag = 0, again = 0;
    enum va_err err = read_it("", p, len, &tag);
    if ((err == VA_OK) != (tag >= 0))
        abort();
    if (err == VA_OK && tag != LISTEN_DESTINATION && tag != LISTEN_TOPIC && tag != LISTEN_MESSAGE &&
        tag != LISTEN_OPERATOR && tag != LISTEN_GOODBYE)
        abort();
    if (err != VA_ELIMIT && read_it(" ?! ", p, len, &again) != VA_ELIMIT && again != tag)
        abort();
    return 0;
}
