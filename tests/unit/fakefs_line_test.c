/* fakefs/line against a user agent of ours in the same process: answered, refused, referred,
 * changed, closed. Audio and digits are in fakefs_rtp_test. */
#include "fakefs/line.h"
#include "leg/sip_ua.h"

#include "unit/unit.h"

#include <stdio.h>

struct rig {
    struct loop *loop;
    struct settings settings;
    struct sip_ua *ua;
    struct fakefs_sip *sip;
    struct fakefs_line *line;
    struct sip_call *callee;
    int refuse_with, refer_status, heard_transfer;
    unsigned ups, ends, refers, established, callee_ends, answers;
    char what[200], number[64];
    struct fakefs_line_end end;
};

/* ---- the callee ------------------------------------------------------------------------------ */

static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                          "t=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n"
                          "a=rtpmap:101 telephone-event/8000\r\n";

static void on_transfer(void *arg, int status)
{
    ((struct rig *)arg)->heard_transfer = status;
}

static void on_established(void *arg)
{
    ((struct rig *)arg)->established++;
}

static void on_callee_ended(void *arg, const struct sip_end *end)
{
    (void)end;
    ((struct rig *)arg)->callee_ends++;
}

static const struct sip_call_handlers callee_handlers = {
    .on_established = on_established, .on_transfer = on_transfer, .on_ended = on_callee_ended};

static void on_offer(void *arg, const struct sdp *offer, bool again)
{
    struct rig *r = arg;
    assert_false(again);
    assert_int_equal(offer->audio[0].codec_count, 2);
    assert_int_equal(offer->audio[0].event_count, 1);
    assert_true(offer->audio[0].rtcp_mux);
    if (r->refuse_with)
        assert_int_equal(sip_call_reject(r->callee, r->refuse_with), VA_OK);
    else
        assert_int_equal(sip_call_answer(r->callee, str_of(sdp)), VA_OK);
}

static void on_answer(void *arg, const struct sdp *answer)
{
    (void)answer;
    ((struct rig *)arg)->answers++;
}

static const struct sip_media_handlers callee_media = {.on_offer = on_offer,
                                                       .on_answer = on_answer};

static void on_incoming(void *arg, struct sip_incoming *in)
{
    struct rig *r = arg;
    assert_string_equal(sip_incoming_info(in)->called_number, "8000");
    assert_string_equal(sip_incoming_info(in)->caller_number, "5511");
    assert_int_equal(sip_call_take(in, r->loop, &callee_handlers, r, &r->callee), VA_OK);
    sip_call_set_media(r->callee, &callee_media, r);
}

/* ---- the line -------------------------------------------------------------------------------- */

static void on_up(void *arg, const char *what)
{
    struct rig *r = arg;
    r->ups++;
    (void)str_copy(r->what, sizeof(r->what), str_of(what));
}

static void on_frame(void *arg, uint64_t at_us, const int16_t *pcm, size_t n)
{
    (void)arg, (void)at_us, (void)pcm, (void)n;
}

static void on_refer(void *arg, const char *number)
{
    struct rig *r = arg;
    r->refers++;
    (void)str_copy(r->number, sizeof(r->number), str_of(number));
    fakefs_line_referred(r->line, r->refer_status);
}

static void on_ended(void *arg, const struct fakefs_line_end *end)
{
    struct rig *r = arg;
    r->ends++;
    r->end = *end;
}

static const struct fakefs_line_handlers handlers = {on_up, on_frame, on_refer, on_ended};

static int setup(void **state)
{
    static struct rig rig;
    struct rig *r = &rig;
    struct va_fault fault = {VA_OK, ""};
    memset(r, 0, sizeof(*r));
    assert_int_equal(loop_new(NULL, 0, &r->loop), VA_OK);
    assert_int_equal(settings_load("/dev/null", (char *[]){NULL}, &r->settings, &fault), VA_OK);
    r->settings.sip_port = 0;
    r->settings.sip_allow_direct = 1;
    (void)str_copy(r->settings.sip_host, sizeof(r->settings.sip_host), str_of("127.0.0.1"));
    const struct sip_ua_cfg cfg = {
        .settings = &r->settings, .control = r->loop, .on_incoming = on_incoming, .arg = r};
    assert_int_equal(sip_ua_start(&cfg, &r->ua, &fault), VA_OK);
    assert_int_equal(fakefs_sip_new(&r->settings, r->loop, 2, &r->sip), VA_OK);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    fakefs_line_close(&r->line);
    sip_call_close(&r->callee);
    fakefs_sip_free(&r->sip);
    sip_ua_stop(&r->ua);
    loop_free(&r->loop);
    return 0;
}

static enum va_err open_line(struct rig *r, const char *to, const char *more, const char *codecs)
{
    char uri[100];
    struct va_fault fault;
    const struct fakefs_line_cfg cfg = {
        .to = uri, .from = "5511", .codecs = codecs, .rate_hz = 8000, .ptime_ms = 20};
    (void)snprintf(uri, sizeof(uri), "sip:%s:%u%s", to, sip_ua_port(r->ua), more);
    enum va_err err = fakefs_line_open(r->sip, &cfg, &handlers, r, &r->line, &fault);
    if (err)
        assert_true(*fault.text);
    return err;
}

static void turn_until(struct rig *r, const unsigned *count, unsigned wanted)
{
    while (*count < wanted)
        loop_turn(r->loop, true);
}

static void begin(struct rig *r)
{
    assert_int_equal(open_line(r, "8000@127.0.0.1", "", "PCMU,PCMA"), VA_OK);
    assert_false(fakefs_line_up(r->line));
    turn_until(r, &r->ups, 1);
    turn_until(r, &r->established, 1); /* the callee may not send within a dialog before the ACK */
    assert_true(fakefs_line_up(r->line));
}

static void answered_and_ended_by_either_side(void **state)
{
    struct rig *r = *state;
    begin(r);
    assert_string_equal(r->what, "PCMA with 127.0.0.1:4000");
    sip_call_bye(r->callee);
    turn_until(r, &r->ends, 1);
    assert_int_equal(r->end.status, 200);
    assert_true(r->end.by_peer);
    fakefs_line_close(&r->line);
    turn_until(r, &r->callee_ends, 1);
    sip_call_close(&r->callee);
    assert_int_equal(open_line(r, "8000@127.0.0.1", "", "PCMU,PCMA"), VA_OK);
    turn_until(r, &r->ups, 2);
    fakefs_line_bye(r->line);
    turn_until(r, &r->ends, 2);
    assert_false(r->end.by_peer);
}

static void refused_with_a_status(void **state)
{
    struct rig *r = *state;
    r->refuse_with = 486;
    assert_int_equal(open_line(r, "8000@127.0.0.1", "", "PCMU,PCMA"), VA_OK);
    turn_until(r, &r->ends, 1);
    assert_int_equal(r->end.status, 486);
    assert_int_equal(r->ups, 0);
}

static void a_refer_names_the_number_and_is_reported_on(void **state)
{
    struct rig *r = *state;
    r->refer_status = 480;
    begin(r);
    assert_int_equal(sip_call_refer(r->callee, "sip:201@127.0.0.1:5060"), VA_OK);
    while (r->heard_transfer < 200)
        loop_turn(r->loop, true);
    assert_int_equal(r->heard_transfer, 480);
    assert_string_equal(r->number, "201");
    assert_int_equal(r->ends, 0);
}

static void a_change_by_the_program_is_answered(void **state)
{
    struct rig *r = *state;
    begin(r);
    assert_int_equal(sip_call_offer(r->callee, str_of(sdp)), VA_OK);
    turn_until(r, &r->answers, 1);
    assert_int_equal(r->ups, 1); /* once */
}

static void closed_before_anything_happened(void **state)
{
    struct rig *r = *state;
    assert_int_equal(open_line(r, "8000@127.0.0.1", "", "PCMU,PCMA"), VA_OK);
    fakefs_line_close(&r->line);
    for (int i = 0; i < 20; i++)
        loop_turn(r->loop, false);
    assert_int_equal(r->ups + r->ends, 0);
}

static void wrong_words_place_no_call(void **state)
{
    struct rig *r = *state;
    assert_int_equal(open_line(r, "8000@pbx.invalid", "", "PCMU"), VA_EINVAL);
    assert_int_equal(open_line(r, "8000@127.0.0.1", "000", "PCMU"), VA_EINVAL);
    assert_int_equal(open_line(r, "80\r\nX: 1@127.0.0.1", "", "PCMU"), VA_EINVAL);
    assert_int_equal(open_line(r, "8000@127.0.0.1", "", "GSM"), VA_ECONFIG);
    assert_null(r->line);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(answered_and_ended_by_either_side),
        T(refused_with_a_status),
        T(a_refer_names_the_number_and_is_reported_on),
        T(a_change_by_the_program_is_answered),
        T(closed_before_anything_happened),
        T(wrong_words_place_no_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
