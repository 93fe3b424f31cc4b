#include "ai/speech/cmudict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILE_MAX = 64 << 20, VARIANTS_MAX = 6 };

struct cmudict {
    struct buf text;
    uint32_t *slots; /* offset of a line + 1; 0 is free */
    size_t mask;
};

static size_t hash(struct str s)
{
    uint64_t h = 14695981039346656037ULL; /* FNV-1a */
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.p[i]) * 1099511628211ULL;
    return (size_t)(h ^ h >> 29);
}

static struct str line_at(const struct cmudict *d, size_t offset)
{
    struct str rest = str_make(d->text.p + offset, d->text.len - offset);
    return str_trim(str_cut(&rest, '\n'));
}

static struct str head_of(struct str line)
{
    size_t n = 0;
    while (n < line.len && line.p[n] != ' ' && line.p[n] != '\t')
        n++;
    return str_make(line.p, n);
}

static void index_line(struct cmudict *d, size_t offset)
{
    struct str head = head_of(line_at(d, offset));
    if (head.len == 0)
        return;
    size_t i = hash(head) & d->mask;
    while (d->slots[i])
        i = (i + 1) & d->mask;
    d->slots[i] = (uint32_t)offset + 1;
}

static enum va_err make_index(struct cmudict *d)
{
    size_t lines = 1, size = 1024;
    for (size_t i = 0; i < d->text.len; i++)
        lines += d->text.p[i] == '\n';
    while (size < lines * 3 / 2)
        size *= 2;
    d->slots = calloc(size, sizeof(*d->slots));
    if (!d->slots)
        return VA_ENOMEM;
    d->mask = size - 1;
    for (size_t at = 0; at < d->text.len;) {
        index_line(d, at);
        const char *end = memchr(d->text.p + at, '\n', d->text.len - at);
        at = end ? (size_t)(end - d->text.p) + 1 : d->text.len;
    }
    return VA_OK;
}

static enum va_err read_all(FILE *file, struct buf *out)
{
    char block[16384];
    size_t n = 0;
    while ((n = fread(block, 1, sizeof(block), file)) > 0) {
        if (buf_add(out, block, n))
            return out->err;
    }
    return ferror(file) ? VA_EIO : VA_OK;
}

enum va_err cmudict_load(const char *path, struct cmudict **ret_dict, struct va_fault *fault)
{
    FILE *file = fopen(path, "rbe");
    if (!file)
        return va_fault_set(fault, va_err_from_errno(errno),
                            "cannot read %s: %s; install the package pocketsphinx-en-us", path,
                            strerror(errno));
    struct cmudict *d = calloc(1, sizeof(*d));
    enum va_err err = d ? VA_OK : VA_ENOMEM;
    if (d) {
        buf_init(&d->text, FILE_MAX);
        err = read_all(file, &d->text);
    }
    (void)fclose(file);
    if (!err)
        err = make_index(d);
    if (err) {
        cmudict_free(&d);
        return va_fault_set(fault, err, "cannot read %s: %s", path, va_err_text(err));
    }
    *ret_dict = d;
    return VA_OK;
}

void cmudict_free(struct cmudict **dict)
{
    if (!dict || !*dict)
        return;
    free((*dict)->slots);
    buf_free(&(*dict)->text);
    free(*dict);
    *dict = NULL;
}

static struct str find(const struct cmudict *d, struct str head)
{
    for (size_t i = hash(head) & d->mask; d->slots[i]; i = (i + 1) & d->mask) {
        struct str line = line_at(d, d->slots[i] - 1);
        if (str_eq(head_of(line), head))
            return str_trim(str_make(line.p + head.len, line.len - head.len));
    }
    return str_make(NULL, 0);
}

enum va_err cmudict_lookup(const struct cmudict *dict, struct str word, struct buf *out)
{
    struct str phones = find(dict, word);
    if (phones.len == 0)
        return VA_ENOTFOUND;
    (void)buf_adds(out, phones);
    for (int i = 2; i <= VARIANTS_MAX; i++) {
        char head[128];
        int n = snprintf(head, sizeof(head), "%.*s(%d)", STR_ARG(word), i);
        if (n < 0 || n >= (int)sizeof(head))
            break;
        phones = find(dict, str_make(head, (size_t)n));
        if (phones.len == 0)
            break;
        (void)buf_addc(out, '|');
        (void)buf_adds(out, phones);
    }
    return out->err;
}
