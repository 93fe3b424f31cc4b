/* leg/websocket: against a scripted FreeSWITCH (its control socket) and a module played by our own
 * WebSocket client, on one loop. */
#include "leg/websocket.h"
#include "leg/ws_hub.h"
#include "leg/ws_speech.h"
#include "media/format.h"
#include "media/g711.h"
#include "net/udp.h"

#include "unit/esl_rig.h"

enum { START_MS = 3000, FRAME = 160 };

struct bench {
    struct rig *g;
    struct settings settings;
    struct ws_hub *hub;
    struct leg_env env;
    struct leg_cfg cfg;
    const struct leg_ops *ops;
    struct leg *leg;
    struct ws_stream *born;

    struct ws_conn *module; /* FreeSWITCH's side of the stream */
    bool module_open, module_closed;
    unsigned texts, binaries;
    char text[8192]; /* the last */
    unsigned char binary[4096];
    size_t text_len, binary_len;
    uint16_t close_code;

    const char *close_in;
    struct leg_format format;
    unsigned started, frames, failed, released;
    int16_t first, firsts[64];
    size_t count;
    char digit;
    enum va_err why;
    char cause[400];
};

/* ---- the call's side ------------------------------------------------------------------------- */

static void maybe_close(struct bench *b, const char *where)
{
    if (b->close_in && strcmp(b->close_in, where) == 0)
        b->ops->close(&b->leg);
}

static void on_started(void *arg, const struct leg_format *format)
{
    struct bench *b = arg;
    b->format = *format;
    b->started++;
    maybe_close(b, "started");
}

static void on_frame(void *arg, const int16_t *samples, size_t count, bool silence)
{
    struct bench *b = arg;
    (void)silence;
    assert_int_equal(b->started, 1);
    b->firsts[b->frames % 64] = samples[0];
    b->frames++;
    b->count = count;
    maybe_close(b, "frame");
}

static void on_digit(void *arg, char digit)
{
    ((struct bench *)arg)->digit = digit;
}

static void on_failed(void *arg, enum va_err why, const char *cause)
{
    struct bench *b = arg;
    b->failed++;
    b->why = why;
    (void)snprintf(b->cause, sizeof(b->cause), "%s", cause);
    maybe_close(b, "failed");
}

static void on_released(void *arg)
{
    struct bench *b = arg;
    b->released++;
    maybe_close(b, "released");
}

static const struct leg_handlers handlers = {on_started, on_frame, on_digit, on_failed,
                                             on_released};

static void on_birth(void *arg, struct ws_stream *stream)
{
    ((struct bench *)arg)->born = stream;
}

static struct bench *bench_new(const struct leg_ops *ops, const char *playback)
{
    struct bench *b = calloc(1, sizeof(*b));
    struct va_fault fault;
    b->g = rig_connected_new(NULL);
    b->ops = ops;
    b->settings = (struct settings){.rtp_port_min = 20000,
                                    .rtp_port_max = 29999,
                                    .rtp_bind_address = "127.0.0.1",
                                    .unicast_port_min = 30000,
                                    .unicast_port_max = 39999,
                                    .media_start_timeout_ms = START_MS,
                                    .media_lost_timeout_ms = 10000,
                                    .ws_host = "127.0.0.1"};
    (void)snprintf(b->settings.ws_playback, SETTING_TEXT_MAX, "%s", playback);
    const struct ws_hub_handlers h = {ops == &leg_dual ? NULL : on_birth};
    if (ws_hub_open(b->g->loop, &b->settings, &h, b, &b->hub, &fault))
        fail_msg("%s", fault.text);
    b->env.ws = b->hub;
    b->cfg = (struct leg_cfg){.loop = b->g->loop,
                              .env = &b->env,
                              .control = b->g->s,
                              .uuid = RIG_UUID,
                              .settings = &b->settings,
                              .rate_hz = 8000};
    assert_int_equal(net_addr_parse("127.0.0.1", 8022, &b->cfg.control_local), VA_OK);
    assert_int_equal(net_addr_parse("127.0.0.1", 40000, &b->cfg.control_peer), VA_OK);
    return b;
}

static void bench_free(struct bench *b)
{
    b->ops->close(&b->leg);
    ws_stream_refuse(&b->born, 503, "over");
    ws_free(&b->module);
    ws_hub_close(&b->hub);
    rig_free(b->g);
    free(b);
}

static void turn(struct bench *b)
{
    loop_turn(b->g->loop, true);
}

/* ---- the module's side ----------------------------------------------------------------------- */

static void module_opened(void *arg, struct str subprotocol)
{
    (void)subprotocol;
    ((struct bench *)arg)->module_open = true;
}

static void module_message(void *arg, enum ws_kind kind, const char *p, size_t len)
{
    struct bench *b = arg;
    if (kind == WS_TEXT) {
        assert_true(len < sizeof(b->text));
        memcpy(b->text, p, len);
        b->text[len] = 0;
        b->text_len = len;
        b->texts++;
    } else {
        assert_true(len <= sizeof(b->binary));
        memcpy(b->binary, p, len);
        b->binary_len = len;
        b->binaries++;
    }
}

static void module_over(void *arg, const struct ws_end *end)
{
    struct bench *b = arg;
    b->close_code = end->code;
    b->module_closed = true;
}

static void module_dials(struct bench *b, const char *url, const char *subprotocol)
{
    static const struct ws_handlers h = {
        .on_open = module_opened, .on_message = module_message, .on_closed = module_over};
    const struct ws_target to = {.url = url, .subprotocol = subprotocol};
    ws_free(&b->module);
    b->module_open = b->module_closed = false;
    assert_int_equal(ws_connect(b->g->loop, &to, NULL, &h, b, &b->module), VA_OK);
}

static void module_says(struct bench *b, enum ws_kind kind, const void *p, size_t len)
{
    assert_int_equal(ws_send(b->module, kind, p, len), VA_OK);
}

/* A frame that begins with `first`. */
static void module_speaks(struct bench *b, int16_t first)
{
    int16_t frame[FRAME] = {first};
    module_says(b, WS_BINARY, frame, sizeof(frame));
}

static void url_to(struct bench *b, const char *path, char *out, size_t cap)
{
    struct net_addr at;
    char text[NET_ADDR_TEXT];
    ws_hub_addr(b->hub, &at);
    net_addr_text(&at, text);
    (void)snprintf(out, cap, "ws://%s%s", text, path);
}

/* FreeSWITCH is asked for a stream, says `answer`. */
static void asked(struct bench *b, char *url, size_t cap, const char *answer)
{
    char line[400], reply[200];
    assert_int_equal(b->ops->open(&b->cfg, &handlers, b, &b->leg), VA_OK);
    rig_hears(b->g, "event plain CUSTOM mod_audio_stream::play ");
    rig_says(b->g, RIG_REPLY);
    rig_hears(b->g, "api uuid_setvar_multi " RIG_UUID " ");
    rig_hears_value(b->g, "api uuid_audio_stream " RIG_UUID " start ", line, sizeof(line));
    char *end = strchr(line, ' ');
    assert_non_null(end);
    assert_string_equal(end, " mono 8000");
    *end = 0;
    assert_true((size_t)snprintf(url, cap, "%s", line) < cap);
    (void)snprintf(reply, sizeof(reply),
                   "Content-Type: api/response\nContent-Length: 4\n\n+OK\n"
                   "Content-Type: api/response\nContent-Length: %zu\n\n%s",
                   strlen(answer), answer);
    rig_says(b->g, reply);
}

static void up(struct bench *b)
{
    char url[300];
    asked(b, url, sizeof(url), "+OK Success\n");
    module_dials(b, url, NULL);
    while (!b->module_open)
        turn(b);
}

static void running(struct bench *b)
{
    module_speaks(b, 1);
    while (!b->started)
        turn(b);
}

static void custom(struct bench *b, const char *subclass, const char *body)
{
    char text[800];
    struct esl_event *ev = esl_event_new();
    (void)snprintf(text, sizeof(text),
                   "Event-Name: CUSTOM\nEvent-Subclass: mod_audio_stream%%3A%%3A%s\n"
                   "Content-Length: %zu\n\n%s",
                   subclass, strlen(body), body);
    assert_int_equal(esl_event_parse(ev, ESL_PLAIN, str_of(text)), VA_OK);
    b->ops->on_event(b->leg, ev);
    esl_event_free(&ev);
}

static void written(struct bench *b, int n)
{
    char body[200];
    (void)snprintf(body, sizeof(body),
                   "{\"audioDataType\":\"raw\",\"sampleRate\":8000,"
                   "\"file\":\"/tmp/" RIG_UUID "_%d.tmp.r8\"}",
                   n);
    custom(b, "play", body);
}

static void say(struct bench *b, int16_t value, unsigned frames)
{
    int16_t frame[FRAME];
    for (size_t i = 0; i < FRAME; i++)
        frame[i] = value;
    while (frames--)
        b->ops->send(b->leg, frame, FRAME);
}

static void next_text(struct bench *b, unsigned n)
{
    while (b->texts < n)
        turn(b);
}

/* ---- dual ------------------------------------------------------------------------------------ */

static void audio_flows_both_ways(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    up(b);
    assert_int_equal(b->started, 0);
    running(b);
    assert_int_equal(b->format.rate_hz, 8000);
    assert_int_equal(b->format.ptime_ms, 20);
    while (!b->frames)
        turn(b);
    assert_int_equal(b->firsts[0], 1);
    say(b, -2, 1);
    while (!b->binaries)
        turn(b);
    assert_int_equal(b->binary_len, FRAME * 2);
    int16_t got;
    memcpy(&got, b->binary, sizeof(got));
    assert_int_equal(got, -2);
    struct leg_stats st;
    b->ops->stats(b->leg, &st);
    assert_int_equal(st.frames_in, 1);
    assert_int_equal(st.frames_out, 1);
    assert_int_equal(st.lead_ms, 0);
    bench_free(b);
}

static void no_stream_without_its_needs(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    struct leg_cfg bad = b->cfg;
    bad.control = NULL;
    assert_int_equal(leg_dual.open(&bad, &handlers, b, &b->leg), VA_ENOTSUP);
    bad = b->cfg;
    bad.env = &(struct leg_env){0};
    assert_int_equal(leg_dual.open(&bad, &handlers, b, &b->leg), VA_ENOTSUP);
    assert_int_equal(leg_websocket.open(&b->cfg, &handlers, b, &b->leg), VA_ENOTSUP);
    assert_null(b->leg);
    bench_free(b);
}

static void no_module(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    char url[300];
    asked(b, url, sizeof(url), "-ERR uuid_audio_stream Command not found!\n");
    while (!b->failed)
        turn(b);
    assert_int_equal(b->why, VA_ENOTSUP);
    assert_non_null(strstr(b->cause, "mod_audio_stream"));
    bench_free(b);
}

static void the_dialplan_was_faster(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    char url[300];
    asked(b, url, sizeof(url), "-ERR Operation Failed\n"); /* the channel has one already … */
    url_to(b, "/stream/default/" RIG_UUID, url, sizeof(url));
    module_dials(b, url, NULL); /* … which comes by itself */
    while (!b->module_open)
        turn(b);
    running(b);
    assert_int_equal(b->failed, 0);
    bench_free(b);
}

static void the_stream_was_there_before_the_call(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    char url[300];
    struct ws_hub_stats st;
    url_to(b, "/stream/default/" RIG_UUID, url, sizeof(url));
    module_dials(b, url, NULL);
    do {
        turn(b);
        ws_hub_stats(b->hub, &st);
    } while (!st.held);
    assert_int_equal(b->ops->open(&b->cfg, &handlers, b, &b->leg), VA_OK);
    while (!b->module_open)
        turn(b);
    running(b);
    assert_int_equal(b->g->heard.len, 0); /* nothing was asked for */
    bench_free(b);
}

static void what_is_missing_is_said(void **state)
{
    (void)state;
    static const char *const causes[] = {"TCP 127.0.0.1:", "refused uuid_audio_stream",
                                         "no audio comes"};
    for (int i = 0; i < 3; i++) {
        struct bench *b = bench_new(&leg_dual, "binary");
        char url[300];
        b->settings.media_start_timeout_ms = 100;
        asked(b, url, sizeof(url), i == 1 ? "-ERR Operation Failed\n" : "+OK Success\n");
        if (i == 2)
            module_dials(b, url, NULL);
        while (!b->failed)
            turn(b);
        assert_int_equal(b->why, VA_ETIMEOUT);
        assert_non_null(strstr(b->cause, causes[i]));
        bench_free(b);
    }
}

static void freeswitch_cannot_reach_us(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    char url[300];
    asked(b, url, sizeof(url), "+OK Success\n");
    custom(b, "error",
           "{\"status\":\"error\",\"message\":{\"code\":6,\"error\":\"connection refused\"}}");
    assert_int_equal(b->failed, 1);
    assert_int_equal(b->why, VA_EREFUSED);
    assert_non_null(strstr(b->cause, "connection refused"));
    bench_free(b);
}

/* ---- what comes ------------------------------------------------------------------------------ */

static void late_audio_comes_in_order(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    int16_t lump[FRAME * 20] = {0};
    up(b);
    running(b);
    while (!b->frames)
        turn(b);
    for (int i = 0; i < 20; i++)
        lump[i * FRAME] = (int16_t)(i + 1);
    unsigned before = b->frames;
    module_says(b, WS_BINARY, lump, sizeof(lump));
    while (b->frames == before)
        turn(b);
    assert_in_range(b->frames, before + 1, before + 5); /* the rest follows faster than spoken */
    while (b->frames < before + 20)
        turn(b);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(b->firsts[before + i], i + 1);
    struct leg_stats st;
    b->ops->stats(b->leg, &st);
    assert_int_equal(st.lost, 0);
    bench_free(b);
}

static void texts_are_heard(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "auto");
    const char *metadata = "{\"playback\":\"json\",\"codec\":\"pcmu\"}";
    const char *digit = "{\"type\":\"dtmf\",\"digit\":\"7\"}";
    unsigned char ulaw[FRAME];
    memset(ulaw, g711_ulaw_encode(1000), sizeof(ulaw));
    up(b);
    module_says(b, WS_TEXT, metadata, strlen(metadata));
    module_says(b, WS_TEXT, "not json", 8);
    module_says(b, WS_BINARY, ulaw, sizeof(ulaw));
    while (!b->frames)
        turn(b);
    assert_int_equal(b->firsts[0], g711_ulaw_decode(g711_ulaw_encode(1000)));
    module_says(b, WS_TEXT, digit, strlen(digit));
    while (!b->digit)
        turn(b);
    assert_int_equal(b->digit, '7');
    say(b, 5, 1);
    next_text(b, 2); /* behind the one that asked for the edition */
    assert_non_null(strstr(b->text, "\"sampleRate\":8000,\"audioData\":\"BQAFAAUA"));
    assert_int_equal(b->ops->flush(b->leg), 0);
    while (!strstr(b->text, "stopAudio"))
        turn(b);
    bench_free(b);
}

static void too_long_a_message_ends_it(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    size_t len = 70000;
    char *big = calloc(1, len);
    up(b);
    running(b);
    module_says(b, WS_BINARY, big, len);
    while (!b->module_closed)
        turn(b);
    assert_int_equal(b->close_code, 1009);
    while (!b->failed)
        turn(b);
    free(big);
    bench_free(b);
}

static void audio_that_stops(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    b->settings.media_lost_timeout_ms = 60;
    up(b);
    running(b);
    while (!b->failed)
        turn(b);
    assert_int_equal(b->why, VA_ETIMEOUT);
    assert_non_null(strstr(b->cause, "audio stopped"));
    bench_free(b);
}

static void a_stream_that_breaks(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    up(b);
    running(b);
    ws_free(&b->module); /* without a word */
    while (!b->failed)
        turn(b);
    assert_int_equal(b->failed, 1);
    say(b, 1, 1); /* harmless */
    bench_free(b);
}

static void a_good_bye_waits_for_the_hangup(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "broadcast");
    up(b);
    running(b);
    ws_close(b->module, 1000, "");
    while (!b->module_closed)
        turn(b);
    assert_int_equal(b->failed, 0);
    say(b, 1, 20); /* nowhere to send it to */
    while (!b->failed)
        turn(b);
    assert_int_equal(b->why, VA_ECLOSED);
    bench_free(b);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void plays_hears(struct bench *b, int n)
{
    char want[200];
    rig_hears(b->g, "sendmsg\ncall-command: execute\nexecute-app-name: playback\n");
    (void)snprintf(want, sizeof(want), "execute-app-arg: /tmp/" RIG_UUID "_%d.tmp.r8\n", n);
    rig_hears(b->g, want);
    rig_says(b->g, RIG_REPLY);
}

static void files_are_played_one_behind_the_other(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "broadcast");
    struct leg_stats st;
    up(b);
    running(b);
    say(b, 0, 10); /* silence needs no file */
    say(b, 7, WS_FIRST_PIECE_MS / 20 - 1);
    b->ops->stats(b->leg, &st);
    assert_int_equal(st.lead_ms, WS_FIRST_PIECE_MS - 20);
    say(b, 7, 1);
    next_text(b, 1);
    size_t bytes = (size_t)FRAME * 2 * WS_FIRST_PIECE_MS / 20;
    assert_int_equal(b->text_len, strlen("{\"type\":\"streamAudio\",\"data\":{\"audioDataType\":"
                                         "\"raw\",\"sampleRate\":8000,\"audioData\":\"\"}}") +
                                      (bytes + 2) / 3 * 4);
    written(b, 0);
    plays_hears(b, 0);
    say(b, 7, WS_PIECE_MS / 20);
    next_text(b, 2);
    written(b, 1);
    plays_hears(b, 1);
    say(b, 7, 2);
    say(b, 0, WS_PAUSE_MS / 20); /* the end: what there is goes, without the silence */
    next_text(b, 3);
    b->ops->stats(b->leg, &st);
    assert_in_range(st.lead_ms, WS_PIECE_MS, WS_FIRST_PIECE_MS + WS_PIECE_MS + 40);
    assert_int_equal(st.send_fails, 0);
    bench_free(b);
}

static void an_interruption_silences_files(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "broadcast");
    struct leg_stats st;
    up(b);
    running(b);
    say(b, 7, WS_FIRST_PIECE_MS / 20);
    next_text(b, 1);
    written(b, 0);
    plays_hears(b, 0);
    say(b, 7, WS_PIECE_MS / 20 + 1);
    next_text(b, 2);
    /* one is playing, one on its way, 20 ms collected */
    uint32_t unheard = b->ops->flush(b->leg);
    assert_in_range(unheard, WS_PIECE_MS + 20, WS_FIRST_PIECE_MS + WS_PIECE_MS + 20);
    rig_hears(b->g, "api uuid_break " RIG_UUID " all\n\n");
    b->ops->stats(b->leg, &st);
    assert_int_equal(st.lead_ms, 0);
    assert_int_equal(b->ops->flush(b->leg), 0);
    written(b, 1); /* comes late: nobody wants to hear it */
    say(b, 9, WS_FIRST_PIECE_MS / 20);
    next_text(b, 3);
    written(b, 2);
    plays_hears(b, 2);
    assert_null(memmem(b->g->heard.p, b->g->heard.len, "_1.tmp", 6));
    bench_free(b);
}

static void a_gap_makes_the_first_piece_longer(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "broadcast");
    struct leg_stats st;
    char uuid[64], done[300];
    up(b);
    running(b);
    say(b, 7, WS_FIRST_PIECE_MS / 20); /* more is to come … */
    next_text(b, 1);
    written(b, 0);
    rig_hears_value(b->g, "Event-UUID: ", uuid, sizeof(uuid));
    rig_says(b->g, RIG_REPLY);
    (void)snprintf(done, sizeof(done),
                   "Event-Name: CHANNEL_EXECUTE_COMPLETE\nUnique-ID: " RIG_UUID
                   "\nApplication: playback\nApplication-UUID: %s\n\n",
                   uuid);
    rig_says_event(b->g, done); /* … and has not come in time */
    do {
        turn(b);
        b->ops->stats(b->leg, &st);
    } while (!st.gaps);
    assert_int_equal(st.lead_ms, 0);
    say(b, 0, WS_PAUSE_MS / 20);
    say(b, 7, WS_FIRST_PIECE_MS / 20);
    b->ops->stats(b->leg, &st);
    assert_int_equal(st.lead_ms, WS_FIRST_PIECE_MS); /* still collected */
    say(b, 7, WS_PIECE_MS / 2 / 20 + 1);
    next_text(b, 2);
    bench_free(b);
}

static void pieces_nobody_plays_are_bounded(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "broadcast");
    struct leg_stats st;
    up(b);
    running(b);
    say(b, 7, WS_FIRST_PIECE_MS / 20 + WS_PIECE_MS / 20 * (WS_PIECES_MAX + 3));
    b->ops->stats(b->leg, &st);
    assert_int_equal(st.send_fails, 4);
    custom(b, "play", "{\"file\":\"/etc/passwd\"}"); /* not one of ours: given up */
    b->ops->stats(b->leg, &st);
    assert_int_equal(st.send_fails, 5);
    bench_free(b);
}

static void the_edition_is_found_out(void **state)
{
    (void)state;
    for (int open_edition = 0; open_edition < 2; open_edition++) {
        struct bench *b = bench_new(&leg_dual, "auto");
        up(b);
        next_text(b, 1);
        assert_non_null(strstr(b->text, "streamAudio"));
        module_speaks(b, 1);
        if (open_edition)
            written(b, 0);
        while (!b->started)
            turn(b);
        say(b, 7, 1);
        unsigned texts = b->texts;
        module_speaks(b, 2);
        while (b->frames < 2)
            turn(b);
        if (!open_edition)
            next_text(b, 2); /* a frame at once; files wait for a whole piece */
        else
            assert_int_equal(b->texts, texts);
        bench_free(b);
    }
}

/* ---- unicast --------------------------------------------------------------------------------- */

struct fs_udp {
    struct udp_sock *sock;
    struct net_addr to;
    unsigned got;
};

static void on_udp(void *arg, const struct net_addr *from, const void *p, size_t len)
{
    struct fs_udp *u = arg;
    (void)from;
    (void)p;
    assert_int_equal(len, FRAME * 2);
    u->got++;
}

static void udp_side(struct bench *b, const char *side, struct net_addr *ret)
{
    char ip[64], port[8], name[24];
    (void)snprintf(name, sizeof(name), "%s-ip: ", side);
    rig_hears_value(b->g, name, ip, sizeof(ip));
    (void)snprintf(name, sizeof(name), "%s-port: ", side);
    rig_hears_value(b->g, name, port, sizeof(port));
    assert_int_equal(net_addr_parse(ip, (uint16_t)strtoul(port, NULL, 10), ret), VA_OK);
}

static void unicast_plays_and_takes_over(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "auto");
    struct fs_udp u = {0};
    struct net_addr here;
    const int16_t frame[FRAME] = {42};
    b->cfg.parked = true;
    up(b);
    rig_hears(b->g, "call-command: unicast\n");
    udp_side(b, "local", &here);
    udp_side(b, "remote", &u.to);
    assert_int_equal(udp_open(b->g->loop, &here, on_udp, &u, &u.sock), VA_OK);
    rig_says(b->g, RIG_REPLY);
    module_speaks(b, 1);
    assert_int_equal(udp_send(u.sock, &u.to, frame, sizeof(frame)), VA_OK);
    while (!b->started)
        turn(b);
    say(b, 7, 1);
    while (!u.got)
        turn(b);
    module_speaks(b, 2);
    while (!b->frames)
        turn(b);
    assert_int_not_equal(b->firsts[0], 42); /* heard once, not twice */
    ws_free(&b->module);                    /* the stream breaks, the call goes on */
    unsigned before = b->frames;
    do {
        assert_int_equal(udp_send(u.sock, &u.to, frame, sizeof(frame)), VA_OK);
        turn(b);
    } while (b->frames == before || b->firsts[(b->frames - 1) % 64] != 42);
    assert_int_equal(b->failed, 0);
    struct leg_stats st;
    b->ops->stats(b->leg, &st);
    assert_true(st.unicast);
    udp_close(&u.sock);
    bench_free(b);
}

static void without_udp_it_goes_by_files(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "auto");
    b->cfg.parked = true;
    up(b);
    rig_hears(b->g, "call-command: unicast\n");
    rig_says(b->g, RIG_REPLY);
    module_speaks(b, 1);
    next_text(b, 1); /* the probe */
    written(b, 0);
    while (!b->started)
        turn(b);
    say(b, 7, WS_FIRST_PIECE_MS / 20);
    next_text(b, 2);
    bench_free(b);
}

/* ---- websocket ------------------------------------------------------------------------------- */

static void born(struct bench *b, const char *path, const char *subprotocol)
{
    char url[300];
    url_to(b, path, url, sizeof(url));
    module_dials(b, url, subprotocol);
    while (!b->born)
        turn(b);
    b->cfg.stream = b->born;
    b->born = NULL;
    assert_int_equal(b->ops->open(&b->cfg, &handlers, b, &b->leg), VA_OK);
    while (!b->module_open)
        turn(b);
}

static void a_call_born_of_its_stream(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_websocket, "auto");
    b->cfg.control = NULL;
    b->cfg.rate_hz = 16000; /* the call's; the stream's is 8000 */
    born(b, "/stream/default/" RIG_UUID "?codec=l16&rate=8000&channels=2&playback=binary", NULL);
    int16_t stereo[FRAME * 2];
    for (size_t i = 0; i < FRAME * 2; i++)
        stereo[i] = (int16_t)(i % 2 ? -9000 : 4000);
    for (int i = 0; i < 5; i++)
        module_says(b, WS_BINARY, stereo, sizeof(stereo));
    while (b->frames < 4)
        turn(b);
    assert_int_equal(b->format.rate_hz, 16000);
    assert_int_equal(b->count, 320);
    assert_in_range(b->firsts[3], 3800, 4200);
    int16_t frame[320] = {0};
    for (int i = 0; i < 3; i++)
        b->ops->send(b->leg, frame, 320);
    while (b->binaries < 3)
        turn(b);
    assert_in_range(b->binary_len, FRAME * 2 - 4, FRAME * 2 + 4);
    bench_free(b);
}

/* A second one on a channel can crash FreeSWITCH. */
static void unicast_is_asked_for_once(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_websocket, "auto");
    struct fs_udp u = {0};
    struct net_addr here;
    const char *metadata = "{\"playback\":\"unicast\"}";
    const int16_t frame[FRAME] = {42};
    b->cfg.parked = true;
    born(b, "/stream/default/" RIG_UUID, NULL);
    rig_hears(b->g, "call-command: unicast\n");
    udp_side(b, "local", &here);
    udp_side(b, "remote", &u.to);
    assert_int_equal(udp_open(b->g->loop, &here, on_udp, &u, &u.sock), VA_OK);
    rig_says(b->g, RIG_REPLY);
    module_says(b, WS_TEXT, metadata, strlen(metadata));
    module_speaks(b, 1);
    while (!b->started && !b->failed) {
        assert_int_equal(udp_send(u.sock, &u.to, frame, sizeof(frame)), VA_OK);
        turn(b);
    }
    assert_int_equal(b->failed, 0);
    assert_null(memmem(b->g->heard.p, b->g->heard.len, "unicast", 7));
    udp_close(&u.sock);
    bench_free(b);
}

static void jambonz_takes_frames(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_websocket, "auto");
    born(b, "/stream/default/" RIG_UUID, "audio.jambonz.org");
    running(b);
    say(b, 7, 1);
    while (!b->binaries)
        turn(b);
    assert_int_equal(b->ops->flush(b->leg), 0);
    next_text(b, 1);
    assert_string_equal(b->text, "{\"type\":\"killAudio\"}");
    bench_free(b);
}

static void drachtios_fork_writes_files(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_websocket, "auto");
    born(b, "/stream/default/" RIG_UUID, "audio.drachtio.org");
    running(b);
    say(b, 7, WS_FIRST_PIECE_MS / 20);
    next_text(b, 1);
    assert_non_null(strstr(b->text,
                           "{\"type\":\"playAudio\",\"data\":{\"audioContentType\":\"raw\","
                           "\"sampleRate\":8000,\"audioContent\":\""));
    bench_free(b);
}

/* ---- release and close ----------------------------------------------------------------------- */

static void a_released_channel_has_no_stream(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "broadcast");
    up(b);
    running(b);
    say(b, 7, WS_FIRST_PIECE_MS / 20);
    next_text(b, 1);
    written(b, 0);
    plays_hears(b, 0);
    b->ops->release(b->leg);
    assert_int_equal(b->released, 0);
    rig_hears(b->g, "api uuid_break " RIG_UUID " all\n\n");
    rig_hears(b->g, "api uuid_audio_stream " RIG_UUID " stop\n\n");
    rig_says(b->g, "Content-Type: api/response\nContent-Length: 4\n\n+OK\n"
                   "Content-Type: api/response\nContent-Length: 4\n\n+OK\n");
    while (!b->released)
        turn(b);
    say(b, 7, 1);
    assert_int_equal(b->failed, 0);
    assert_int_equal(b->released, 1);
    bench_free(b);
}

/* Asked for and not answered yet: it would begin, and stay. */
static void closed_before_the_answer_it_is_stopped(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    assert_int_equal(b->ops->open(&b->cfg, &handlers, b, &b->leg), VA_OK);
    rig_hears(b->g, "api uuid_audio_stream " RIG_UUID " start ");
    b->ops->close(&b->leg);
    rig_hears(b->g, "api uuid_audio_stream " RIG_UUID " stop\n\n");
    bench_free(b);
}

/* A stream that was refused is not ours: the channel's other one goes on. */
static void what_was_refused_is_not_stopped(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_dual, "binary");
    char url[300];
    asked(b, url, sizeof(url), "-ERR uuid_audio_stream Command not found!\n");
    while (!b->failed)
        turn(b);
    b->ops->close(&b->leg);
    assert_int_equal(esl_session_api(b->cfg.control, str_of("status"), NULL), VA_OK);
    while (!b->g->heard.len || !memmem(b->g->heard.p, b->g->heard.len, "api status", 10))
        turn(b);
    assert_null(memmem(b->g->heard.p, b->g->heard.len, " stop", 5));
    bench_free(b);
}

/* Back from a human: the dialplan's stream is gone, and one of our own is asked for. */
static void a_stream_of_the_dialplan_is_followed_by_one_of_ours(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_websocket, "binary");
    char url[300];
    struct leg *leg = NULL;
    assert_int_equal(leg_websocket.open(&b->cfg, &handlers, b, &leg), VA_ENOTSUP);
    b->cfg.stream_again = true;
    asked(b, url, sizeof(url), "+OK Success\n");
    module_dials(b, url, NULL);
    while (!b->module_open)
        turn(b);
    running(b);
    assert_int_equal(b->failed, 0);
    bench_free(b);
}

/* FreeSWITCH may be slow to read the subscription; what it tells before that is told to nobody. */
static void the_probe_waits_for_its_subscription(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_websocket, "auto");
    b->cfg.parked = false; /* no unicast */
    born(b, "/stream/default/" RIG_UUID, NULL);
    rig_hears(b->g, "event plain CUSTOM mod_audio_stream::play ");
    for (int i = 0; i < 20; i++)
        loop_turn(b->g->loop, false);
    assert_int_equal(b->texts, 0);
    rig_says(b->g, "Content-Type: command/reply\nReply-Text: +OK event listener enabled\n\n");
    while (!b->texts)
        turn(b);
    assert_non_null(strstr(b->text, "streamAudio"));
    bench_free(b);
}

static void without_control_it_is_released_at_once(void **state)
{
    (void)state;
    struct bench *b = bench_new(&leg_websocket, "binary");
    b->cfg.control = NULL;
    born(b, "/stream/default/" RIG_UUID, NULL);
    running(b);
    b->ops->release(b->leg);
    assert_int_equal(b->released, 0); /* not from inside */
    while (!b->released)
        turn(b);
    bench_free(b);
}

static void closing_in_any_handler(void **state)
{
    (void)state;
    static const char *const where[] = {"started", "frame", "failed", "released"};
    for (size_t i = 0; i < 4; i++)
        for (int lump = 1; lump <= 8; lump += 7) {
            struct bench *b = bench_new(&leg_dual, "binary");
            int16_t frames[FRAME * 8] = {0};
            b->close_in = where[i];
            up(b);
            module_says(b, WS_BINARY, frames, FRAME * 2 * (size_t)lump);
            while (b->leg && !b->frames)
                turn(b);
            if (i == 2)
                ws_free(&b->module);
            if (i == 3) {
                b->ops->release(b->leg);
                rig_hears(b->g, " stop\n\n");
                rig_says(b->g, "Content-Type: api/response\nContent-Length: 4\n\n+OK\n");
            }
            while (b->leg)
                turn(b);
            while (i != 2 && !b->module_closed) /* FreeSWITCH's side is told */
                turn(b);
            bench_free(b);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_flows_both_ways),
        cmocka_unit_test(no_stream_without_its_needs),
        cmocka_unit_test(no_module),
        cmocka_unit_test(the_dialplan_was_faster),
        cmocka_unit_test(the_stream_was_there_before_the_call),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(freeswitch_cannot_reach_us),
        cmocka_unit_test(late_audio_comes_in_order),
        cmocka_unit_test(texts_are_heard),
        cmocka_unit_test(too_long_a_message_ends_it),
        cmocka_unit_test(audio_that_stops),
        cmocka_unit_test(a_stream_that_breaks),
        cmocka_unit_test(a_good_bye_waits_for_the_hangup),
        cmocka_unit_test(files_are_played_one_behind_the_other),
        cmocka_unit_test(an_interruption_silences_files),
        cmocka_unit_test(a_gap_makes_the_first_piece_longer),
        cmocka_unit_test(pieces_nobody_plays_are_bounded),
        cmocka_unit_test(the_edition_is_found_out),
        cmocka_unit_test(unicast_plays_and_takes_over),
        cmocka_unit_test(without_udp_it_goes_by_files),
        cmocka_unit_test(a_call_born_of_its_stream),
        cmocka_unit_test(unicast_is_asked_for_once),
        cmocka_unit_test(jambonz_takes_frames),
        cmocka_unit_test(drachtios_fork_writes_files),
        cmocka_unit_test(a_released_channel_has_no_stream),
        cmocka_unit_test(closed_before_the_answer_it_is_stopped),
        cmocka_unit_test(what_was_refused_is_not_stopped),
        cmocka_unit_test(a_stream_of_the_dialplan_is_followed_by_one_of_ours),
        cmocka_unit_test(the_probe_waits_for_its_subscription),
        cmocka_unit_test(without_control_it_is_released_at_once),
        cmocka_unit_test(closing_in_any_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
