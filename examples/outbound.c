/* Take calls of the dialplan line  <action application="socket" data="HOST:8022 async full"/>
 * answer, play, hang up:   outbound [PORT] */
#include <esl/esl.h>
#include <stdio.h>
#include <stdlib.h>

struct call {
    struct esl_session *session;
};

static void on_played(void *arg, const struct esl_result *r)
{
    struct call *call = arg;
    if (r->done && !r->err && esl_session_hangup(call->session, NULL, NULL))
        fprintf(stderr, "cannot hang up\n");
}

static void on_connected(void *arg, const struct esl_event *data)
{
    struct call *call = arg;
    struct esl_execute answer = {.app = "answer"};
    struct esl_execute play = {.app = "playback", .arg = str_of("tone_stream://%(500,0,440)")};
    struct str from = esl_event_get(data, "Caller-Caller-ID-Number");
    printf("call from %.*s\n", STR_ARG(from));
    if (esl_session_myevents(call->session, ESL_PLAIN, NULL) ||
        esl_session_execute(call->session, &answer, NULL) ||
        esl_session_execute(call->session, &play, &(struct esl_then){on_played, call, 0}))
        fprintf(stderr, "cannot play\n");
}

static void on_closed(void *arg, enum esl_why why)
{
    struct call *call = arg;
    printf("call ended: %s\n", esl_why_text(why));
    fflush(stdout);
    esl_session_close(&call->session);
    free(call);
}

static void *on_session(void *arg, struct esl_session *s, const char *peer)
{
    struct call *call = calloc(1, sizeof(*call));
    (void)arg;
    (void)peer;
    if (call)
        call->session = s;
    else
        esl_session_close(&s); /* the dialplan goes on */
    return call;
}

int main(int argc, char **argv)
{
    struct esl_server_cfg cfg = {.port = (uint16_t)(argc > 1 ? strtol(argv[1], NULL, 10) : 8022)};
    struct esl_server_handlers h = {
        .session = {.on_connected = on_connected, .on_closed = on_closed},
        .on_session = on_session};
    struct esl_server *server = NULL;
    struct loop *loop = NULL;
    struct va_fault fault = {0};
    if (esl_loop_new(NULL, &loop) || esl_server_open(loop, &cfg, &h, NULL, &server, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return 2;
    }
    esl_loop_run(loop);
    return 0;
}
