/*
 *     <event><headers><Name>percent-encoded</Name> … </headers>
 *     [<Content-Length>n</Content-Length><body>XML-escaped</body>]</event>
 *
 * Names are whatever FreeSWITCH was given (`<Bad Name>`), so this is not always XML and an XML
 * parser would refuse it. The scanner knows the three levels and nothing else.
 */
#include "esl/event_int.h"

static const char *seek(const char *p, const char *end, const char *what)
{
    const char *at = p < end ? memmem(p, (size_t)(end - p), what, strlen(what)) : NULL;
    return at ? at + strlen(what) : NULL;
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* "</name>" at p. */
static bool closes(const char *p, const char *end, struct str name)
{
    return (size_t)(end - p) >= name.len + 3 && p[0] == '<' && p[1] == '/' &&
           memcmp(p + 2, name.p, name.len) == 0 && p[2 + name.len] == '>';
}

/* One element at p, which is a '<'. Values are percent-encoded and hold no angle brackets, so the
 * last '>' before the next '<' ends the name, whatever the name holds.
 * @return behind it, or NULL when it cannot be read */
static const char *header(struct esl_event *ev, const char *p, const char *end)
{
    const char *name = p + 1, *lt = memchr(name, '<', (size_t)(end - name));
    const char *gt = lt ? memrchr(name, '>', (size_t)(lt - name)) : NULL;
    if (!gt || !closes(lt, end, str_make(name, (size_t)(gt - name))))
        return NULL;
    struct esl_header h = {.name_at = (uint32_t)(name - ev->raw),
                           .name_len = (uint32_t)(gt - name),
                           .value_at = (uint32_t)(gt + 1 - ev->raw),
                           .value_len = (uint32_t)(lt - gt - 1),
                           .coding = ESL_CODING_PERCENT};
    return esl_event_add(ev, h) ? lt + (gt - name) + 3 : NULL;
}

/* All of <headers>. @return behind "</headers>", or the end */
static const char *headers(struct esl_event *ev, const char *p, const char *end)
{
    for (;;) {
        p = skip_blanks(p, end);
        if (closes(p, end, str_of("headers")))
            return p + strlen("</headers>");
        const char *next = p < end && *p == '<' ? header(ev, p, end) : NULL;
        if (!next) { /* leave this line out and go on with the next */
            ev->flawed = true;
            next = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
            if (!next || ev->out_of_memory || ev->count >= ESL_EVENT_HEADERS_MAX)
                return end;
        }
        p = next;
    }
}

void esl_event_scan_xml(struct esl_event *ev)
{
    const char *end = ev->raw + ev->len, *p = seek(ev->raw, end, "<headers>");
    if (!p) {
        ev->flawed = true;
        return;
    }
    p = headers(ev, p, end);
    const char *body = seek(p, end, "<body>");
    if (body) {
        /* '<' is escaped in a body, so the first one ends it. */
        const char *stop = memchr(body, '<', (size_t)(end - body));
        ev->flawed = ev->flawed || !stop;
        esl_event_set_body(ev, (size_t)(body - ev->raw), (size_t)((stop ? stop : end) - body),
                           ESL_CODING_XML);
    }
    if (!seek(p, end, "</event>"))
        ev->flawed = true;
}
