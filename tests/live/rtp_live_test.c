/*
 * leg/rtp_stream against a real FreeSWITCH, with just enough SIP to get there:
 *
 *     SIP_HOST=127.0.0.1 [SIP_PORT=5060] build/live/rtp_live_test
 *
 * Needs the profile to take calls without authentication, 9196 to be `echo` and 201 a tone of
 * 1000 Hz, and the codecs PCMU, PCMA, G722, opus, L16. Sends from ports 62000 to 62999. SIP_RTCP=1
 * says that its profile has rtcp-audio-interval-msec.
 */
#include "leg/rtp_stream.h"
#include "base/rand.h"
#include "media/clock.h"
#include "media/measure.h"
#include "media/tone.h"

#include "unit/unit.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

enum { CAP = 10 * 48000, TEXT = 4096, PT_EVENT = 101 };

/* ---- as much SIP as a call needs ------------------------------------------------------------- */

struct sip {
    int fd;
    struct sockaddr_in to;
    uint16_t port;
    char number[32], id[UUID_TEXT], tag[UUID_TEXT], to_line[256];
    unsigned cseq;
    char answer[TEXT]; /* SDP of the last one */
};

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static void sip_open(struct sip *s, const char *number)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    struct timeval wait = {5, 0};
    socklen_t len = sizeof(a);
    *s = (struct sip){.to = {.sin_family = AF_INET}};
    s->to.sin_port = htons((uint16_t)strtoul(setting("SIP_PORT", "5060"), NULL, 10));
    assert_int_equal(inet_pton(AF_INET, setting("SIP_HOST", "127.0.0.1"), &s->to.sin_addr), 1);
    s->fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(connect(s->fd, (struct sockaddr *)&s->to, sizeof(s->to)), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &len), 0);
    (void)setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    s->port = ntohs(a.sin_port);
    rand_uuid(s->id);
    rand_uuid(s->tag);
    (void)snprintf(s->number, sizeof(s->number), "%s", number);
    (void)snprintf(s->to_line, sizeof(s->to_line), "<sip:%s@127.0.0.1>", number);
}

static void sip_send(struct sip *s, const char *method, const char *sdp)
{
    char text[TEXT], branch[UUID_TEXT];
    rand_uuid(branch);
    int n = snprintf(text, sizeof(text),
                     "%s sip:%s@127.0.0.1:%u SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s\r\n"
                     "From: <sip:rtp@127.0.0.1>;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\n"
                     "CSeq: %u %s\r\nContact: <sip:rtp@127.0.0.1:%u>\r\nMax-Forwards: 70\r\n%s"
                     "Content-Length: %zu\r\n\r\n%s",
                     method, s->number, ntohs(s->to.sin_port), s->port, branch, s->tag, s->to_line,
                     s->id, s->cseq, method, s->port,
                     *sdp ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
    assert_true(n > 0 && n < TEXT);
    assert_int_equal(send(s->fd, text, (size_t)n, 0), n);
}

/* @return its status; 200's SDP is kept */
static unsigned sip_wait(struct sip *s)
{
    char text[TEXT];
    for (;;) {
        ssize_t n = recv(s->fd, text, sizeof(text) - 1, 0);
        if (n <= 0)
            fail_msg("no answer by SIP from port %u", ntohs(s->to.sin_port));
        text[n] = 0;
        unsigned status = strncmp(text, "SIP/2.0 ", 8) ? 0 : (unsigned)strtoul(text + 8, NULL, 10);
        if (status < 200)
            continue;
        const char *to = strstr(text, "\nTo: "), *body = strstr(text, "\r\n\r\n");
        if (to)
            (void)snprintf(s->to_line, sizeof(s->to_line), "%.*s", (int)strcspn(to + 5, "\r"),
                           to + 5);
        (void)snprintf(s->answer, sizeof(s->answer), "%s", body ? body + 4 : "");
        return status;
    }
}

static unsigned sip_invite(struct sip *s, const char *sdp)
{
    s->cseq++;
    sip_send(s, "INVITE", sdp);
    unsigned status = sip_wait(s);
    sip_send(s, "ACK", "");
    return status;
}

static void sip_bye(struct sip *s)
{
    s->cseq++;
    sip_send(s, "BYE", "");
    assert_int_equal(sip_wait(s), 200);
    (void)close(s->fd);
}

/* ---- a call ---------------------------------------------------------------------------------- */

struct call {
    struct sip sip;
    struct loop *loop;
    struct media_clock *clock;
    struct media_tick tick;
    struct rtp_stream *stream;
    struct rtp_stream_remote remote;
    struct media_format format;
    struct tone tone;
    enum codec_id codec;
    struct sdes_crypto ours;
    unsigned firsts, left;
    char digits[32];
    size_t digit_count, frames[3];
    int16_t heard[CAP];
    size_t heard_len;
};

static void on_first(void *arg)
{
    ((struct call *)arg)->firsts++;
}

static void on_digit(void *arg, char digit)
{
    struct call *c = arg;
    if (c->digit_count + 1 < sizeof(c->digits))
        c->digits[c->digit_count++] = digit;
}

static const struct rtp_stream_handlers handlers = {on_first, on_digit};

static int codec_pt(enum codec_id id)
{
    return codec_info(id)->static_pt < 0 ? 110 + (int)id : codec_info(id)->static_pt;
}

static void offer_of(const struct call *c, const char *direction, char sdp[static TEXT])
{
    const struct codec_info *k = codec_info(c->codec);
    char crypto[SDES_LINE + 16] = "", line[SDES_LINE];
    if (c->ours.suite) {
        assert_int_equal(sdes_format(&c->ours, line, sizeof(line)), VA_OK);
        (void)snprintf(crypto, sizeof(crypto), "a=crypto:%s\r\n", line);
    }
    int pt = codec_pt(c->codec),
        n = snprintf(sdp, TEXT,
                     "v=0\r\no=- 1 %u IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
                     "m=audio %u RTP/%s %d %d\r\na=rtpmap:%d %s/%d%s\r\n%s%s%s"
                     "a=rtpmap:%d telephone-event/%d\r\na=fmtp:%d 0-15\r\na=ptime:20\r\na=%s\r\n%s",
                     c->sip.cseq + 1, rtp_stream_port(c->stream), c->ours.suite ? "SAVP" : "AVP",
                     pt, PT_EVENT, pt, k->name, k->clock_hz, k->channels == 2 ? "/2" : "",
                     k->fmtp ? "a=fmtp:" : "", k->fmtp ? "113 " : "",
                     k->fmtp ? "useinbandfec=1\r\n" : "", PT_EVENT, k->clock_hz, PT_EVENT,
                     direction, crypto);
    assert_true(n > 0 && n < TEXT);
}

/* What the answer says, as far as the stream wants to know it. */
static void take_answer(struct call *c, enum rtp_direction direction)
{
    const char *sdp = c->sip.answer, *m = strstr(sdp, "m=audio "), *key = strstr(sdp, "a=crypto:");
    assert_non_null(m);
    uint16_t port = (uint16_t)strtoul(m + 8, NULL, 10);
    const struct codec_info *k = codec_info(c->codec);
    struct rtp_type audio = {.pt = (uint8_t)codec_pt(c->codec), .codec = k},
                    event = {.pt = PT_EVENT, .kind = RTP_TYPE_EVENT, .clock_hz = k->clock_hz};
    c->remote = (struct rtp_stream_remote){.direction = direction,
                                           .send = audio,
                                           .send_event = event,
                                           .receive_count = 2,
                                           .receive = {audio, event}};
    assert_int_equal(net_addr_parse(setting("SIP_HOST", "127.0.0.1"), port, &c->remote.rtp), VA_OK);
    if (c->ours.suite) {
        assert_non_null(key);
        assert_int_equal(
            sdes_parse(str_make(key + 9, strcspn(key + 9, "\r\n")), &c->remote.receive_key), VA_OK);
        c->remote.send_key = c->ours;
    }
    assert_int_equal(rtp_stream_set_remote(c->stream, &c->remote), VA_OK);
}

static void on_tick(void *arg, uint64_t now_us)
{
    struct call *c = arg;
    int16_t x[MEDIA_FRAME_MAX];
    size_t n = media_format_samples(c->format);
    tone_fill(&c->tone, x, n);
    rtp_stream_send(c->stream, x, n);
    c->frames[rtp_stream_receive(c->stream, now_us, x)]++;
    if (c->heard_len + n <= CAP) {
        memcpy(c->heard + c->heard_len, x, n * sizeof(*x));
        c->heard_len += n;
    }
    if (--c->left == 0)
        loop_stop(c->loop);
}

static void talk(struct call *c, unsigned ms)
{
    c->heard_len = 0;
    memset(c->frames, 0, sizeof(c->frames));
    c->left = ms / 20;
    loop_run(c->loop);
}

static struct call *dial(const char *number, enum codec_id codec, int rate, enum sdes_suite suite)
{
    static struct settings set = {.rtp_port_min = 62000,
                                  .rtp_port_max = 62999,
                                  .rtp_bind_address = "127.0.0.1",
                                  .rtp_jitter_min_ms = 40,
                                  .rtp_jitter_target_ms = 60,
                                  .rtp_jitter_max_ms = 200};
    struct call *c = calloc(1, sizeof(*c));
    char sdp[TEXT];
    assert_non_null(c);
    c->codec = codec;
    c->format = (struct media_format){rate, 20};
    tone_init(&c->tone, rate, 500, -18);
    if (suite)
        sdes_make(suite, 1, &c->ours);
    assert_int_equal(loop_new(NULL, 0, &c->loop), VA_OK);
    assert_int_equal(media_clock_new(c->loop, &c->clock), VA_OK);
    struct rtp_stream_cfg cfg = {.loop = c->loop, .format = c->format, .settings = &set};
    assert_int_equal(rtp_stream_open(&cfg, &handlers, c, &c->stream), VA_OK);
    sip_open(&c->sip, number);
    offer_of(c, "sendrecv", sdp);
    unsigned status = sip_invite(&c->sip, sdp);
    if (status != 200)
        fail_msg("%s/%d to %s: %u", codec_info(codec)->name, codec_info(codec)->clock_hz, number,
                 status);
    take_answer(c, RTP_SENDRECV);
    assert_int_equal(media_clock_join(c->clock, &c->tick, 20, on_tick, c), VA_OK);
    return c;
}

static struct rtp_stream_stats report(const struct call *c, const char *what)
{
    struct rtp_stream_stats s;
    rtp_stream_stats(c->stream, &s);
    print_message("    %s %s/%d at %d: in %llu out %llu lost %llu, %u ms, jitter %u us, rtt %u us, "
                  "rtcp %llu/%llu, mos %u, %.1f Hz %.2f dBFS, malformed %llu foreign %llu, frames "
                  "%zu silent %zu heard %zu made up, stretched %llu, forged %llu replayed %llu\n",
                  what, codec_info(c->codec)->name, codec_info(c->codec)->clock_hz,
                  c->format.rate_hz, (unsigned long long)s.packets_in,
                  (unsigned long long)s.packets_out, (unsigned long long)s.lost, s.jitter.delay_ms,
                  s.jitter_us, s.round_trip_us, (unsigned long long)s.rtcp_in,
                  (unsigned long long)s.rtcp_out, s.mos_x100,
                  measure_frequency_hz(c->heard, c->heard_len, c->format.rate_hz),
                  measure_rms_dbfs(c->heard, c->heard_len), (unsigned long long)s.malformed,
                  (unsigned long long)s.foreign, c->frames[0], c->frames[1], c->frames[2],
                  (unsigned long long)s.jitter.stretches, (unsigned long long)s.forged,
                  (unsigned long long)s.replayed);
    return s;
}

static void hang_up(struct call *c)
{
    media_clock_leave(&c->tick);
    rtp_stream_close(&c->stream);
    sip_bye(&c->sip);
    media_clock_free(&c->clock);
    loop_free(&c->loop);
    free(c);
}

/* FreeSWITCH's echo skips a frame now and then, which it marks; that frame is silent here. */
static void good_tone(const struct call *c, double hz, double dbfs)
{
    size_t quiet = c->frames[JITTER_FRAME_SILENCE], all = quiet + c->frames[JITTER_FRAME_VOICE];
    double heard_hz = measure_frequency_hz(c->heard, c->heard_len, c->format.rate_hz);
    assert_true(fabs(heard_hz - hz) < 2 + hz * (double)quiet / (double)all);
    assert_true(fabs(measure_rms_dbfs(c->heard, c->heard_len) - dbfs) < 1.5);
    assert_int_equal(measure_clicks(c->heard, c->heard_len, c->format.rate_hz, 1500, NULL), 0);
    assert_true(quiet <= 2 && c->frames[JITTER_FRAME_CONCEALED] <= 2);
}

static const struct {
    enum codec_id codec;
    int rate;
} lines[] = {{CODEC_PCMU, 8000},     {CODEC_PCMA, 8000},  {CODEC_G722, 16000},
             {CODEC_G722, 8000},     {CODEC_OPUS, 48000}, {CODEC_OPUS, 16000},
             {CODEC_L16_16K, 16000}, {CODEC_L16_8K, 8000}};

static void every_codec_goes_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
        struct call *c = dial("9196", lines[i].codec, lines[i].rate, SDES_NONE);
        talk(c, 1500);
        talk(c, 3000);
        struct rtp_stream_stats s = report(c, "echo");
        good_tone(c, 500, -18);
        assert_int_equal(c->firsts, 1);
        assert_int_equal(s.lost + s.malformed + s.foreign, 0);
        hang_up(c);
    }
}

static void both_suites_of_srtp_are_understood(void **state)
{
    (void)state;
    for (int suite = SDES_AES_CM_128_SHA1_80; suite <= SDES_AES_CM_128_SHA1_32; suite++) {
        struct call *c = dial("9196", CODEC_PCMU, 8000, (enum sdes_suite)suite);
        talk(c, 1500);
        talk(c, 9000); /* for a report or two */
        struct rtp_stream_stats s = report(c, sdes_suite_name((enum sdes_suite)suite));
        good_tone(c, 500, -18);
        assert_int_equal(s.forged + s.replayed + s.malformed + s.lost, 0);
        if (getenv("SIP_RTCP"))
            assert_true(s.rtcp_in > 0 && s.round_trip_us > 0);
        hang_up(c);
    }
}

static void hold_and_resume(void **state)
{
    (void)state;
    char sdp[TEXT];
    struct call *c = dial("9196", CODEC_PCMU, 8000, SDES_NONE);
    talk(c, 2000);
    offer_of(c, "inactive", sdp);
    assert_int_equal(sip_invite(&c->sip, sdp), 200);
    take_answer(c, RTP_INACTIVE);
    talk(c, 1000);
    talk(c, 1000);
    assert_true(measure_rms_dbfs(c->heard, c->heard_len) < -90);
    offer_of(c, "sendrecv", sdp);
    assert_int_equal(sip_invite(&c->sip, sdp), 200);
    take_answer(c, RTP_SENDRECV);
    talk(c, 1000);
    talk(c, 2000);
    (void)report(c, "resumed");
    good_tone(c, 500, -18);
    assert_int_equal(c->firsts, 1);
    hang_up(c);
}

/* FreeSWITCH logs "RTP RECV DTMF" for each digit at debug level: look there. */
static void digits_are_sent(void **state)
{
    (void)state;
    struct call *c = dial("9196", CODEC_PCMU, 8000, SDES_NONE);
    talk(c, 500);
    for (const char *d = "159*0#AD"; *d; d++)
        assert_int_equal(rtp_stream_send_digit(c->stream, *d, 0), VA_OK);
    talk(c, 4000);
    print_message("    digits that came back: \"%s\"\n", c->digits);
    hang_up(c);
}

static void a_tone_of_theirs_has_its_pitch(void **state)
{
    (void)state;
    static const enum codec_id ids[] = {CODEC_PCMU, CODEC_G722, CODEC_OPUS};
    for (size_t i = 0; i < 3; i++) {
        struct call *c = dial("201", ids[i], 24000, SDES_NONE);
        talk(c, 1000);
        talk(c, 2000);
        (void)report(c, "201");
        assert_true(fabs(measure_frequency_hz(c->heard, c->heard_len, 24000) - 1000) < 2);
        hang_up(c);
    }
}

int main(void)
{
    if (!getenv("SIP_HOST")) {
        puts("set SIP_HOST to a FreeSWITCH for tests");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_goes_there_and_back),
        cmocka_unit_test(both_suites_of_srtp_are_understood),
        cmocka_unit_test(hold_and_resume),
        cmocka_unit_test(digits_are_sent),
        cmocka_unit_test(a_tone_of_theirs_has_its_pitch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
