/* leg/rtp_stream on what a real FreeSWITCH sent (see media_rtp_recording_test.c for the packets):
 * the whole stream instead of its parts, with the call at another rate than the codec, and a
 * stranger that talks into it. */
#include "unit/rtp_stream_rig.h"

enum { FS_PORT = 22490, OUR_PORT = 10010, A = 0 };

static uint32_t get32le(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Up to `us` of the recording. */
static void listen_until(struct rig *r, uint64_t us)
{
    struct side *d = &r->side[A];
    while (d->tick_us <= (double)us) {
        rig_goto(r, (uint64_t)d->tick_us);
        side_tick(d, (uint64_t)d->tick_us);
        d->tick_us += 20000;
    }
    rig_goto(r, us);
}

static void stranger(struct rig *r, const struct net_addr *like, const void *p, size_t len)
{
    struct net_addr from = *like;
    net_addr_set_port(&from, FS_PORT + 2);
    rtp_stream_take(r->side[A].s, false, &from, p, len, clock_mono_us(&r->clock.base));
}

/* Ethernet, IPv4 without options, UDP. @return packets of FreeSWITCH's */
static unsigned replay(struct rig *r, FILE *f)
{
    uint8_t head[24], rec[16], frame[65536];
    uint64_t first = 0;
    unsigned count = 0;
    struct net_addr from = addr_of("127.0.0.1", FS_PORT);
    assert_int_equal(fread(head, 1, 24, f), 24);
    assert_int_equal(get32le(head), 0xa1b2c3d4);
    while (fread(rec, 1, 16, f) == 16) {
        size_t len = get32le(rec + 8);
        assert_true(len <= sizeof(frame) && fread(frame, 1, len, f) == len);
        uint64_t us = (uint64_t)get32le(rec) * 1000000u + get32le(rec + 4);
        const uint8_t *udp = frame + 14 + 20;
        if (len < 14 + 20 + 8 || frame[14] != 0x45 || frame[14 + 9] != 17)
            continue;
        if ((udp[0] << 8 | udp[1]) != FS_PORT || (udp[2] << 8 | udp[3]) != OUR_PORT)
            continue;
        first = first ? first : us - 1000000;
        listen_until(r, us - first);
        rtp_stream_take(r->side[A].s, false, &from, udp + 8, len - 42,
                        clock_mono_us(&r->clock.base));
        stranger(r, &from, udp + 8, len - 42);
        count++;
    }
    listen_until(r, (uint64_t)r->side[A].tick_us + 300000);
    return count;
}

static void a_real_leg_is_heard(void **state)
{
    (void)state;
    static const int rates[] = {8000, 16000, 24000};
    const char *shared = getenv("VA_SHARED_DIR");
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/recordings/freeswitch/sip-rtp-leg-pcmu-dtmf-hold.pcap",
                   shared ? shared : VA_SOURCE_DIR "/../shared");
    for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
        FILE *f = fopen(path, "rb");
        struct rig r;
        if (!f)
            skip();
        rig_open(&r, rates[i]);
        r.loss = 1; /* of what we send */
        struct side *d = &r.side[A];
        d->remote = remote_of(addr_of("127.0.0.1", FS_PORT), CODEC_PCMU);
        d->remote.receive[1].pt = d->remote.send_event.pt = 101;
        assert_int_equal(rtp_stream_set_remote(d->s, &d->remote), VA_OK);
        d->record = true;
        unsigned packets = replay(&r, f);
        (void)fclose(f);
        struct rtp_stream_stats s = stats_of(d);
        side_print(d, "recording");
        assert_int_equal(packets, 561);
        assert_int_equal(s.packets_in, packets - 1); /* the first one was on probation */
        assert_int_equal(s.foreign, packets);
        assert_string_equal(d->digits, "12#");
        assert_int_equal(d->firsts, 1);
        assert_int_equal(s.lost + s.malformed, 0);
        assert_int_equal(s.jitter.late + s.jitter.discarded + s.jitter.broken, 0);
        assert_true(d->frames[JITTER_FRAME_VOICE] > 480);
        assert_true(measure_rms_dbfs(d->out, d->out_len) > -30);
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_real_leg_is_heard)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
