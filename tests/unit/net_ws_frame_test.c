/* net/ws_frame: every size split at every byte, everything hostile, and wslay as the judge of what
 * random bytes mean. */
#include "net/ws_frame.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <wslay/wslay.h>

enum { BIG = 70000, ROOM = BIG + 100 };

static const uint8_t key[4] = {0x12, 0x00, 0xff, 0x81};

/* ---- a stream of bytes, and what it says ---------------------------------------------------- */

struct wire {
    char bytes[2 * ROOM];
    size_t len;
};

static void add_frame(struct wire *w, uint8_t first, const void *p, size_t len, bool masked)
{
    size_t n = ws_frame_head((uint8_t *)w->bytes + w->len, (enum ws_op)0, len, masked ? key : NULL);
    w->bytes[w->len] = (char)first;
    w->len += n;
    if (len && masked)
        ws_mask(w->bytes + w->len, p, len, key, 0);
    else if (len)
        memcpy(w->bytes + w->len, p, len);
    w->len += len;
}

/* Everything that came, as text: "T5:hello P0: C1000:bye !1002". Long payloads as their sum. */
struct story {
    char text[4096];
    size_t len;
};

static void tell(struct story *s, char what, unsigned number, const char *p, size_t len)
{
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + (unsigned char)p[i];
    int n = snprintf(s->text + s->len, sizeof(s->text) - s->len, "%c%u:%x ", what, number, sum);
    if (n > 0 && s->len + (size_t)n < sizeof(s->text))
        s->len += (size_t)n;
}

static char letter(enum ws_op op)
{
    return op == WS_OP_TEXT     ? 'T'
           : op == WS_OP_BINARY ? 'B'
           : op == WS_OP_PING   ? 'P'
           : op == WS_OP_PONG   ? 'O'
                                : 'C';
}

/* Read the bytes in pieces of `step`. */
static void read_ours(const char *bytes, size_t len, size_t step, bool from_client, size_t max,
                      struct story *s)
{
    struct ws_rx rx;
    static char copy[2 * ROOM];
    ws_rx_init(&rx, from_client, max, false);
    memset(s, 0, sizeof(*s));
    memcpy(copy, bytes, len);
    for (size_t at = 0; at < len;) {
        char *p = copy + at;
        size_t n = len - at < step ? len - at : step;
        at += n;
        struct ws_event ev;
        uint16_t code = 0;
        enum va_err err;
        while ((err = ws_rx_next(&rx, &p, &n, &ev, &code)) == VA_OK) {
            tell(s, letter(ev.op), ev.op == WS_OP_CLOSE ? ev.code : (unsigned)ev.len, ev.p, ev.len);
            if (ev.op == WS_OP_CLOSE)
                goto out;
        }
        if (err != VA_EAGAIN) {
            assert_true(err == (code == WS_CODE_TOO_BIG ? VA_ELIMIT : VA_EPROTO));
            tell(s, '!', code, NULL, 0);
            break;
        }
        assert_int_equal(n, 0);
    }
out:
    ws_rx_free(&rx);
}

static void expect_split(const struct wire *w, bool from_client, const char *expected)
{
    static struct story s;
    for (size_t step = 1; step <= w->len; step = step < 300 ? step + 1 : step * 7) {
        read_ours(w->bytes, w->len, step, from_client, BIG, &s);
        if (strcmp(s.text, expected))
            fail_msg("in pieces of %zu: %s instead of %s", step, s.text, expected);
    }
}

/* ---- what is right -------------------------------------------------------------------------- */

static void every_size_comes_through_in_any_pieces(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 7, 8, 9, 125, 126, 127, 300, 65535, 65536, BIG};
    static char text[BIG];
    static struct wire w;
    (void)state;
    for (size_t i = 0; i < BIG; i++)
        text[i] = (char)(i % 251);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (int masked = 0; masked < 2; masked++) {
            struct story s = {"", 0};
            w.len = 0;
            add_frame(&w, 0x82, text, sizes[i], masked);
            add_frame(&w, 0x81, "hello", 5, masked);
            tell(&s, 'B', (unsigned)sizes[i], text, sizes[i]);
            tell(&s, 'T', 5, "hello", 5);
            expect_split(&w, masked, s.text);
        }
}

static void fragments_are_joined_around_control_frames(void **state)
{
    static struct wire w;
    struct story s = {"", 0};
    (void)state;
    add_frame(&w, 0x01, "a\xc3", 2, true); /* a character is cut */
    add_frame(&w, 0x89, "ping", 4, true);
    add_frame(&w, 0x00, "", 0, true);
    add_frame(&w, 0x00, "\xa4z", 2, true);
    add_frame(&w, 0x8a, "", 0, true);
    add_frame(&w, 0x80, "end", 3, true);
    add_frame(&w, 0x02, "", 0, true);
    add_frame(&w, 0x80, "x", 1, true);
    add_frame(&w, 0x88, "\x03\xe8 bye", 6, true);
    add_frame(&w, 0x81, "never read", 10, true);
    tell(&s, 'P', 4, "ping", 4);
    tell(&s, 'O', 0, "", 0);
    tell(&s, 'T', 7, "a\xc3\xa4zend", 7);
    tell(&s, 'B', 1, "x", 1);
    tell(&s, 'C', 1000, " bye", 4);
    expect_split(&w, true, s.text);
}

static void a_mask_may_begin_anywhere(void **state)
{
    uint8_t in[64], out[64], whole[64];
    (void)state;
    for (size_t i = 0; i < sizeof(in); i++)
        in[i] = (uint8_t)(i * 7);
    for (size_t i = 0; i < sizeof(in); i++)
        whole[i] = in[i] ^ key[i & 3];
    for (size_t cut = 0; cut <= sizeof(in); cut++) {
        ws_mask(out, in, cut, key, 0);
        ws_mask(out + cut, in + cut, sizeof(in) - cut, key, cut);
        assert_memory_equal(out, whole, sizeof(out));
    }
    ws_mask(in, in, sizeof(in), key, 0);
    assert_memory_equal(in, whole, sizeof(in));
}

/* ---- what is wrong -------------------------------------------------------------------------- */

static void hostile_frames_end_with_the_right_code(void **state)
{
    static const struct {
        const char *what, *bytes;
        size_t len;
        bool from_client;
        const char *story;
    } rows[] = {
        {"2^64-3 bytes", "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xfd\1\2\3\4", 14, true, "!1002:0 "},
        {"2^63-1 bytes", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\1\2\3\4", 14, true, "!1009:0 "},
        {"one byte over", "\x82\x7f\0\0\0\0\0\1\x11\x71", 10, false, "!1009:0 "},
        {"unmasked client", "\x81\x01x", 3, true, "!1002:0 "},
        {"masked server", "\x81\x81\1\2\3\4x", 7, false, "!1002:0 "},
        {"ping of 126", "\x89\x7e\0\x7e", 4, false, "!1002:0 "},
        {"ping in parts", "\x09\x00", 2, false, "!1002:0 "},
        {"reserved bit 1", "\xc1\x00", 2, false, "!1002:0 "},
        {"reserved bit 2", "\xa1\x00", 2, false, "!1002:0 "},
        {"reserved bit 3", "\x91\x00", 2, false, "!1002:0 "},
        {"opcode 3", "\x83\x00", 2, false, "!1002:0 "},
        {"opcode 11", "\x8b\x00", 2, false, "!1002:0 "},
        {"continues nothing", "\x80\x01x", 3, false, "!1002:0 "},
        {"message in message", "\x01\x01x\x81\x01y", 6, false, "!1002:0 "},
        {"length not shortest", "\x82\x7e\0\x7d", 4, false, "!1002:0 "},
        {"length not shortest", "\x82\x7f\0\0\0\0\0\0\xff\xff", 10, false, "!1002:0 "},
        {"bad UTF-8", "\x81\x01\xff", 3, false, "!1007:0 "},
        {"half a character", "\x81\x01\xc3", 3, false, "!1007:0 "},
        {"bad UTF-8, joined", "\x01\x01\xc3\x80\x01x", 6, false, "!1007:0 "},
        {"close of 1 byte", "\x88\x01x", 3, false, "!1002:0 "},
        {"close 999", "\x88\x02\x03\xe7", 4, false, "!1002:0 "},
        {"close 1005", "\x88\x02\x03\xed", 4, false, "!1002:0 "},
        {"close 1006", "\x88\x02\x03\xee", 4, false, "!1002:0 "},
        {"close 5000", "\x88\x02\x13\x88", 4, false, "!1002:0 "},
        {"close, bad reason", "\x88\x03\x03\xe8\xff", 5, false, "!1007:0 "},
        {"close, no code", "\x88\x00", 2, false, "C1005:0 "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct story s;
        for (size_t step = 1; step <= rows[i].len; step++) {
            read_ours(rows[i].bytes, rows[i].len, step, rows[i].from_client, BIG, &s);
            if (strcmp(s.text, rows[i].story))
                fail_msg("%s: %s instead of %s", rows[i].what, s.text, rows[i].story);
        }
    }
}

static void endless_fragments_end(void **state)
{
    struct ws_rx rx;
    char first[] = "\x02\x00", more[] = "\x00\x00";
    struct ws_event ev;
    uint16_t code = 0;
    (void)state;
    ws_rx_init(&rx, false, 1000, false);
    char *p = first;
    size_t n = 2;
    assert_int_equal(ws_rx_next(&rx, &p, &n, &ev, &code), VA_EAGAIN);
    for (int i = 1; i < WS_FRAGMENTS_MAX; i++) {
        p = more;
        n = 2;
        assert_int_equal(ws_rx_next(&rx, &p, &n, &ev, &code), VA_EAGAIN);
    }
    p = more;
    n = 2;
    assert_int_equal(ws_rx_next(&rx, &p, &n, &ev, &code), VA_ELIMIT);
    assert_int_equal(code, WS_CODE_TOO_BIG);
    ws_rx_free(&rx);
}

static void fragments_over_the_limit_end_before_they_are_kept(void **state)
{
    struct story s;
    (void)state;
    read_ours("\x02\x03xyz\x00\x03xyz\x80\x03xyz", 15, 15, false, 9, &s);
    assert_int_equal(s.text[0], 'B');
    read_ours("\x02\x03xyz\x00\x03xyz\x80\x03xyz", 15, 15, false, 8, &s);
    assert_string_equal(s.text, "!1009:0 ");
    read_ours("\x02\x7f\0\0\0\0\x7f\xff\xff\xff", 10, 10, false, SIZE_MAX >> 1, &s);
    assert_string_equal(s.text, ""); /* 2 GiB announced: nothing is taken for it */
}

/* ---- wslay reads the same ------------------------------------------------------------------- */

struct judge {
    const char *p;
    size_t len;
    struct story *s;
};

static ssize_t judge_recv(wslay_event_context_ptr ctx, uint8_t *p, size_t len, int flags, void *arg)
{
    struct judge *j = arg;
    size_t n = j->len < len ? j->len : len;
    (void)flags;
    if (!n) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(p, j->p, n);
    j->p += n;
    j->len -= n;
    return (ssize_t)n;
}

static void judge_message(wslay_event_context_ptr ctx,
                          const struct wslay_event_on_msg_recv_arg *msg, void *arg)
{
    struct judge *j = arg;
    (void)ctx;
    if (msg->opcode == WSLAY_CONNECTION_CLOSE)
        tell(j->s, 'C', msg->msg_length ? msg->status_code : WS_CODE_NONE,
             msg->msg_length ? (const char *)msg->msg + 2 : "",
             msg->msg_length ? msg->msg_length - 2 : 0);
    else
        tell(j->s, letter((enum ws_op)msg->opcode), (unsigned)msg->msg_length,
             (const char *)msg->msg, msg->msg_length);
}

static ssize_t judge_send(wslay_event_context_ptr ctx, const uint8_t *p, size_t len, int flags,
                          void *arg)
{
    (void)ctx;
    (void)p;
    (void)flags;
    (void)arg;
    return (ssize_t)len;
}

/* @return the close code that wslay ends with by itself, 0: it does not */
static uint16_t read_theirs(const char *bytes, size_t len, size_t max, struct story *s)
{
    const struct wslay_event_callbacks cb = {.recv_callback = judge_recv,
                                             .send_callback = judge_send,
                                             .on_msg_recv_callback = judge_message};
    struct judge j = {bytes, len, s};
    wslay_event_context_ptr ctx = NULL;
    memset(s, 0, sizeof(*s));
    assert_int_equal(wslay_event_context_server_init(&ctx, &cb, &j), 0);
    wslay_event_config_set_max_recv_msg_length(ctx, max);
    (void)wslay_event_recv(ctx);
    (void)wslay_event_send(ctx); /* pongs, and the close frame of a fault */
    uint16_t code = wslay_event_get_close_received(ctx) || !wslay_event_get_close_sent(ctx)
                        ? 0
                        : wslay_event_get_status_code_sent(ctx);
    if (code == WS_CODE_NONE) /* a fault in a frame's head: it gives no code for that */
        code = WS_CODE_PROTOCOL;
    wslay_event_context_free(ctx);
    return code;
}

/* Mostly sound traffic of a client with a fault now and then. */
static void invent(struct wire *w, unsigned *seed)
{
    static const uint8_t firsts[] = {0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a, 0x81, 0x80};
    char payload[400];
    w->len = 0;
    for (int frame = 0; frame < 8; frame++) {
        *seed = *seed * 1664525u + 1013904223u;
        unsigned r = *seed >> 8;
        size_t len = r % 7 == 0 ? r / 7 % sizeof(payload) : r / 7 % 20;
        for (size_t i = 0; i < len; i++)
            payload[i] = (char)('a' + (r + i) % 26);
        if (r % 31 == 0 && len)
            payload[len / 2] = (char)(r >> 5); /* may be bad UTF-8 */
        uint8_t first = firsts[r / 3 % sizeof(firsts)];
        if (r % 97 == 0)
            first = (uint8_t)(r >> 7);
        size_t at = w->len;
        add_frame(w, first, payload, len, r % 101 != 0);
        if (r % 89 == 0)
            w->bytes[at + r / 89 % (w->len - at)] ^= (char)(1 << r % 8);
    }
    add_frame(w, 0x82, payload, 20, true); /* wslay says nothing of half a head */
}

/* One difference is meant: wslay tells bad UTF-8 before the message is complete. */
static void wslay_reads_the_same(void **state)
{
    static struct wire w;
    unsigned seed = 1, stories = 0, faults = 0;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct story ours, theirs;
        invent(&w, &seed);
        size_t step = 1 + seed % 50;
        read_ours(w.bytes, w.len, step, true, 500, &ours);
        uint16_t code = read_theirs(w.bytes, w.len, 500, &theirs);
        char *fault = strchr(ours.text, '!');
        if (code != WS_CODE_TEXT && (fault ? atoi(fault + 1) : 0) != code)
            fail_msg("case %d: %s, wslay ends with %u", i, ours.text, code);
        if (fault)
            *fault = 0;
        faults += fault != NULL;
        stories += ours.len > 0;
        if (strncmp(ours.text, theirs.text, strlen(theirs.text)) ||
            (code != WS_CODE_TEXT && strcmp(ours.text, theirs.text)))
            fail_msg("case %d: %s, wslay: %s (%u)", i, ours.text, theirs.text, code);
    }
    assert_true(stories > 10000 && faults > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_comes_through_in_any_pieces),
        cmocka_unit_test(fragments_are_joined_around_control_frames),
        cmocka_unit_test(a_mask_may_begin_anywhere),
        cmocka_unit_test(hostile_frames_end_with_the_right_code),
        cmocka_unit_test(endless_fragments_end),
        cmocka_unit_test(fragments_over_the_limit_end_before_they_are_kept),
        cmocka_unit_test(wslay_reads_the_same),
    };
    return cmocka_run_group_tests_name("net_ws_frame", tests, NULL, NULL);
}
