/* A stream that anybody may send to: datagrams, each with a length (two bytes), a time that passes
 * (one byte, ms), where it comes from (one byte), and its bytes. Some change the agreement instead.
 * Corpus: tests/corpus/rtp_stream. */
#include "leg/rtp_stream_int.h"
#include "net/loop_int.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAME = 160, FRAME_US = 20000 };

struct rig {
    struct va_clock_manual clock;
    struct loop *loop;
    struct rtp_stream *s;
    struct rtp_stream_remote remote;
    uint64_t tick_us;
    bool close;
    unsigned digits, firsts;
};

static void require(bool ok)
{
    if (!ok)
        abort();
}

static struct net_addr addr_of(unsigned n)
{
    struct net_addr a;
    require(net_addr_parse("192.0.2.1", (uint16_t)(4000 + n % 4), &a) == VA_OK);
    return a;
}

static void on_first(void *arg)
{
    struct rig *r = arg;
    require(r->firsts++ == 0);
}

static void on_digit(void *arg, char digit)
{
    struct rig *r = arg;
    require(digit != 0 && strchr("0123456789*#ABCD", digit));
    r->digits++;
    if (r->close)
        rtp_stream_close(&r->s);
}

static const struct rtp_stream_handlers handlers = {on_first, on_digit};

static enum va_err wire(void *arg, bool rtcp, const struct net_addr *to, const void *p, size_t len)
{
    (void)arg;
    (void)to;
    struct rtp_packet k;
    require(rtcp ? rtcp_check(p, len) == VA_OK : rtp_read(p, len, &k) == VA_OK);
    return VA_OK;
}

static struct rtp_type audio(enum codec_id id)
{
    const struct codec_info *c = codec_info(id);
    int pt = c->static_pt < 0 ? 96 + (int)id : c->static_pt;
    return (struct rtp_type){.pt = (uint8_t)pt, .codec = c, .clock_hz = c->clock_hz};
}

static void agree(struct rig *r, unsigned how)
{
    struct rtp_stream_remote *m = &r->remote;
    *m = (struct rtp_stream_remote){.rtp = addr_of(how >> 6 & 1),
                                    .learn = how & 1,
                                    .mux = how >> 1 & 1,
                                    .direction = (enum rtp_direction)(how >> 2 & 3),
                                    .send = audio((enum codec_id)((how >> 4) % CODEC_COUNT)),
                                    .receive_count = CODEC_COUNT + 2};
    for (int i = 0; i < CODEC_COUNT; i++)
        m->receive[i] = audio((enum codec_id)i);
    m->send_event = (struct rtp_type){.pt = 110, .kind = RTP_TYPE_EVENT, .clock_hz = 8000};
    m->receive[CODEC_COUNT] = m->send_event;
    m->receive[CODEC_COUNT + 1] =
        (struct rtp_type){.pt = 13, .kind = RTP_TYPE_NOISE, .clock_hz = 8000};
    require(rtp_stream_set_remote(r->s, m) == VA_OK);
}

static void pass_time(struct rig *r, unsigned ms)
{
    static const int16_t silence[FRAME];
    int16_t out[FRAME];
    va_clock_manual_advance(&r->clock, ms * 1000u);
    loop_timers_turn(r->loop);
    for (; r->tick_us <= r->clock.mono; r->tick_us += FRAME_US) {
        rtp_stream_send(r->s, silence, FRAME);
        (void)rtp_stream_receive(r->s, r->tick_us, out);
    }
    struct rtp_stream_stats st;
    rtp_stream_stats(r->s, &st);
    require(st.mos_x100 <= 450 && st.jitter.queued <= JITTER_PACKETS_MAX);
}

static bool open_rig(struct rig *r)
{
    static struct settings set = {.rtp_port_min = 20000,
                                  .rtp_port_max = 29999,
                                  .rtp_bind_address = "127.0.0.1",
                                  .rtp_jitter_min_ms = 20,
                                  .rtp_jitter_target_ms = 60,
                                  .rtp_jitter_max_ms = 200};
    *r = (struct rig){.tick_us = 1000000};
    va_clock_manual_init(&r->clock, 1000000, 1700000000000000);
    if (loop_new(&r->clock.base, 0, &r->loop))
        return false;
    struct rtp_stream_cfg cfg = {
        .loop = r->loop, .format = {8000, 20}, .settings = &set, .one_port = true};
    if (rtp_stream_open(&cfg, &handlers, r, &r->s))
        return false;
    r->s->wire = wire;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig r;
    if (size < 2)
        return 0;
    require(open_rig(&r));
    r.close = data[0] & 1;
    agree(&r, data[1]);
    data += 2;
    size -= 2;
    while (size >= 4 && r.s) {
        size_t len = (size_t)(data[0] << 8 | data[1]);
        unsigned ms = data[2], from = data[3];
        data += 4;
        size -= 4;
        len = len < size ? len : size;
        pass_time(&r, ms);
        struct net_addr at = addr_of(from);
        if (from >= 248)
            agree(&r, len ? data[0] : 0);
        else if (from >= 240)
            (void)rtp_stream_send_digit(r.s, (char)(len ? data[0] : '1'), ms);
        else
            rtp_stream_take(r.s, from >> 4 & 1, &at, data, len, r.clock.mono);
        data += len;
        size -= len;
    }
    rtp_stream_close(&r.s);
    loop_free(&r.loop);
    return 0;
}
