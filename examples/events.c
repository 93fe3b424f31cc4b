/* Follow calls for ever, on an event loop, across restarts of FreeSWITCH:   events [PORT] */
#include <esl/esl.h>
#include <stdio.h>
#include <stdlib.h>

static void on_ready(void *arg, bool again)
{
    (void)arg;
    fprintf(stderr, "%s\n", again ? "connected again: read the state anew" : "connected");
}

static void on_down(void *arg, const struct esl_down *down)
{
    (void)arg;
    fprintf(stderr, "%s\n", down->text);
}

static void on_event(void *arg, const struct esl_event *ev)
{
    (void)arg;
    struct str name = esl_event_name(ev), uuid = esl_event_uuid(ev);
    struct str to = esl_event_get(ev, "Caller-Destination-Number");
    printf("%.*s %.*s %.*s\n", STR_ARG(name), STR_ARG(uuid), STR_ARG(to));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct esl_client_cfg cfg = {.port = (uint16_t)(argc > 1 ? strtol(argv[1], NULL, 10) : 8021)};
    struct esl_client_handlers h = {.on_ready = on_ready, .on_down = on_down, .on_event = on_event};
    struct esl_client *fs = NULL;
    struct loop *loop = NULL;
    if (esl_loop_new(NULL, &loop) || esl_client_open(loop, &cfg, &h, NULL, &fs) ||
        esl_client_subscribe(fs, str_of("CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_HANGUP"), NULL,
                             NULL))
        return 2;
    esl_loop_run(loop);
    return 0;
}
