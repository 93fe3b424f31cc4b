/* leg/rtp_stream when memory is short: what cannot be opened is not, what was agreed stays. */
#include "unit/oom.h"
#include "unit/rtp_stream_rig.h"

static struct loop *loop;

static void on_fire(void *arg)
{
    (void)arg;
}

/* Open, agree on one codec, then on another with keys; each step may fail, none may leak. */
static void open_and_agree(void)
{
    static struct settings set = {.rtp_port_min = 20000,
                                  .rtp_port_max = 29999,
                                  .rtp_bind_address = "127.0.0.1",
                                  .rtp_jitter_min_ms = 40,
                                  .rtp_jitter_target_ms = 60,
                                  .rtp_jitter_max_ms = 200};
    struct rtp_stream_cfg cfg = {.loop = loop, .format = {16000, 20}, .settings = &set};
    struct rtp_stream *s = NULL;
    int16_t x[320] = {0};
    oom.exempt--;
    enum va_err err = rtp_stream_open(&cfg, &side_handlers, NULL, &s);
    oom.exempt++;
    if (err) {
        assert_int_equal(err, VA_ENOMEM);
        assert_null(s);
        return;
    }
    for (int i = 0; i < 2; i++) {
        struct rtp_stream_remote r = remote_of(addr_of("127.0.0.1", 9),
                                               i ? CODEC_G722 : CODEC_PCMU),
                                 before = s->remote;
        if (i) {
            sdes_make(SDES_AES_CM_128_SHA1_32, 1, &r.send_key);
            sdes_make(SDES_AES_CM_128_SHA1_32, 1, &r.receive_key);
        }
        oom.exempt--;
        err = rtp_stream_set_remote(s, &r);
        oom.exempt++;
        assert_true(err == VA_OK || err == VA_ENOMEM);
        if (err)
            assert_memory_equal(&before, &s->remote, sizeof(before));
        rtp_stream_send(s, x, 320);
        (void)rtp_stream_receive(s, 1000000 + (uint64_t)i * 20000, x);
    }
    rtp_stream_close(&s);
}

static void short_of_memory(void **state)
{
    (void)state;
    struct tmr t = {0};
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    tmr_start(&t, loop, 1, on_fire, NULL); /* the loop's own table of timers may not fail */
    tmr_stop(&t);
    oom_sweep(open_and_agree, 1);
    oom_sweep(open_and_agree, SIZE_MAX);
    loop_free(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(short_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
