/*
 * esl/commands.h: the exact line of each command, with arguments that try to be more than one.
 */
#include "esl/commands.h"
#include "esl/switch_int.h"
#include "unit/esl_util.h"

#include <stdio.h>

#define U1 "11111111-2222-3333-4444-555555555555"
#define U2 "u.2_b"

/* A switch that writes down what it would send. */
static char heard[8192];

static enum va_err note(const char *how, struct str line, const struct esl_then *then)
{
    (void)then;
    (void)snprintf(heard, sizeof(heard), "%s%.*s", how, STR_ARG(line));
    return VA_OK;
}

static enum va_err fake_api(struct esl_switch *sw, struct str line, const struct esl_then *then)
{
    (void)sw;
    return note("", line, then);
}

static enum va_err fake_bgapi(struct esl_switch *sw, struct str line, const struct esl_then *then)
{
    (void)sw;
    return note("job: ", line, then);
}

static const struct esl_switch_ops fake_ops = {fake_api, fake_bgapi};
static struct esl_switch fake = {&fake_ops};
static struct esl_switch *const sw = &fake;

static struct str S(const char *z) {
    return str_of(z);
}

static void
sends(enum va_err err, const char *want)
{
    assert_int_equal(err, VA_OK);
    assert_string_equal(heard, want);
    heard[0] = 0;
}

/* Refused, and nothing was sent. */
static void refuses(enum va_err err, enum va_err want)
{
    assert_int_equal(err, want);
    assert_string_equal(heard, "");
}

static const char *const bad_uuids[] = {NULL, "", "a b", "a\n", "a;b", "*", "a'b", "a\\b", "^^a"};

static void no_uuid_is_more_than_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad_uuids) / sizeof(bad_uuids[0]); i++) {
        const char *u = bad_uuids[i];
        struct esl_transfer to = {.extension = S("1")};
        struct esl_field var = {"a", S("b")};
        refuses(esl_uuid_bridge(sw, u, U1, NULL), VA_EINVAL);
        refuses(esl_uuid_bridge(sw, U1, u, NULL), VA_EINVAL);
        refuses(esl_uuid_kill(sw, u, NULL, NULL), VA_EINVAL);
        refuses(esl_uuid_exists(sw, u, NULL), VA_EINVAL);
        refuses(esl_uuid_hold(sw, u, ESL_HOLD_OFF, NULL), VA_EINVAL);
        refuses(esl_uuid_broadcast(sw, u, S("x"), ESL_LEG_A, NULL), VA_EINVAL);
        refuses(esl_uuid_transfer(sw, u, &to, NULL), VA_EINVAL);
        refuses(esl_uuid_setvar(sw, u, "a", S("b"), NULL), VA_EINVAL);
        refuses(esl_uuid_setvar_multi(sw, u, &var, 1, NULL, NULL), VA_EINVAL);
        refuses(esl_uuid_record(sw, u, ESL_RECORD_STOP, S("all"), 0, NULL), VA_EINVAL);
        refuses(esl_uuid_audio_stream_pause(sw, u, NULL), VA_EINVAL);
        refuses(esl_originate_cancel(sw, u, NULL), VA_EINVAL);
    }
}

static void channel_lines(void **state)
{
    (void)state;
    sends(esl_uuid_bridge(sw, U1, U2, NULL), "uuid_bridge " U1 " " U2);
    sends(esl_uuid_kill(sw, U1, NULL, NULL), "uuid_kill " U1);
    sends(esl_uuid_kill(sw, U1, "USER_BUSY", NULL), "uuid_kill " U1 " USER_BUSY");
    refuses(esl_uuid_kill(sw, U1, "USER BUSY", NULL), VA_EINVAL);
    refuses(esl_uuid_kill(sw, U1, "", NULL), VA_EINVAL);
    sends(esl_uuid_answer(sw, U1, NULL), "uuid_answer " U1);
    sends(esl_uuid_pre_answer(sw, U1, NULL), "uuid_pre_answer " U1);
    sends(esl_uuid_park(sw, U1, NULL), "uuid_park " U1);
    sends(esl_uuid_exists(sw, U1, NULL), "uuid_exists " U1);
    sends(esl_uuid_dump(sw, U1, NULL), "uuid_dump " U1 " json");
    sends(esl_uuid_flush_dtmf(sw, U1, NULL), "uuid_flush_dtmf " U1);
    sends(esl_uuid_break(sw, U1, false, NULL), "uuid_break " U1);
    sends(esl_uuid_break(sw, U1, true, NULL), "uuid_break " U1 " all");
    sends(esl_uuid_phone_event(sw, U1, "talk", NULL), "uuid_phone_event " U1 " talk");
    refuses(esl_uuid_phone_event(sw, U1, NULL, NULL), VA_EINVAL);
}

static void hold_and_media_lines(void **state)
{
    (void)state;
    sends(esl_uuid_hold(sw, U1, ESL_HOLD_ON, NULL), "uuid_hold " U1);
    sends(esl_uuid_hold(sw, U1, ESL_HOLD_OFF, NULL), "uuid_hold off " U1);
    sends(esl_uuid_hold(sw, U1, ESL_HOLD_TOGGLE, NULL), "uuid_hold toggle " U1);
    refuses(esl_uuid_hold(sw, U1, (enum esl_hold)7, NULL), VA_EINVAL);
    refuses(esl_uuid_hold(sw, "OFF", ESL_HOLD_ON, NULL), VA_EINVAL);
    refuses(esl_uuid_hold(sw, "toggle", ESL_HOLD_ON, NULL), VA_EINVAL);
    sends(esl_uuid_media(sw, U1, true, NULL), "uuid_media " U1);
    sends(esl_uuid_media(sw, U1, false, NULL), "uuid_media off " U1);
    refuses(esl_uuid_media(sw, "off", true, NULL), VA_EINVAL);
}

static void broadcast_lines(void **state)
{
    (void)state;
    sends(esl_uuid_broadcast(sw, U1, S("/a b'c.wav"), ESL_LEG_A, NULL),
          "uuid_broadcast " U1 " /a\\sb\\'c.wav aleg");
    sends(esl_uuid_broadcast(sw, U1, S("tone_stream://%(1,0,4)"), ESL_LEG_BOTH, NULL),
          "uuid_broadcast " U1 " tone_stream://%(1,0,4) both");
    sends(esl_uuid_broadcast(sw, U1, S("x"), ESL_LEG_B, NULL), "uuid_broadcast " U1 " x bleg");
    sends(esl_uuid_broadcast(sw, U1, S("x"), ESL_LEG_A_HOLD_B, NULL), "uuid_broadcast " U1 " x");
    refuses(esl_uuid_broadcast(sw, U1, S(""), ESL_LEG_A, NULL), VA_EINVAL);
    refuses(esl_uuid_broadcast(sw, U1, S("system::rm x"), ESL_LEG_A, NULL), VA_EINVAL);
    refuses(esl_uuid_broadcast(sw, U1, S("${system(x)}"), ESL_LEG_A, NULL), VA_ENOTSUP);
    refuses(esl_uuid_broadcast(sw, U1, S("x"), (enum esl_leg)9, NULL), VA_EINVAL);
    refuses(esl_uuid_broadcast(sw, U1, str_make("a\0b", 3), ESL_LEG_A, NULL), VA_EINVAL);
    sends(esl_uuid_broadcast_app(sw, U1, "speak", S("flite|kal|hi, you"), ESL_LEG_B, NULL),
          "uuid_broadcast " U1 " speak::flite|kal|hi,\\syou bleg");
    sends(esl_uuid_broadcast_app(sw, U1, "park", S(""), ESL_LEG_A, NULL),
          "uuid_broadcast " U1 " park:: aleg");
    refuses(esl_uuid_broadcast_app(sw, U1, "a!USER_BUSY", S(""), ESL_LEG_A, NULL), VA_EINVAL);
    refuses(esl_uuid_broadcast_app(sw, U1, "a::b", S(""), ESL_LEG_A, NULL), VA_EINVAL);
    refuses(esl_uuid_broadcast_app(sw, U1, NULL, S(""), ESL_LEG_A, NULL), VA_EINVAL);
    refuses(esl_uuid_broadcast_app(sw, U1, "set", S("a=$\\{b}"), ESL_LEG_A, NULL), VA_ENOTSUP);
}

static enum va_err transfer(enum esl_leg leg, const char *extension, const char *dialplan,
                            const char *context)
{
    struct esl_transfer to = {leg, S(extension), dialplan, context};
    return esl_uuid_transfer(sw, U1, &to, NULL);
}

static void transfer_lines(void **state)
{
    (void)state;
    sends(transfer(ESL_LEG_A, "100", NULL, NULL), "uuid_transfer " U1 " 100");
    sends(transfer(ESL_LEG_B, "100", "XML", NULL), "uuid_transfer " U1 " -bleg 100 XML");
    sends(transfer(ESL_LEG_BOTH, "1 0", "XML", "a.b"), "uuid_transfer " U1 " -both 1\\s0 XML a.b");
    refuses(transfer(ESL_LEG_A, "", NULL, NULL), VA_EINVAL);
    refuses(transfer(ESL_LEG_A, "-both", NULL, NULL), VA_EINVAL);
    refuses(transfer(ESL_LEG_A, "1", NULL, "default"), VA_EINVAL);
    refuses(transfer(ESL_LEG_A, "1", "XML", "a b"), VA_EINVAL);
    refuses(transfer(ESL_LEG_A_HOLD_B, "1", NULL, NULL), VA_EINVAL);
    refuses(esl_uuid_transfer(sw, U1, NULL, NULL), VA_EINVAL);
}

static void dtmf_lines(void **state)
{
    (void)state;
    char many[200] = {0};
    memset(many, '1', ESL_DTMF_MAX + 1);
    sends(esl_uuid_send_dtmf(sw, U1, "1w#*AF", 0, NULL), "uuid_send_dtmf " U1 " 1w#*AF");
    sends(esl_uuid_send_dtmf(sw, U1, "9", 250, NULL), "uuid_send_dtmf " U1 " 9@250");
    refuses(esl_uuid_send_dtmf(sw, U1, "", 0, NULL), VA_EINVAL);
    refuses(esl_uuid_send_dtmf(sw, U1, NULL, 0, NULL), VA_EINVAL);
    refuses(esl_uuid_send_dtmf(sw, U1, "1@9", 0, NULL), VA_EINVAL);
    refuses(esl_uuid_send_dtmf(sw, U1, "1 2", 0, NULL), VA_EINVAL);
    refuses(esl_uuid_send_dtmf(sw, U1, many, 0, NULL), VA_EINVAL);
    refuses(esl_uuid_send_dtmf(sw, U1, "1", ESL_DTMF_MS_MAX + 1, NULL), VA_EINVAL);
}

static void other_channel_lines(void **state)
{
    (void)state;
    sends(esl_uuid_recv_dtmf(sw, U1, "1", 90, NULL), "uuid_recv_dtmf " U1 " 1@90");
    refuses(esl_uuid_recv_dtmf(sw, U1, "x", 0, NULL), VA_EINVAL);
    sends(esl_sched_hangup(sw, U1, 60, NULL, NULL), "sched_hangup +60 " U1);
    sends(esl_sched_hangup(sw, U1, 1, "USER_BUSY", NULL), "sched_hangup +1 " U1 " USER_BUSY");
    refuses(esl_sched_hangup(sw, U1, 0, NULL, NULL), VA_EINVAL); /* would be now */
    refuses(esl_sched_hangup(sw, U1, 4000000000, NULL, NULL), VA_EINVAL);
    sends(esl_uuid_deflect(sw, U1, "sip:1@a;x='y'", NULL), "uuid_deflect " U1 " sip:1@a;x='y'");
    refuses(esl_uuid_deflect(sw, U1, "sip:1@a b", NULL), VA_EINVAL);
    refuses(esl_uuid_deflect(sw, U1, NULL, NULL), VA_EINVAL);
    sends(esl_uuid_fileman(sw, U1, ESL_FILE_PAUSE, 0, NULL), "uuid_fileman " U1 " pause");
    sends(esl_uuid_fileman(sw, U1, ESL_FILE_SEEK, 500, NULL), "uuid_fileman " U1 " seek:500");
    sends(esl_uuid_fileman(sw, U1, ESL_FILE_SKIP, 500, NULL), "uuid_fileman " U1 " seek:+500");
    sends(esl_uuid_fileman(sw, U1, ESL_FILE_SKIP, -500, NULL), "uuid_fileman " U1 " seek:-500");
    sends(esl_uuid_fileman(sw, U1, ESL_FILE_VOLUME, -1, NULL), "uuid_fileman " U1 " volume:-1");
    sends(esl_uuid_fileman(sw, U1, ESL_FILE_SPEED, 0, NULL), "uuid_fileman " U1 " speed:0");
    refuses(esl_uuid_fileman(sw, U1, ESL_FILE_SEEK, -1, NULL), VA_EINVAL);
    refuses(esl_uuid_fileman(sw, U1, ESL_FILE_STOP, 1, NULL), VA_EINVAL);
    refuses(esl_uuid_fileman(sw, U1, ESL_FILE_SKIP, 0, NULL), VA_EINVAL);
    refuses(esl_uuid_fileman(sw, U1, (enum esl_file_act)9, 0, NULL), VA_EINVAL);
    sends(esl_uuid_mute(sw, U1, ESL_READ, true, NULL), "uuid_audio " U1 " start read mute -1");
    sends(esl_uuid_mute(sw, U1, ESL_WRITE, false, NULL), "uuid_audio " U1 " start write mute 0");
    sends(esl_uuid_level(sw, U1, ESL_WRITE, -4, NULL), "uuid_audio " U1 " start write level -4");
    refuses(esl_uuid_level(sw, U1, ESL_WRITE, 5, NULL), VA_EINVAL);
    refuses(esl_uuid_level(sw, "a b", ESL_WRITE, 1, NULL), VA_EINVAL);
    refuses(esl_uuid_mute(sw, U1, (enum esl_direction)2, true, NULL), VA_EINVAL);
}

static void variable_lines(void **state)
{
    (void)state;
    struct va_fault f = {0};
    struct esl_field vars[65] = {{"a", S("1;2 3")}, {"b", S("")}, {"c", S("x' ")}};
    sends(esl_uuid_getvar(sw, U1, "a_b", NULL), "uuid_getvar " U1 " a_b");
    refuses(esl_uuid_getvar(sw, U1, "a b", NULL), VA_EINVAL);
    refuses(esl_uuid_getvar(sw, U1, "a[0]", NULL), VA_EINVAL);
    refuses(esl_uuid_getvar(sw, U1, NULL, NULL), VA_EINVAL);
    sends(esl_uuid_setvar(sw, U1, "n", S("a b\n'c'\\"), NULL),
          "uuid_setvar " U1 " n a b\\n\\'c\\'\\\\");
    sends(esl_uuid_setvar(sw, U1, "n", S(""), NULL), "uuid_setvar " U1 " n ");
    sends(esl_uuid_setvar(sw, U1, "n", S("${x}"), NULL), "uuid_setvar " U1 " n ${x}");
    refuses(esl_uuid_setvar(sw, U1, "n", S("ARRAY::a"), NULL), VA_ENOTSUP);
    refuses(esl_uuid_setvar(sw, U1, "n", str_make("\0", 1), NULL), VA_EINVAL);
    refuses(esl_uuid_setvar(sw, U1, "", S("x"), NULL), VA_EINVAL);
    sends(esl_uuid_setvar_multi(sw, U1, vars, 3, NULL, &f),
          "uuid_setvar_multi " U1 " a=1\\;2 3;b=;c=x\\'\\s");
    refuses(esl_uuid_setvar_multi(sw, U1, vars, 0, NULL, &f), VA_EINVAL);
    refuses(esl_uuid_setvar_multi(sw, U1, vars, 65, NULL, &f), VA_EINVAL);
    refuses(esl_uuid_setvar_multi(sw, U1, vars, 4, NULL, &f), VA_EINVAL); /* no name */
    vars[1] = (struct esl_field){"evil", S("${x}")};
    refuses(esl_uuid_setvar_multi(sw, U1, vars, 2, NULL, &f), VA_ENOTSUP);
    assert_non_null(strstr(f.text, "value of evil"));
    vars[1] = (struct esl_field){"^^;x", S("1")};
    refuses(esl_uuid_setvar_multi(sw, U1, vars, 2, NULL, &f), VA_EINVAL);
    refuses(esl_uuid_setvar_multi(sw, "", vars, 1, NULL, &f), VA_EINVAL);
    assert_non_null(strstr(f.text, "is no uuid"));
    sends(esl_global_getvar(sw, "domain", NULL), "global_getvar domain");
    refuses(esl_global_getvar(sw, "", NULL), VA_EINVAL); /* would list them all */
}

/* The module's name is broken up where it is a value; where it is a name nothing is sent. */
static void no_line_reloads_the_event_socket(void **state)
{
    (void)state;
    sends(esl_uuid_setvar(sw, U1, "n", S("reload mod_event_socket"), NULL),
          "uuid_setvar " U1 " n reload m''od_event_socket");
    refuses(esl_uuid_setvar(sw, U1, "mod_event_socket", S("Reload"), NULL), VA_ENOTSUP);
}

static void stream_lines(void **state)
{
    (void)state;
    struct esl_audio_stream s = {.url = "ws://h:1/x"};
    char url[ESL_STREAM_URL_MAX + 2] = "ws://";
    sends(esl_uuid_record(sw, U1, ESL_RECORD_START, S("/a b.wav"), 60, NULL),
          "uuid_record " U1 " start /a\\sb.wav 60");
    sends(esl_uuid_record(sw, U1, ESL_RECORD_STOP, S("all"), 0, NULL),
          "uuid_record " U1 " stop all");
    sends(esl_uuid_record(sw, U1, ESL_RECORD_MASK, S("x"), 0, NULL), "uuid_record " U1 " mask x");
    refuses(esl_uuid_record(sw, U1, ESL_RECORD_STOP, S("x"), 1, NULL), VA_EINVAL);
    refuses(esl_uuid_record(sw, U1, ESL_RECORD_START, S(""), 0, NULL), VA_EINVAL);
    refuses(esl_uuid_record(sw, U1, (enum esl_record)6, S("x"), 0, NULL), VA_EINVAL);
    sends(esl_uuid_displace(sw, U1, true, S("x y"), 0, true, NULL),
          "uuid_displace " U1 " start x\\sy 0 mux");
    sends(esl_uuid_displace(sw, U1, true, S("x"), 0, false, NULL), "uuid_displace " U1 " start x");
    sends(esl_uuid_displace(sw, U1, false, S("x"), 5, true, NULL), "uuid_displace " U1 " stop x");
    sends(esl_uuid_audio_stream_start(sw, U1, &s, NULL),
          "uuid_audio_stream " U1 " start ws://h:1/x mono 8000");
    s = (struct esl_audio_stream){"wss://h/", ESL_MIX_STEREO, 16000, S("{\"a\": \"it's\"}")};
    sends(esl_uuid_audio_stream_start(sw, U1, &s, NULL),
          "uuid_audio_stream " U1 " start wss://h/ stereo 16000 {\"a\":\\s\"it\\'s\"}");
    s.rate_hz = 11025;
    refuses(esl_uuid_audio_stream_start(sw, U1, &s, NULL), VA_EINVAL);
    s.rate_hz = 0, s.url = "ws://a b/";
    refuses(esl_uuid_audio_stream_start(sw, U1, &s, NULL), VA_EINVAL);
    s.url = "http://a";
    refuses(esl_uuid_audio_stream_start(sw, U1, &s, NULL), VA_EINVAL);
    memset(url + 5, 'a', sizeof(url) - 6);
    s.url = url;
    refuses(esl_uuid_audio_stream_start(sw, U1, &s, NULL), VA_EINVAL);
    refuses(esl_uuid_audio_stream_start(sw, U1, NULL, NULL), VA_EINVAL);
    sends(esl_uuid_audio_stream_stop(sw, U1, S(""), NULL), "uuid_audio_stream " U1 " stop");
    sends(esl_uuid_audio_stream_stop(sw, U1, S("a b"), NULL),
          "uuid_audio_stream " U1 " stop a\\sb");
    sends(esl_uuid_audio_stream_pause(sw, U1, NULL), "uuid_audio_stream " U1 " pause");
    sends(esl_uuid_audio_stream_resume(sw, U1, NULL), "uuid_audio_stream " U1 " resume");
    sends(esl_uuid_audio_stream_send_text(sw, U1, S("{}\n"), NULL),
          "uuid_audio_stream " U1 " send_text {}\\n");
    refuses(esl_uuid_audio_stream_send_text(sw, U1, S(""), NULL), VA_EINVAL);
}

static void other_lines(void **state)
{
    (void)state;
    sends(esl_show_channels(sw, NULL), "show channels as json");
    sends(esl_show_calls(sw, NULL), "show calls as json");
    refuses(esl_show(sw, "channels count", NULL), VA_EINVAL);
    sends(esl_status(sw, NULL), "status");
    sends(esl_reloadxml(sw, NULL), "reloadxml");
    sends(esl_registration(sw, "internal", "1001", "a.org", NULL),
          "sofia status profile internal user 1001@a.org");
    refuses(esl_registration(sw, "internal", "", "a.org", NULL), VA_EINVAL); /* all of a.org */
    refuses(esl_registration(sw, "internal", "1001", "", NULL), VA_EINVAL);
    refuses(esl_registration(sw, "internal", "1001", NULL, NULL), VA_EINVAL);
    refuses(esl_registration(sw, "internal", "1001@b", "a.org", NULL), VA_EINVAL);
    refuses(esl_registration(sw, "internal", "x'", "a.org", NULL), VA_EINVAL);
    refuses(esl_registration(sw, "in ternal", "1001", "a.org", NULL), VA_EINVAL);
}

/* ---- originate ------------------------------------------------------------------------------ */

#define FIXED                                                                                      \
    "{origination_uuid=" U1 ",esl_originate_id=" U1 ",fail_on_single_reject=ORIGINATOR_CANCEL"

static char id[UUID_TEXT];
static struct va_fault fault;

static enum va_err call(struct esl_originate o)
{
    fault = (struct va_fault){0};
    return esl_originate(sw, &o, NULL, id, &fault);
}

static void originate_lines(void **state)
{
    (void)state;
    const struct esl_field vars[] = {{"x", S("a,b")}, {"sip_h_X-Y", S("1")}};
    sends(call((struct esl_originate){.endpoint = "user/1@a", .app = "park", .uuid = U1}),
          "job: originate " FIXED ",ignore_early_media=true}user/1@a &park()");
    assert_string_equal(id, U1);
    sends(call((struct esl_originate){.endpoint = "[a=b]x/1,y/2|z/3",
                                      .app = "socket",
                                      .app_arg = S("127.0.0.1:1 async full"),
                                      .caller_name = S("A B"),
                                      .caller_number = S("+49"),
                                      .timeout_s = 30,
                                      .vars = vars,
                                      .var_count = 2,
                                      .early_media = true,
                                      .blocking = true,
                                      .uuid = U1}),
          "originate " FIXED ",originate_timeout=30,origination_caller_id_name=A\\\\\\\\sB,"
          "origination_caller_id_number=+49,x=a\\\\,b,sip_h_X-Y=1}[a=b]x/1,y/2|z/3 "
          "&socket(127.0.0.1:1\\sasync\\sfull)");
    sends(call((struct esl_originate){.endpoint = "x/1", .extension = S("9 1"), .uuid = U1}),
          "job: originate " FIXED ",ignore_early_media=true}x/1 9\\s1");
    sends(call((struct esl_originate){
              .endpoint = "x/1", .extension = S("91"), .context = "c", .uuid = U1}),
          "job: originate " FIXED ",ignore_early_media=true}x/1 91 XML c");
}

static void originate_makes_a_uuid(void **state)
{
    (void)state;
    char first[UUID_TEXT];
    assert_int_equal(call((struct esl_originate){.endpoint = "x/1", .app = "park"}), VA_OK);
    memcpy(first, id, sizeof(first));
    assert_int_equal(strlen(id), 36);
    assert_non_null(strstr(heard, id));
    assert_int_equal(call((struct esl_originate){.endpoint = "x/1", .app = "park"}), VA_OK);
    assert_string_not_equal(first, id);
    heard[0] = 0;
    sends(esl_originate_cancel(sw, U1, NULL), "hupall ORIGINATOR_CANCEL esl_originate_id " U1);
}

static void originate_refuses(void **state)
{
    (void)state;
    static const char *const endpoints[] = {NULL,     "",     "x y",  "undef", "UNDEF",
                                            "{a=b}x", "<a>x", "x'",   "x\\",   "a:_:b",
                                            "^^:x",   "${a}", "a\nb", "x\"",   "a}b"};
    static const char *const extensions[] = {"", "undef", "Undef", "&park()", "&"};
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
        refuses(call((struct esl_originate){.endpoint = endpoints[i], .app = "park"}), VA_EINVAL);
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
        refuses(call((struct esl_originate){.endpoint = "x", .extension = S(extensions[i])}),
                VA_EINVAL);
    refuses(call((struct esl_originate){.endpoint = "x", .app = "a(b"}), VA_EINVAL);
    refuses(call((struct esl_originate){.endpoint = "x", .app = ""}), VA_EINVAL);
    refuses(call((struct esl_originate){.endpoint = "x", .app = "a", .app_arg = S("b)c")}),
            VA_EINVAL);
    refuses(call((struct esl_originate){.endpoint = "x", .app = "a", .app_arg = S("${b}")}),
            VA_ENOTSUP);
    refuses(call((struct esl_originate){.endpoint = "x", .extension = S("1"), .context = "undef"}),
            VA_EINVAL);
    refuses(call((struct esl_originate){.endpoint = "x", .app = "a", .uuid = "a b"}), VA_EINVAL);
    refuses(call((struct esl_originate){.endpoint = "x", .app = "a", .uuid = U1 "0"}), VA_EINVAL);
    refuses(call((struct esl_originate){.endpoint = "x", .app = "a", .var_count = 1}), VA_EINVAL);
    assert_int_equal(esl_originate(sw, NULL, NULL, id, NULL), VA_EINVAL);
}

/* Lines are bounded: what grows over it by escaping is refused as a whole. */
static void too_long(void **state)
{
    (void)state;
    enum { LONG = 700000 };
    char *text = malloc(LONG);
    assert_non_null(text);
    memset(text, '\'', LONG);
    struct esl_field var = {"v", str_make(text, LONG)};
    refuses(esl_uuid_setvar(sw, U1, "v", var.value, NULL), VA_ELIMIT);
    refuses(esl_uuid_setvar_multi(sw, U1, &var, 1, NULL, &fault), VA_ELIMIT);
    assert_non_null(strstr(fault.text, "variable v"));
    refuses(esl_uuid_record(sw, U1, ESL_RECORD_START, var.value, 0, NULL), VA_ELIMIT);
    refuses(esl_uuid_broadcast_app(sw, U1, "a", var.value, ESL_LEG_A, NULL), VA_ELIMIT);
    refuses(call((struct esl_originate){.endpoint = "x", .app = "a", .vars = &var, .var_count = 1}),
            VA_ELIMIT);
    assert_non_null(strstr(fault.text, "value of v"));
    refuses(call((struct esl_originate){.endpoint = "x", .app = "a", .app_arg = var.value}),
            VA_ELIMIT);
    free(text);
}

static void originate_names_the_variable_it_refuses(void **state)
{
    (void)state;
    static const struct {
        struct esl_field var;
        enum va_err err;
        const char *says;
    } rows[] = {
        {{"topic", STR_LIT("a{b")}, VA_ENOTSUP, "topic"},
        {{"topic", STR_LIT("$\\{b}")}, VA_ENOTSUP, "topic"},
        {{"topic", STR_LIT("ARRAY::a")}, VA_ENOTSUP, "topic"},
        {{"topic", STR_LIT("\0")}, VA_EINVAL, "topic"},
        {{"^^:a", STR_LIT("1")}, VA_EINVAL, "^^:a"},
        {{"", STR_LIT("1")}, VA_EINVAL, "name a variable"},
        {{NULL, STR_LIT("1")}, VA_EINVAL, "name a variable"},
        {{"Origination_UUID", STR_LIT("1")}, VA_EINVAL, "field of its own"},
        {{"esl_originate_id", STR_LIT("1")}, VA_EINVAL, "field of its own"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        refuses(call((struct esl_originate){
                    .endpoint = "x", .app = "a", .vars = &rows[i].var, .var_count = 1}),
                rows[i].err);
        assert_non_null(strstr(fault.text, rows[i].says));
        assert_int_equal(fault.code, rows[i].err);
    }
    refuses(call((struct esl_originate){.endpoint = "x", .app = "a", .caller_name = S("}")}),
            VA_ENOTSUP);
    assert_non_null(strstr(fault.text, "origination_caller_id_name"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_uuid_is_more_than_one),
        cmocka_unit_test(channel_lines),
        cmocka_unit_test(hold_and_media_lines),
        cmocka_unit_test(broadcast_lines),
        cmocka_unit_test(transfer_lines),
        cmocka_unit_test(dtmf_lines),
        cmocka_unit_test(other_channel_lines),
        cmocka_unit_test(variable_lines),
        cmocka_unit_test(no_line_reloads_the_event_socket),
        cmocka_unit_test(stream_lines),
        cmocka_unit_test(other_lines),
        cmocka_unit_test(originate_lines),
        cmocka_unit_test(originate_makes_a_uuid),
        cmocka_unit_test(originate_refuses),
        cmocka_unit_test(too_long),
        cmocka_unit_test(originate_names_the_variable_it_refuses),
    };
    return cmocka_run_group_tests_name("esl_commands", tests, NULL, NULL);
}
