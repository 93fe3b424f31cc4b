/* leg/sdp, leg/sip_acl, leg/sip_body: what is read, chosen and written. */
#include "leg/sdp.h"
#include "leg/sip_acl.h"
#include "leg/sip_body.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"

static struct sdp parse(const char *text)
{
    struct sdp sdp;
    assert_int_equal(sdp_parse(str_of(text), &sdp), VA_OK);
    return sdp;
}

static struct sdp_prefs prefs_of(const char *text)
{
    struct sdp_prefs prefs;
    struct va_fault fault = {0};
    if (sdp_prefs_parse(text, &prefs, &fault))
        fail_msg("%s", fault.text);
    return prefs;
}

static struct net_addr addr_of(const char *ip, uint16_t port)
{
    struct net_addr a;
    assert_int_equal(net_addr_parse(ip, port, &a), VA_OK);
    return a;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* As FreeSWITCH 1.10.12 writes it. */
static const char freeswitch[] =
    "v=0\r\no=FreeSWITCH 1795720000 1795720001 IN IP4 127.0.0.1\r\ns=FreeSWITCH\r\n"
    "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 21388 RTP/AVP 102 9 0 8 101 13\r\n"
    "a=rtpmap:102 opus/48000/2\r\na=fmtp:102 useinbandfec=1; maxaveragebitrate=30000\r\n"
    "a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtpmap:13 CN/8000\r\na=ptime:20\r\n";

static void several_spaces_are_one(void **state)
{
    (void)state;
    struct sdp sdp = parse("v=0\r\nc=IN  IP4 192.0.2.1\r\nt=0 0\r\nm=audio  5004 RTP/AVP  8\r\n");
    assert_true(sdp.audio[0].usable);
    assert_int_equal(net_addr_port(&sdp.audio[0].rtp), 5004);
    assert_int_equal(sdp.audio[0].codecs[0].info->id, CODEC_PCMA);
}

static void reads_what_freeswitch_writes(void **state)
{
    (void)state;
    struct sdp sdp = parse(freeswitch);
    const struct sdp_audio *a = &sdp.audio[0];
    assert_int_equal(sdp.audio_count, 1);
    assert_true(a->usable);
    assert_int_equal(net_addr_port(&a->rtp), 21388);
    assert_int_equal(net_addr_port(&a->rtcp), 21389);
    assert_int_equal(a->codec_count, 4);
    assert_int_equal(a->codecs[0].info->id, CODEC_OPUS);
    assert_int_equal(a->codecs[0].pt, 102);
    assert_int_equal(a->codecs[3].info->id, CODEC_PCMA);
    assert_int_equal(a->event_count, 1);
    assert_int_equal(a->events[0].pt, 101);
    assert_int_equal(a->ptime_ms, 20);
    assert_int_equal(a->direction, SDP_SENDRECV);
    assert_false(a->secure);
}

static void static_numbers_need_no_map(void **state)
{
    (void)state;
    struct sdp sdp = parse(HEAD "m=audio 4000 RTP/AVP 0 8 9 3 18\r\n");
    assert_int_equal(sdp.audio[0].codec_count, 3);
    assert_int_equal(sdp.audio[0].codecs[2].info->id, CODEC_G722);
}

static void a_map_overrides_a_static_number(void **state)
{
    (void)state;
    struct sdp sdp = parse(HEAD "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 GSM/8000\r\n");
    assert_int_equal(sdp.audio[0].codec_count, 0);
}

static void media_lines_have_their_own(void **state)
{
    (void)state;
    struct sdp sdp = parse("v=0\no=- 1 1 IN IP4 10.0.0.1\ns=-\na=sendonly\nt=0 0\n"
                           "m=video 5000 RTP/AVP 31\nc=IN IP4 10.0.0.9\na=inactive\n"
                           "m=audio 4000/2 RTP/AVP 0\nc=IN IP4 10.0.0.2/127\n"
                           "a=rtcp:4444 IN IP4 10.0.0.3\na=rtcp-mux\na=ptime:33\n");
    const struct sdp_audio *a = &sdp.audio[0];
    char text[NET_ADDR_TEXT];
    assert_int_equal(sdp.line_count, 2);
    assert_int_equal(a->line, 1);
    net_addr_text(&a->rtp, text);
    assert_string_equal(text, "10.0.0.2:4000");
    net_addr_text(&a->rtcp, text);
    assert_string_equal(text, "10.0.0.3:4444");
    assert_true(a->rtcp_mux);
    assert_int_equal(a->ptime_ms, 0);
    assert_int_equal(a->direction, SDP_SENDONLY); /* of the session; video's is video's */
}

static void what_cannot_be_used(void **state)
{
    (void)state;
    assert_false(parse(HEAD "m=audio 0 RTP/AVP 0\r\n").audio[0].usable);
    assert_false(parse(HEAD "m=audio 4000 udptl t38\r\n").audio[0].usable);
    assert_false(parse("v=0\r\nm=audio 4000 RTP/AVP 0\r\n").audio[0].usable); /* no address */
    assert_false(parse("v=0\r\nc=IN IP4 pbx.example.org\r\nm=audio 4000 RTP/AVP 0\r\n")
                     .audio[0]
                     .usable); /* no name is looked up */
    assert_int_equal(parse(HEAD).audio_count, 0);
}

static void what_is_no_description(void **state)
{
    (void)state;
    struct sdp sdp;
    static const char *const bad[] = {"",
                                      "\r\n\r\n",
                                      "hello",
                                      "v=1\r\n",
                                      "v=0\r\nnonsense",
                                      "v=0\r\nm=audio\r\n",
                                      "v=0\r\nm=audio x RTP/AVP 0\r\n",
                                      "v=0\r\nm=audio 70000 RTP/AVP 0\r\n",
                                      "v=0\r\nm=audio 4000 RTP/AVP\r\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sdp_parse(str_of(bad[i]), &sdp), VA_EPROTO);
    char many[1024] = "v=0\r\n";
    size_t len = strlen(many);
    for (int i = 0; i < SDP_LINES_MAX + 1; i++)
        len += (size_t)snprintf(many + len, sizeof(many) - len, "m=audio 4000 RTP/AVP 0\r\n");
    assert_int_equal(sdp_parse(str_of(many), &sdp), VA_ELIMIT);
    char *big = malloc(SDP_TEXT_MAX + 1);
    memset(big, 'x', SDP_TEXT_MAX + 1);
    assert_int_equal(sdp_parse(str_make(big, SDP_TEXT_MAX + 1), &sdp), VA_ELIMIT);
    free(big);
}

static void many_formats_are_cut(void **state)
{
    (void)state;
    char text[2048];
    int len = snprintf(text, sizeof(text), HEAD "m=audio 4000 RTP/AVP");
    for (int i = 0; i < 100; i++)
        len += snprintf(text + len, sizeof(text) - (size_t)len, " 0");
    struct sdp sdp = parse(text);
    assert_int_equal(sdp.audio[0].codec_count, SDP_CODECS_MAX);
}

/* Cut anywhere, it is read without a fault (the sanitizers watch). */
static void cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t n = 0; n <= strlen(freeswitch); n++) {
        char *copy = malloc(n ? n : 1);
        memcpy(copy, freeswitch, n);
        struct sdp sdp;
        enum va_err err = sdp_parse(str_make(copy, n), &sdp);
        assert_true(err == VA_OK || err == VA_EPROTO);
        free(copy);
    }
}

/* ---- choosing -------------------------------------------------------------------------------- */

static void the_order_is_ours(void **state)
{
    (void)state;
    struct sdp sdp = parse(freeswitch);
    struct sdp_choice choice;
    struct sdp_prefs prefs = prefs_of("PCMU,OPUS");
    assert_int_equal(sdp_negotiate(&sdp, &prefs, SDP_SRTP_OFF, &choice), VA_OK);
    assert_int_equal(choice.codec->id, CODEC_PCMU);
    assert_int_equal(choice.event_pt, 101);
    prefs = prefs_of("opus, pcmu");
    assert_int_equal(sdp_negotiate(&sdp, &prefs, SDP_SRTP_OFF, &choice), VA_OK);
    assert_int_equal(choice.codec->id, CODEC_OPUS);
    assert_int_equal(choice.pt, 102);
    assert_int_equal(choice.event_hz, 8000); /* the only one there is */
    prefs = prefs_of("L16");
    assert_int_equal(sdp_negotiate(&sdp, &prefs, SDP_SRTP_OFF, &choice), VA_ENOTSUP);
}

static void directions_are_turned_round(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sdp_direction ours;
    } rows[] = {{"a=sendrecv\r\n", SDP_SENDRECV},
                {"a=sendonly\r\n", SDP_RECVONLY},
                {"a=recvonly\r\n", SDP_SENDONLY},
                {"a=inactive\r\n", SDP_INACTIVE},
                {"c=IN IP4 0.0.0.0\r\n", SDP_RECVONLY}};
    struct sdp_prefs prefs = prefs_of("PCMU");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), HEAD "m=audio 4000 RTP/AVP 0\r\n%s", rows[i].text);
        struct sdp sdp = parse(text);
        struct sdp_choice choice;
        assert_int_equal(sdp_negotiate(&sdp, &prefs, SDP_SRTP_OFF, &choice), VA_OK);
        assert_int_equal(choice.direction, rows[i].ours);
    }
}

#define KEY "AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define SECURE                                                                                     \
    HEAD "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_256_X inline:abc\r\na=crypto:7 " KEY "\r\n"
#define BOTH SECURE "m=audio 4002 RTP/AVP 0\r\n"

static void srtp_by_the_policy(void **state)
{
    (void)state;
    struct sdp_prefs prefs = prefs_of("PCMU");
    struct sdp secure = parse(SECURE), plain = parse(HEAD "m=audio 4000 RTP/AVP 0\r\n"),
               both = parse(BOTH);
    struct sdp_choice c;
    assert_int_equal(secure.audio[0].crypto_count, 1);
    assert_int_equal(sdp_negotiate(&secure, &prefs, SDP_SRTP_OFF, &c), VA_ENOTSUP);
    assert_int_equal(sdp_negotiate(&secure, &prefs, SDP_SRTP_OPTIONAL, &c), VA_OK);
    assert_int_equal(c.remote.suite, SDES_AES_CM_128_SHA1_80);
    assert_int_equal(c.remote.tag, 7);
    assert_int_equal(sdp_negotiate(&plain, &prefs, SDP_SRTP_OPTIONAL, &c), VA_OK);
    assert_int_equal(c.remote.suite, SDES_NONE);
    assert_int_equal(sdp_negotiate(&plain, &prefs, SDP_SRTP_REQUIRED, &c), VA_ENOTSUP);
    assert_int_equal(sdp_negotiate(&both, &prefs, SDP_SRTP_OPTIONAL, &c), VA_OK);
    assert_int_equal(c.line, 0);
    assert_int_equal(sdp_negotiate(&both, &prefs, SDP_SRTP_OFF, &c), VA_OK);
    assert_int_equal(c.line, 1);
    assert_int_equal(net_addr_port(&c.rtp), 4002);
}

static void codec_lists(void **state)
{
    (void)state;
    struct sdp_prefs prefs = prefs_of(" pcmu ,,PCMA,pcmu,L16/8000,");
    assert_int_equal(prefs.count, 3);
    assert_int_equal(prefs.list[2]->id, CODEC_L16_8K);
    struct va_fault fault = {0};
    assert_int_equal(sdp_prefs_parse("PCMU,G729", &prefs, &fault), VA_ECONFIG);
    assert_non_null(strstr(fault.text, "G729"));
    assert_int_equal(sdp_prefs_parse(" , ", &prefs, &fault), VA_ECONFIG);
}

/* ---- writing --------------------------------------------------------------------------------- */

static struct sdp_local local_of(void)
{
    return (struct sdp_local){.session_id = 5,
                              .version = 1,
                              .rtp = addr_of("192.0.2.9", 10000),
                              .rtcp_port = 10001,
                              .direction = SDP_SENDRECV};
}

static void an_answer_repeats_every_line(void **state)
{
    (void)state;
    struct sdp offer =
        parse(HEAD "m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 97 8 101\r\n"
                   "a=rtpmap:97 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\n"
                   "m=audio 6000 RTP/AVP 0\r\n");
    struct sdp_prefs prefs = prefs_of("PCMA");
    struct sdp_choice choice;
    struct sdp_local local = local_of();
    assert_int_equal(sdp_negotiate(&offer, &prefs, SDP_SRTP_OFF, &choice), VA_OK);
    struct buf out;
    buf_init(&out, SDP_TEXT_MAX);
    assert_int_equal(sdp_print_answer(&offer, &choice, &local, &out), VA_OK);
    assert_string_equal(
        buf_z(&out),
        "v=0\r\no=voice-ai 5 1 IN IP4 192.0.2.9\r\ns=voice-ai\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
        "m=video 0 RTP/AVP 31\r\nm=audio 10000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
        "m=audio 0 RTP/AVP 0\r\n");
    buf_free(&out);
}

static void what_is_offered_can_be_answered(void **state)
{
    (void)state;
    struct sdp_prefs prefs = prefs_of("OPUS,PCMU,L16,L16/8000,G722");
    struct sdp_local local = local_of();
    sdes_make(SDES_AES_CM_128_SHA1_80, 1, &local.crypto);
    local.rtcp_port = 0;
    struct buf out;
    buf_init(&out, SDP_TEXT_MAX);
    assert_int_equal(sdp_print_offer(&prefs, &local, &out), VA_OK);
    struct sdp sdp;
    assert_int_equal(sdp_parse(buf_str(&out), &sdp), VA_OK);
    const struct sdp_audio *a = &sdp.audio[0];
    assert_int_equal(a->codec_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_ptr_equal(a->codecs[i].info, prefs.list[i]);
        assert_int_equal(a->codecs[i].pt, sdp_offer_pt(prefs.list[i]));
    }
    assert_int_equal(a->event_count, 2);
    assert_true(a->secure && a->rtcp_mux);
    struct sdp_choice choice;
    assert_int_equal(sdp_negotiate(&sdp, &prefs, SDP_SRTP_REQUIRED, &choice), VA_OK);
    assert_int_equal(choice.event_hz, 48000);
    assert_memory_equal(choice.remote.key, local.crypto.key, SDES_KEY_BYTES);
    buf_free(&out);
}

static void version_six(void **state)
{
    (void)state;
    struct sdp sdp = parse("v=0\r\nc=IN IP6 2001:db8::5\r\nm=audio 4000 RTP/AVP 0\r\n");
    struct sdp_prefs prefs = prefs_of("PCMU");
    struct sdp_choice choice;
    assert_int_equal(sdp_negotiate(&sdp, &prefs, SDP_SRTP_OFF, &choice), VA_OK);
    struct sdp_local local = local_of();
    local.rtp = addr_of("2001:db8::1", 10000);
    struct buf out;
    buf_init(&out, SDP_TEXT_MAX);
    assert_int_equal(sdp_print_answer(&sdp, &choice, &local, &out), VA_OK);
    assert_non_null(strstr(buf_z(&out), "c=IN IP6 2001:db8::1\r\n"));
    buf_free(&out);
}

/* ---- who may call, and small bodies ---------------------------------------------------------- */

static void access_list(void **state)
{
    (void)state;
    struct sip_acl acl;
    struct va_fault fault = {0};
    assert_int_equal(sip_acl_parse("10.1.0.0/20, 192.0.2.7,2001:db8::/33", &acl, &fault), VA_OK);
    static const struct {
        const char *ip;
        bool in;
    } rows[] = {{"127.0.0.9", true},        {"::1", true},
                {"10.1.15.255", true},      {"10.1.16.0", false},
                {"192.0.2.7", true},        {"192.0.2.8", false},
                {"2001:db8:7fff::1", true}, {"2001:db8:8000::1", false},
                {"::ffff:10.1.2.3", true},  {"::ffff:127.0.0.1", true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct net_addr a = addr_of(rows[i].ip, 5060);
        if (sip_acl_allows(&acl, &a) != rows[i].in)
            fail_msg("%s", rows[i].ip);
    }
    static const char *const bad[] = {"10.0.0.0/33", "x", "10.0.0.0/", "10.0.0.0/-1", "1.2.3"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sip_acl_parse(bad[i], &acl, &fault), VA_ECONFIG);
    assert_int_equal(sip_acl_parse("0.0.0.0/0", &acl, &fault), VA_OK);
    struct net_addr any = addr_of("203.0.113.1", 1);
    assert_true(sip_acl_allows(&acl, &any));
    assert_int_equal(sip_acl_parse("", &acl, &fault), VA_OK);
    assert_false(sip_acl_allows(&acl, &any));
}

static void digits_by_info(void **state)
{
    (void)state;
    static const struct {
        const char *type, *body;
        char digit;
    } rows[] = {{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", '5'},
                {"application/dtmf-relay", "Signal= *\r\n", '*'},
                {"application/dtmf-relay", "Duration=160\nsignal=11", '#'},
                {"application/DTMF", "a", 'A'},
                {"application/dtmf", " 7\r\n", '7'},
                {"application/dtmf", "16", 0},
                {"application/dtmf", "", 0},
                {"application/dtmf-relay", "Signal=\r\n", 0},
                {"application/dtmf-relay", "Signal=55\r\n", 0},
                {"text/plain", "5", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(sip_dtmf_digit(str_of(rows[i].type), str_of(rows[i].body)), rows[i].digit);
    assert_int_equal(sip_dtmf_digit(str_of("application/dtmf"), str_make("\0", 1)), 0);
}

static void progress_of_a_transfer(void **state)
{
    (void)state;
    assert_int_equal(sip_frag_status(str_of("SIP/2.0 200 OK\r\n")), 200);
    assert_int_equal(sip_frag_status(str_of("SIP/2.0 100 Trying")), 100);
    assert_int_equal(sip_frag_status(str_of("SIP/2.0 486")), 486);
    assert_int_equal(sip_frag_status(str_of("SIP/2.0 99 x")), 0);
    assert_int_equal(sip_frag_status(str_of("SIP/2.0")), 0);
    assert_int_equal(sip_frag_status(str_of("HTTP/1.1 200 OK")), 0);
    assert_int_equal(sip_frag_status(str_of("")), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(several_spaces_are_one),
    cmocka_unit_test(reads_what_freeswitch_writes),
    cmocka_unit_test(static_numbers_need_no_map),
    cmocka_unit_test(a_map_overrides_a_static_number),
    cmocka_unit_test(media_lines_have_their_own),
    cmocka_unit_test(what_cannot_be_used),
    cmocka_unit_test(what_is_no_description),
    cmocka_unit_test(many_formats_are_cut),
    cmocka_unit_test(cut_at_every_byte),
    cmocka_unit_test(the_order_is_ours),
    cmocka_unit_test(directions_are_turned_round),
    cmocka_unit_test(srtp_by_the_policy),
    cmocka_unit_test(codec_lists),
    cmocka_unit_test(an_answer_repeats_every_line),
    cmocka_unit_test(what_is_offered_can_be_answered),
    cmocka_unit_test(version_six),
    cmocka_unit_test(access_list),
    cmocka_unit_test(digits_by_info),
    cmocka_unit_test(progress_of_a_transfer),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
