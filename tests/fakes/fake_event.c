/*
 * An event: what every event begins with, then its own headers, then a body.
 *
 *     Content-Length: N          message head, made last because N is known last
 *     Content-Type: text/event-plain
 *
 *     [headers before the base]  (only sendevent has some)
 *     Event-Name: …              base: rendered once per origin and millisecond
 *     Event-Sequence: n
 *     [own headers]
 *     Content-Length: n          only with a body
 */
#include "fake.h"

#include <stdarg.h>
#include <time.h>
#include <unistd.h>

static struct event the_event;
static struct bytes rendered[FORMATS];
static uint64_t sequence = 1000;

const char *core_uuid(void)
{
    static char uuid[UUID_LEN + 1];
    if (!uuid[0])
        uuid_make(uuid);
    return uuid;
}

static const char *hostname(void)
{
    static char name[256];
    if (!name[0] && gethostname(name, sizeof(name) - 1))
        (void)snprintf(name, sizeof(name), "localhost");
    return name;
}

struct event *event_start(struct origin *from)
{
    struct event *ev = &the_event;
    ev->from = from;
    ev->base_at = ev->count = ev->used = ev->body_len = 0;
    ev->body = NULL;
    ev->sequence = sequence++;
    memset(ev->rendered, 0, sizeof(ev->rendered));
    return ev;
}

void event_base_here(struct event *ev)
{
    ev->base_at = ev->count;
}

void event_add(struct event *ev, const char *name, const char *value)
{
    if (ev->count == EVENT_HEADERS_MAX)
        return;
    ev->h[ev->count].name = name;
    ev->h[ev->count++].value = value;
}

void event_addf(struct event *ev, const char *name, const char *fmt, ...)
{
    char *at = ev->text + ev->used;
    size_t room = sizeof(ev->text) - ev->used;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(at, room, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= room)
        return;
    ev->used += (size_t)n + 1;
    event_add(ev, name, at);
}

const char *event_get(const struct event *ev, const char *name)
{
    for (size_t i = ev->count; i-- > 0;)
        if (strcasecmp(ev->h[i].name, name) == 0)
            return ev->h[i].value;
    const struct {
        const char *name, *value;
    } base[] = {
        {"Event-Name", ev->from->type},         {"Core-UUID", core_uuid()},
        {"FreeSWITCH-Hostname", hostname()},    {"FreeSWITCH-Switchname", hostname()},
        {"Event-Calling-File", ev->from->file}, {"Event-Calling-Function", ev->from->function}};
    for (size_t i = 0; i < sizeof(base) / sizeof(base[0]); i++)
        if (strcasecmp(base[i].name, name) == 0)
            return base[i].value;
    return NULL;
}

/* ---- one header in each format -------------------------------------------------------------- */

/* Element i of `ARRAY::a|:b`; false behind the last. */
static bool element(const char **at, const char **ret_p, size_t *ret_n)
{
    if (!*at)
        return false;
    const char *bar = strstr(*at, "|:");
    *ret_p = *at;
    *ret_n = bar ? (size_t)(bar - *at) : strlen(*at);
    *at = bar ? bar + 2 : NULL;
    return true;
}

static const char *array_of(const char *value)
{
    return strncmp(value, "ARRAY::", 7) == 0 ? value + 7 : NULL;
}

static void header_json(struct bytes *out, const char *name, const char *value)
{
    const char *array = array_of(value), *p;
    size_t n;
    bytes_add(out, "\"", 1);
    encode_json(out, name, strlen(name));
    bytes_add(out, "\":", 2);
    bytes_addz(out, array ? "[\"" : "\"");
    if (!array)
        encode_json(out, value, strlen(value));
    for (bool more = array && element(&array, &p, &n); more;) {
        encode_json(out, p, n);
        more = element(&array, &p, &n);
        if (more)
            bytes_addz(out, "\",\"");
    }
    bytes_addz(out, array_of(value) ? "\"]," : "\",");
}

static void header_xml(struct bytes *out, const char *name, const char *value)
{
    const char *array = array_of(value), *p;
    size_t n;
    if (!array) {
        bytes_addf(out, "    <%s>", name);
        encode_percent(out, value);
        bytes_addf(out, "</%s>\n", name);
        return;
    }
    while (element(&array, &p, &n)) {
        char *one = zalloc(n + 1);
        memcpy(one, p, n);
        bytes_addf(out, "    <%s>", name);
        encode_percent(out, one);
        bytes_addf(out, "</%s>\n", name);
        free(one);
    }
}

static void header(struct bytes *out, enum format format, const char *name, const char *value)
{
    if (format == JSON) {
        header_json(out, name, value);
    } else if (format == XML) {
        header_xml(out, name, value);
    } else {
        bytes_addz(out, name);
        bytes_add(out, ": ", 2);
        if (*value)
            encode_percent(out, value);
        else
            bytes_addz(out, "_undef_");
        bytes_add(out, "\n", 1);
    }
}

/* ---- the base ------------------------------------------------------------------------------- */

static void render_base(struct bytes *out, const struct origin *from, enum format format)
{
    time_t s = (time_t)(wall_us() / 1000000);
    struct tm tm;
    char text[64];
    header(out, format, "Event-Name", from->type);
    header(out, format, "Core-UUID", core_uuid());
    header(out, format, "FreeSWITCH-Hostname", hostname());
    header(out, format, "FreeSWITCH-Switchname", hostname());
    header(out, format, "FreeSWITCH-IPv4", "127.0.0.1");
    header(out, format, "FreeSWITCH-IPv6", "::1");
    (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", localtime_r(&s, &tm));
    header(out, format, "Event-Date-Local", text);
    (void)strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&s, &tm));
    header(out, format, "Event-Date-GMT", text);
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)wall_us());
    header(out, format, "Event-Date-Timestamp", text);
    header(out, format, "Event-Calling-File", from->file);
    header(out, format, "Event-Calling-Function", from->function);
    (void)snprintf(text, sizeof(text), "%d", from->line);
    header(out, format, "Event-Calling-Line-Number", text);
}

static void base(struct bytes *out, struct event *ev, enum format format)
{
    enum { KEEP_US = 1000 };
    struct origin *from = ev->from;
    uint64_t stamp = wall_us() / KEEP_US;
    static const char *const names[] = {"Event-Sequence: ", "\"Event-Sequence\":\"",
                                        "    <Event-Sequence>"};
    static const char *const ends[] = {"\n", "\",", "</Event-Sequence>\n"};
    if (from->head[format].stamp != stamp) {
        struct bytes b = {0};
        render_base(&b, from, format);
        if (b.len > sizeof(from->head[format].text))
            b.len = 0;
        memcpy(from->head[format].text, b.p, b.len);
        from->head[format].len = b.len;
        from->head[format].stamp = stamp;
        bytes_free(&b);
    }
    bytes_add(out, from->head[format].text, from->head[format].len);
    bytes_addz(out, names[format]);
    bytes_addu(out, ev->sequence);
    bytes_addz(out, ends[format]);
}

/* ---- whole events --------------------------------------------------------------------------- */

static void headers(struct bytes *out, struct event *ev, enum format format)
{
    for (size_t i = 0; i < ev->count || i <= ev->base_at; i++) {
        if (i == ev->base_at)
            base(out, ev, format);
        if (i < ev->count)
            header(out, format, ev->h[i].name, ev->h[i].value);
    }
}

void event_body_text(struct event *ev, struct bytes *out)
{
    headers(out, ev, PLAIN);
    if (ev->body) {
        bytes_addz(out, "Content-Length: ");
        bytes_addu(out, ev->body_len);
        bytes_add(out, "\n", 1);
    }
    bytes_add(out, "\n", 1);
    bytes_add(out, ev->body, ev->body_len);
}

static void json(struct event *ev, struct bytes *out)
{
    char length[24];
    bytes_add(out, "{", 1);
    headers(out, ev, JSON);
    if (ev->body) {
        (void)snprintf(length, sizeof(length), "%zu", ev->body_len);
        header_json(out, "Content-Length", length);
        bytes_addz(out, "\"_body\":\"");
        encode_json(out, ev->body, ev->body_len);
        bytes_add(out, "\",", 2);
    }
    out->p[out->len - 1] = '}';
}

static void xml(struct event *ev, struct bytes *out)
{
    bytes_addz(out, "<event>\n  <headers>\n");
    headers(out, ev, XML);
    bytes_addz(out, "  </headers>\n");
    if (ev->body) {
        bool line = ev->body_len && ev->body[ev->body_len - 1] == '\n';
        bytes_addf(out, "  <Content-Length>%zu</Content-Length>\n  <body>", ev->body_len);
        encode_xml(out, ev->body, ev->body_len);
        bytes_addz(out, line ? "  </body>\n" : "</body>\n");
    }
    bytes_addz(out, "</event>\n");
}

const struct bytes *event_render(struct event *ev, enum format format)
{
    static const char *const names[] = {"plain", "json", "xml"};
    static struct bytes text;
    struct bytes *out = &rendered[format];
    if (ev->rendered[format])
        return out;
    ev->rendered[format] = true;
    out->len = text.len = 0;
    if (format == JSON)
        json(ev, &text);
    else if (format == XML)
        xml(ev, &text);
    else
        event_body_text(ev, &text);
    bytes_addz(out, "Content-Length: ");
    bytes_addu(out, text.len);
    bytes_addz(out, "\nContent-Type: text/event-");
    bytes_addz(out, names[format]);
    bytes_add(out, "\n\n", 2);
    bytes_add(out, text.p, text.len);
    return out;
}

void event_fire(struct event *ev)
{
    enum { WAITING_MAX = 256 << 20 }; /* the real one kills a listener after 100,000 events */
    for (struct conn *c = conns; c; c = c->next) {
        if (!listen_wants(&c->listen, ev) || c->leaving || c->events.len > WAITING_MAX)
            continue;
        const struct bytes *b = event_render(ev, c->format);
        bytes_add(&c->events, b->p, b->len);
    }
}
