/*
 * Ours as a peer: the inbound client against the fake Event Socket, for bench/esl.sh.
 *
 *     esl_client_bench events PORT FORMAT LEVEL COUNT | bgapi PORT WINDOW COUNT
 */
#include "esl/client.h"
#include "esl/driver.h"
#include "esl/event.h"
#include "net/loop.h"

#include <stdio.h>
#include <string.h>

struct job {
    struct bench *bench;
    double started;
};

struct bench {
    struct loop *loop;
    struct esl_client *client;
    bool jobs; /* bgapi, else events */
    enum esl_format format;
    int level;
    long count, window;
    long sent, done, lost;
    uint64_t sum;
    double wall, cpu; /* at the start [s] */
    double *took;     /* of each job [s] */
};

static void report(struct bench *b)
{
    long rss;
    double w = wall() - b->wall, c = cpu(&rss) - b->cpu;
    if (b->jobs) {
        sort_times(b->took, b->done);
        (void)printf("{\"rt\":%ld,\"wall_s\":%.6f,\"cpu_s\":%.6f,\"p50_us\":%.0f,\"p99_us\":%.0f,"
                     "\"rss_kb\":%ld}\n",
                     b->done, w, c, share_us(b->took, b->done, 50), share_us(b->took, b->done, 99),
                     rss);
    } else {
        (void)printf("{\"events\":%ld,\"sum\":%llu,\"wall_s\":%.6f,\"cpu_s\":%.6f,"
                     "\"rss_kb\":%ld}\n",
                     b->done, (unsigned long long)b->sum, w, c, rss);
    }
    (void)fflush(stdout);
    loop_stop(b->loop);
}

static uint64_t mix(uint64_t sum, struct str s)
{
    return mix_bytes(sum, s.p, s.len);
}

/* ---- events --------------------------------------------------------------------------------- */

static void check_end(struct bench *b)
{
    if (b->done + b->lost == b->count)
        report(b);
}

static void on_event(void *arg, const struct esl_event *ev)
{
    struct bench *b = arg;
    if (b->jobs)
        return;
    if (b->level == 1) {
        b->sum = mix(b->sum, esl_event_name(ev));
        b->sum = mix(b->sum, esl_event_uuid(ev));
        b->sum = mix(b->sum, esl_event_var(ev, "sip_call_id"));
    } else {
        for (size_t i = 0; i < esl_event_headers(ev); i++) {
            struct str name, value;
            esl_event_header(ev, i, &name, &value);
            b->sum = mix(mix(b->sum, name), value);
        }
        struct str body = esl_event_body(ev);
        if (body.len)
            b->sum = mix(b->sum, body);
    }
    b->done++;
    check_end(b);
}

/* ---- bgapi ---------------------------------------------------------------------------------- */

static void start_job(struct bench *b, struct job *job);

static void on_job(void *arg, const struct esl_result *r)
{
    struct job *job = arg;
    struct bench *b = job->bench;
    if (!r->done)
        return;
    if (!r->err)
        b->took[b->done++] = wall() - job->started;
    if (b->done == b->count || r->err)
        report(b);
    else if (b->sent < b->count)
        start_job(b, job);
}

static void start_job(struct bench *b, struct job *job)
{
    job->bench = b;
    job->started = wall();
    b->sent++;
    if (esl_client_bgapi(b->client, str_of("status"),
                         &(struct esl_then){.on_result = on_job, .arg = job}))
        (void)fprintf(stderr, "bgapi refused\n");
}

/* ---- both ----------------------------------------------------------------------------------- */

static void on_ready(void *arg, bool again)
{
    struct bench *b = arg;
    (void)again;
    long rss;
    b->wall = wall();
    b->cpu = cpu(&rss);
    if (!b->jobs) {
        if (esl_client_subscribe(b->client, str_of("ALL"), NULL, NULL))
            loop_stop(b->loop);
        return;
    }
    struct job *jobs = calloc((size_t)b->window, sizeof(*jobs)); /* goes with the process */
    for (long i = 0; jobs && i < b->window && b->sent < b->count; i++)
        start_job(b, &jobs[i]);
}

static void on_down(void *arg, const struct esl_down *down)
{
    struct bench *b = arg;
    (void)fprintf(stderr, "down: %s\n", down->text);
    report(b);
}

static void on_lost(void *arg, uint64_t n)
{
    struct bench *b = arg;
    b->lost += (long)n;
    check_end(b);
}

static const struct esl_client_handlers handlers = {
    .on_ready = on_ready, .on_event = on_event, .on_down = on_down, .on_lost = on_lost};

static bool arguments(struct bench *b, int argc, char **argv)
{
    b->jobs = argc == 5 && strcmp(argv[1], "bgapi") == 0;
    if (!b->jobs && (argc != 6 || strcmp(argv[1], "events") != 0))
        return false;
    if (b->jobs) {
        b->window = strtol(argv[3], NULL, 10);
        b->count = strtol(argv[4], NULL, 10);
        b->took = calloc((size_t)b->count + 1, sizeof(*b->took));
        return b->took != NULL;
    }
    b->format = strcmp(argv[3], "json") == 0 ? ESL_JSON : ESL_PLAIN;
    b->level = (int)strtol(argv[4], NULL, 10);
    b->count = strtol(argv[5], NULL, 10);
    return true;
}

int main(int argc, char **argv)
{
    struct bench b = {.format = ESL_PLAIN};
    if (!arguments(&b, argc, argv)) {
        (void)fprintf(stderr,
                      "usage: %s events PORT FORMAT LEVEL COUNT | bgapi PORT WINDOW COUNT\n",
                      argv[0]);
        return 2;
    }
    struct esl_client_cfg cfg = {.host = "127.0.0.1",
                                 .port = (uint16_t)strtoul(argv[2], NULL, 10),
                                 .format = b.format,
                                 .window = (size_t)b.window};
    if (loop_new(NULL, 0, &b.loop) || esl_client_open(b.loop, &cfg, &handlers, &b, &b.client)) {
        (void)fprintf(stderr, "cannot start\n");
        return 2;
    }
    loop_run(b.loop);
    esl_client_close(&b.client);
    free(b.took);
    return 0;
}
