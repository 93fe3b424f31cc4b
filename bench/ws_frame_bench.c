/* Frames alone, no sockets: one message written as a client and read as a server, ours beside
 * wslay, in the same run. ws_frame_bench */
#include "base/clock.h"
#include "base/rand.h"
#include "net/ws_frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <wslay/wslay.h>

enum { BYTES_PER_SIZE = 400 * 1000 * 1000, ROUNDS_MAX = 1000000, WIRE = 70000 };

static struct {
    uint8_t bytes[WIRE];
    size_t len, at;
} wire;

static size_t received; /* bytes of messages */

/* ---- wslay ---------------------------------------------------------------------------------- */

static ssize_t on_send(wslay_event_context_ptr ctx, const uint8_t *p, size_t len, int flags,
                       void *arg)
{
    (void)ctx;
    (void)flags;
    (void)arg;
    memcpy(wire.bytes + wire.len, p, len);
    wire.len += len;
    return (ssize_t)len;
}

static ssize_t on_recv(wslay_event_context_ptr ctx, uint8_t *p, size_t len, int flags, void *arg)
{
    (void)flags;
    (void)arg;
    size_t n = wire.len - wire.at < len ? wire.len - wire.at : len;
    if (!n) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    memcpy(p, wire.bytes + wire.at, n);
    wire.at += n;
    return (ssize_t)n;
}

static int on_mask(wslay_event_context_ptr ctx, uint8_t *p, size_t len, void *arg)
{
    uint32_t key = rand_u32();
    (void)ctx;
    (void)arg;
    memcpy(p, &key, len < sizeof(key) ? len : sizeof(key));
    return 0;
}

static void on_message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *msg,
                       void *arg)
{
    (void)ctx;
    (void)arg;
    received += msg->msg_length;
}

static double wslay_ns(const char *text, size_t len, size_t rounds)
{
    const struct wslay_event_callbacks cb = {.recv_callback = on_recv,
                                             .send_callback = on_send,
                                             .genmask_callback = on_mask,
                                             .on_msg_recv_callback = on_message};
    const struct wslay_event_msg msg = {WSLAY_TEXT_FRAME, (const uint8_t *)text, len};
    wslay_event_context_ptr client = NULL, server = NULL;
    if (wslay_event_context_client_init(&client, &cb, NULL) ||
        wslay_event_context_server_init(&server, &cb, NULL))
        exit(1);
    uint64_t t = clock_mono_us(&va_clock_system);
    for (size_t i = 0; i < rounds; i++) {
        wire.len = wire.at = 0;
        if (wslay_event_queue_msg(client, &msg) || wslay_event_send(client) ||
            wslay_event_recv(server))
            exit(1);
    }
    t = clock_mono_us(&va_clock_system) - t;
    wslay_event_context_free(client);
    wslay_event_context_free(server);
    return (double)t * 1000 / (double)rounds;
}

/* ---- ours ----------------------------------------------------------------------------------- */

static double ours_ns(const char *text, size_t len, size_t rounds)
{
    struct ws_rx rx;
    ws_rx_init(&rx, true, WIRE, false);
    uint64_t t = clock_mono_us(&va_clock_system);
    for (size_t i = 0; i < rounds; i++) {
        uint32_t r = rand_u32();
        uint8_t key[4];
        memcpy(key, &r, sizeof(key));
        size_t n = ws_frame_head(wire.bytes, WS_OP_TEXT, len, key);
        ws_mask(wire.bytes + n, text, len, key, 0);
        char *p = (char *)wire.bytes;
        struct ws_event ev;
        uint16_t code = 0;
        wire.len = n + len;
        if (ws_rx_next(&rx, &p, &wire.len, &ev, &code))
            exit(1);
        received += ev.len;
    }
    t = clock_mono_us(&va_clock_system) - t;
    ws_rx_free(&rx);
    return (double)t * 1000 / (double)rounds;
}

int main(void)
{
    static const size_t sizes[] = {20, 300, 1000, 8192, 65000};
    static char text[WIRE];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 26);
    puts("  text    ours    wslay  (ns: masked, unmasked, checked as UTF-8)");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t rounds = BYTES_PER_SIZE / sizes[i];
        rounds = rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;
        double ours = ours_ns(text, sizes[i], rounds),
               theirs = wslay_ns(text, sizes[i], rounds / 10);
        if (received != sizes[i] * (rounds + rounds / 10))
            return 1;
        received = 0;
        printf("%6zu %7.0f %8.0f   %4.1f x\n", sizes[i], ours, theirs, theirs / ours);
    }
    return 0;
}
