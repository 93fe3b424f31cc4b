#include "base/log.h"
#include "base/buf.h"
#include "base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096, RING = 16, RING_TEXT = 200 };

static enum log_level threshold = LOG_INFO;
static int out_fd = STDERR_FILENO;

static const char *const level_names[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};

void log_set_level(enum log_level level)
{
    threshold = level;
}

void log_set_fd(int fd)
{
    out_fd = fd;
}

bool log_enabled(enum log_level level)
{
    return level >= threshold;
}

enum va_err log_level_parse(struct str s, enum log_level *ret_level)
{
    static const char *const names[] = {"debug", "info", "warn", "error", "warning"};
    for (unsigned i = 0; i < 5; i++) {
        if (str_ieqz(s, names[i])) {
            *ret_level = i == 4 ? LOG_WARN : (enum log_level)i;
            return VA_OK;
        }
    }
    return VA_EINVAL;
}

static bool plain(struct str v)
{
    if (v.len == 0)
        return false;
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.p[i];
        if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c == 0x7f)
            return false;
    }
    return true;
}

static void add_value(struct buf *b, const char *value)
{
    struct str v = str_of(value ? value : "-");
    if (plain(v)) {
        buf_adds(b, v);
        return;
    }
    buf_addc(b, '"');
    for (size_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.p[i];
        if (c == '"' || c == '\\')
            buf_addf(b, "\\%c", c);
        else if (c == '\n')
            buf_addz(b, "\\n");
        else if (c < ' ' || c == 0x7f)
            buf_addf(b, "\\x%02x", c);
        else
            buf_addc(b, (char)c);
    }
    buf_addc(b, '"');
}

static void add_pair(struct buf *b, const char *key, const char *value)
{
    buf_addc(b, ' ');
    buf_addz(b, key);
    buf_addc(b, '=');
    add_value(b, value);
}

static void write_all(const char *p, size_t len)
{
    while (len) {
        ssize_t n = write(out_fd, p, len);
        if (n <= 0)
            return; /* nobody to tell */
        p += n;
        len -= (size_t)n;
    }
}

void log_line(enum log_level level, const char *subsystem, const struct log_ctx *ctx,
              const char *event, ...)
{
    if (!log_enabled(level))
        return;
    char when[25];
    clock_format_utc(clock_wall_us(&va_clock_system), when);
    struct buf b;
    buf_init(&b, LINE_MAX_BYTES);
    buf_addf(&b, "%s %s %s", when, level_names[level], subsystem);
    if (ctx && ctx->tenant)
        add_pair(&b, "tenant", ctx->tenant);
    if (ctx && ctx->call)
        add_pair(&b, "call", ctx->call);
    add_pair(&b, "event", event);
    va_list ap;
    va_start(ap, event);
    for (const char *key; (key = va_arg(ap, const char *)) != NULL;)
        add_pair(&b, key, va_arg(ap, const char *));
    va_end(ap);
    buf_addc(&b, '\n');
    if (buf_failed(&b)) {
        char text[160];
        int n = snprintf(text, sizeof(text), "%s %s %s event=%.60s note=\"line over %d bytes\"\n",
                         when, level_names[level], subsystem, event, LINE_MAX_BYTES);
        write_all(text, n > 0 ? (size_t)n : 0);
    } else {
        write_all(b.p, b.len);
    }
    buf_free(&b);
}

static char *slot(void)
{
    static _Thread_local char ring[RING][RING_TEXT];
    static _Thread_local unsigned at;
    return ring[at++ % RING];
}

const char *log_num(int64_t n)
{
    char *s = slot();
    (void)snprintf(s, RING_TEXT, "%lld", (long long)n);
    return s;
}

const char *log_ms(uint64_t us)
{
    char *s = slot();
    (void)snprintf(s, RING_TEXT, "%llu.%llu", (unsigned long long)(us / 1000),
                   (unsigned long long)(us % 1000 / 100));
    return s;
}

const char *log_str(struct str v)
{
    char *s = slot();
    (void)str_copy(s, RING_TEXT, v);
    return s;
}
