/* fakefs/session against real FreeSWITCH: the program's side of a recorded conversation is played
 * into the fake, on a clock turned by hand, and what the fake answers must be what was recorded. */
#include "fakefs/session.h"
#include "fakefs/session_int.h"

#include "unit/unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES_MAX = 128 };

/* One message of a conversation. */
struct message {
    struct str head, body;
};

struct talk {
    struct buf text;
    struct message m[MESSAGES_MAX];
    size_t count;
};

/* ---- reading recordings --------------------------------------------------------------------- */

static struct str header(struct str block, const char *name)
{
    while (block.len) {
        struct str value = str_cut(&block, '\n'), n = str_cut(&value, ':');
        if (str_ieqz(n, name))
            return str_trim(value);
    }
    return str_make(NULL, 0);
}

static void cut_messages(struct talk *t)
{
    const char *p = t->text.p, *end = p + t->text.len;
    while (p < end) {
        const char *stop = memmem(p, (size_t)(end - p), "\n\n", 2);
        assert_non_null(stop);
        struct message *m = &t->m[t->count++];
        assert_true(t->count < MESSAGES_MAX);
        m->head = str_make(p, (size_t)(stop - p) + 1);
        p = stop + 2;
        uint64_t n = 0;
        if (!header(m->head, "Event-Name").len && header(m->head, "Content-Length").len)
            assert_int_equal(str_to_u64(header(m->head, "Content-Length"), &n), VA_OK);
        assert_true(n <= (uint64_t)(end - p));
        m->body = str_make(p, n);
        p += n;
    }
}

/* A header of an event in either form, JSON values as they are, plain ones still encoded. */
static void event_value(const struct message *m, const char *name, char *out, size_t cap)
{
    *out = 0;
    if (!str_eqz(header(m->head, "Content-Type"), "text/event-json")) {
        (void)str_copy(out, cap, header(m->body, name));
        return;
    }
    struct json_tokener *tok = json_tokener_new();
    struct json_object *root = json_tokener_parse_ex(tok, m->body.p, (int)m->body.len), *v = NULL;
    assert_non_null(root);
    if (json_object_object_get_ex(root, name, &v))
        (void)str_copy(out, cap, str_of(json_object_get_string(v)));
    json_object_put(root);
    json_tokener_free(tok);
}

static void mask_uuids(char *text)
{
    for (char *p = text; strlen(p) >= 36; p++) {
        if (p[8] == '-' && p[13] == '-' && p[18] == '-' && p[23] == '-') {
            memmove(p + 1, p + 36, strlen(p + 36) + 1);
            *p = '#';
        }
    }
}

/* ---- the conversation with the fake --------------------------------------------------------- */

struct play {
    struct va_clock_manual clock;
    struct fakefs_session *s;
    struct talk recorded, played;
    int unicasts;
    bool closed;
};

static void on_write(void *arg, const void *p, size_t len)
{
    struct play *t = arg;
    assert_false(t->closed);
    buf_add(&t->played.text, p, len);
}

static void on_close(void *arg)
{
    ((struct play *)arg)->closed = true;
}

static void on_unicast(void *arg, const struct fakefs_unicast *where)
{
    struct play *t = arg;
    (void)where;
    t->unicasts++;
}

static void on_unicast_stop(void *arg)
{
    (void)arg;
}

static void on_note(void *arg, enum fakefs_note note, const char *text)
{
    (void)arg;
    (void)note;
    (void)text;
}

static const struct fakefs_session_ops ops = {.write = on_write,
                                              .close = on_close,
                                              .unicast_start = on_unicast,
                                              .unicast_stop = on_unicast_stop,
                                              .note = on_note};

static void advance_to(struct play *t, uint64_t us)
{
    while (fakefs_session_due_us(t->s) <= us) {
        uint64_t due = fakefs_session_due_us(t->s);
        if (due > t->clock.mono)
            va_clock_manual_advance(&t->clock, due - t->clock.mono);
        fakefs_session_turn(t->s);
    }
    if (us > t->clock.mono)
        va_clock_manual_advance(&t->clock, us - t->clock.mono);
}

static void start(struct play *t, const struct fakefs_session_cfg *cfg)
{
    static const char marker[] = "variable_";
    struct str block = t->recorded.m[0].head;
    char uuid[UUID_TEXT];
    (void)str_copy(uuid, sizeof(uuid), header(block, "Unique-ID"));
    struct fakefs_session_cfg c = *cfg;
    c.caller.uuid = uuid;
    c.clock = &t->clock.base;
    c.fixed_phase = true;
    assert_int_equal(fakefs_session_new(&c, &ops, t, &t->s), VA_OK);
    while (block.len) { /* the call's variables, as far as they need no decoding */
        struct str value = str_cut(&block, '\n'), name = str_cut(&value, ':');
        char n[200], v[2000];
        if (!str_starts(name, marker) || memchr(value.p, '%', value.len))
            continue;
        (void)str_copy(n, sizeof(n), str_make(name.p + 9, name.len - 9));
        (void)str_copy(v, sizeof(v), str_trim(value));
        fakefs_channel_set(fakefs_session_channel(t->s), n, v);
    }
}

/* Something that happens on FreeSWITCH's side at a time [ms]. */
struct happening {
    uint64_t ms;
    void (*what)(struct fakefs_session *s);
};

struct recording {
    const char *name;
    struct fakefs_session_cfg cfg;
    struct happening happens[8];
    bool replies_only; /* the program stopped reading */
    bool own_dialplan; /* what runs after the transfer differs: compare until there */
};

static void each_line(const struct recording *r, struct play *t, FILE *f, bool playing)
{
    char *line = NULL;
    size_t cap = 0, next = 0;
    while (getline(&line, &cap, f) > 0) {
        struct json_object *o = json_tokener_parse(line), *v = NULL;
        assert_non_null(o);
        (void)json_object_object_get_ex(o, "t_ms", &v);
        uint64_t us = (uint64_t)(json_object_get_double(v) * 1000);
        (void)json_object_object_get_ex(o, "from", &v);
        const char *from = json_object_get_string(v);
        assert_true(json_object_object_get_ex(o, "text", &v));
        const char *text = json_object_get_string(v);
        size_t len = (size_t)json_object_get_string_len(v);
        for (; playing && r->happens[next].what && r->happens[next].ms * 1000 <= us; next++) {
            advance_to(t, r->happens[next].ms * 1000);
            r->happens[next].what(t->s);
        }
        if (playing)
            advance_to(t, us);
        if (!playing && !strcmp(from, "fs"))
            buf_add(&t->recorded.text, text, len);
        else if (playing && !strcmp(from, "client"))
            fakefs_session_input(t->s, text, len);
        else if (playing && !strcmp(from, "client-crash"))
            fakefs_session_eof(t->s);
        json_object_put(o);
    }
    free(line);
}

/* ---- comparing ------------------------------------------------------------------------------ */

static bool is_event(const struct message *m)
{
    return str_starts(header(m->head, "Content-Type"), "text/event");
}

static const struct message *next_of(const struct talk *t, bool events, size_t *at)
{
    while (*at < t->count && is_event(&t->m[*at]) != events)
        ++*at;
    return *at < t->count ? &t->m[(*at)++] : NULL;
}

static const char *describe(const struct message *m, char *out, size_t cap)
{
    if (!m)
        return "(end)";
    if (is_event(m)) {
        event_value(m, "Event-Name", out, cap);
        return out;
    }
    (void)snprintf(out, cap, "%.*s|%.*s|%.*s|%.*s", STR_ARG(header(m->head, "Content-Type")),
                   STR_ARG(header(m->head, "Reply-Text")),
                   STR_ARG(header(m->head, "Content-Disposition")), STR_ARG(m->body));
    mask_uuids(out);
    return out;
}

static const char *const same_values[] = {
    "Channel-State", "Channel-Call-State",  "Answer-State",         "Hangup-Cause",
    "Application",   "Application-Data",    "Application-Response", "DTMF-Digit",
    "Unique-ID",     "Channel-State-Number"};

static void compare_event(const struct recording *r, const struct message *a,
                          const struct message *b)
{
    char want[300], got[300];
    for (size_t i = 0; i < sizeof(same_values) / sizeof(same_values[0]) - r->own_dialplan; i++) {
        event_value(a, same_values[i], want, sizeof(want));
        event_value(b, same_values[i], got, sizeof(got));
        if (strcmp(want, got))
            fail_msg("%s: %s is %s, recorded %s", r->name, same_values[i], got, want);
    }
    if (!str_eqz(header(a->head, "Content-Type"), "text/event-plain"))
        return;
    for (struct str rest = a->body; rest.len;) { /* every header it had is there */
        struct str name = str_cut(&rest, '\n');
        name = str_cut(&name, ':');
        char n[200];
        (void)str_copy(n, sizeof(n), name);
        bool ours = !name.len || str_starts(name, "variable_") || str_starts(name, "Bridge-") ||
                    str_starts(name, "Other-") || strstr(n, "Callee") || strstr(n, "Presence") ||
                    (r->own_dialplan && (strstr(n, "Transfer-Source") || strstr(n, "RDNIS"))) ||
                    str_starts(name, "ORIGINATE") || str_starts(name, "Originator");
        if (!ours && !header(b->body, n).p)
            fail_msg("%s: event without %s", r->name, n);
    }
}

static void compare(const struct recording *r, struct play *t, bool events)
{
    size_t i = 0, j = 0;
    char want[600], got[600];
    for (;;) {
        const struct message *a = next_of(&t->recorded, events, &i);
        const struct message *b = next_of(&t->played, events, &j);
        if (!a && b && str_eqz(header(b->head, "Content-Disposition"), "disconnect"))
            b = NULL; /* that program did not stay for the farewell */
        const char *w = describe(a, want, sizeof(want)), *g = describe(b, got, sizeof(got));
        if (strcmp(w, g))
            fail_msg("%s: message %zu is %s, recorded %s", r->name, j, g, w);
        if (!a)
            return;
        if (events)
            compare_event(r, a, b);
        event_value(b, "Channel-State", got, sizeof(got));
        if (events && r->own_dialplan && !strcmp(got, "CS_ROUTING"))
            return;
    }
}

static void replay(const struct recording *r)
{
    char path[600];
    const char *shared = getenv("VA_SHARED_DIR");
    (void)snprintf(path, sizeof(path), "%s/recordings/freeswitch/%s.jsonl",
                   shared ? shared : VA_SOURCE_DIR "/../shared", r->name);
    FILE *f = fopen(path, "r");
    if (!f)
        skip();
    struct play t = {.closed = false};
    va_clock_manual_init(&t.clock, 0, 1795349067296389);
    buf_init(&t.recorded.text, 1 << 20);
    buf_init(&t.played.text, 1 << 20);
    each_line(r, &t, f, false);
    cut_messages(&t.recorded);
    start(&t, &r->cfg);
    rewind(f);
    each_line(r, &t, f, true);
    (void)fclose(f);
    cut_messages(&t.played);
    compare(r, &t, false);
    if (!r->replies_only)
        compare(r, &t, true);
    fakefs_session_free(&t.s);
    buf_free(&t.recorded.text);
    buf_free(&t.played.text);
}

static void caller_hangs_up(struct fakefs_session *s)
{
    fakefs_session_hangup(s, "NORMAL_CLEARING");
}

static void presses_five(struct fakefs_session *s)
{
    fakefs_session_dtmf(s, '5', 250);
}

static void presses_hash(struct fakefs_session *s)
{
    fakefs_session_dtmf(s, '#', 250);
}

static void dialplan_takes_it(struct fakefs_session *s)
{
    session_transfer(s, "200 XML default");
}

static void plain_dtmf_hangup_by_us(void **state)
{
    (void)state;
    replay(&(struct recording){.name = "outbound-plain-dtmf-hangup-by-us",
                               .happens = {{750, presses_five}, {780, presses_hash}}});
}

static void json_unicast_caller_hangs_up(void **state)
{
    (void)state;
    replay(&(struct recording){.name = "outbound-json-unicast-caller-hangs-up",
                               .happens = {{1200, caller_hangs_up}}});
}

static void unknown_application_without_linger(void **state)
{
    (void)state;
    replay(&(struct recording){.name = "outbound-no-linger-bridge-busy"});
}

static void warm_transfer_and_return(void **state)
{
    (void)state;
    replay(&(struct recording){.name = "outbound-sip-unicast-warm-transfer-and-return",
                               .cfg = {.human_talks_ms = 580}});
}

static void bridge_then_transfer_away(void **state)
{
    (void)state;
    replay(&(struct recording){.name = "outbound-bridge-then-transfer-away",
                               .cfg = {.human_rings_ms = 5, .human_talks_ms = 10},
                               .happens = {{60, dialplan_takes_it}, {1560, caller_hangs_up}},
                               .own_dialplan = true});
}

static void crash_takeover(void **state)
{
    (void)state;
    replay(&(struct recording){.name = "outbound-crash-takeover-first-node", .replies_only = true});
    replay(&(struct recording){.name = "outbound-crash-takeover-second-node",
                               .cfg = {.socket_arg = "127.0.0.1:8023|127.0.0.1:8022 async full"},
                               .happens = {{305, caller_hangs_up}}});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_dtmf_hangup_by_us),
        cmocka_unit_test(json_unicast_caller_hangs_up),
        cmocka_unit_test(unknown_application_without_linger),
        cmocka_unit_test(warm_transfer_and_return),
        cmocka_unit_test(bridge_then_transfer_away),
        cmocka_unit_test(crash_takeover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
