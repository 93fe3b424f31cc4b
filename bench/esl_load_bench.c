/*
 * The inbound client under bad conditions, for bench/esl.sh:
 *
 *     esl_load_bench slow PORT FORMAT BUSY_US SECONDS COUNT
 *         handlers take BUSY_US of each event, until COUNT of them were handled or dropped
 *     esl_load_bench soak PORT FORMAT SECONDS ROUND
 *         FreeSWITCH goes away again and again; within a connection Event-Sequence counts 1 … ROUND
 *
 * Both ask by `api` all the while, soak also by `bgapi`.
 */
#include "esl/client.h"
#include "esl/driver.h"
#include "esl/event.h"
#include "net/loop.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { ASK_MS = 10, ASKS_MAX = 100000, GRACE_S = 2 };

struct ask {
    struct load *load;
    double at;
};

struct load {
    struct loop *loop;
    struct esl_client *client;
    struct tmr tick;
    bool soak;
    long busy_us, count; /* count: of a round, in soak */
    double from, until, cpu_from;
    long handled, control, lost;
    long asked, answered, failed; /* failed: ended with an error, as when the connection goes */
    long twice;                   /* results that came though nothing was open */
    long doubled, missing, last, connections, empty;
    struct ask asks[ASKS_MAX];
    double took[ASKS_MAX];
};

static void report(struct load *l)
{
    struct esl_client_stats s;
    long rss;
    double c = cpu(&rss) - l->cpu_from;
    esl_client_stats(l->client, &s);
    sort_times(l->took, l->answered < ASKS_MAX ? l->answered : ASKS_MAX);
    (void)printf("{\"handled\":%ld,\"control\":%ld,\"lost\":%ld,\"waiting\":%zu,\"dropped\":%llu,"
                 "\"dropped_control\":%llu,\"queue_peak\":%zu,",
                 l->handled, l->control, l->lost, s.queue.events,
                 (unsigned long long)s.queue.dropped, (unsigned long long)s.queue.dropped_control,
                 s.queue.bytes_peak);
    (void)printf("\"connects\":%llu,\"connections\":%ld,\"empty\":%ld,\"doubled\":%ld,"
                 "\"missing\":%ld,\"unsolicited\":%llu,\"flawed\":%llu,",
                 (unsigned long long)s.connects, l->connections, l->empty, l->doubled, l->missing,
                 (unsigned long long)s.unsolicited, (unsigned long long)s.flawed);
    long n = l->answered < ASKS_MAX ? l->answered : ASKS_MAX;
    (void)printf("\"asked\":%ld,\"answered\":%ld,\"failed\":%ld,\"twice\":%ld,\"p50_us\":%.0f,"
                 "\"p99_us\":%.0f,\"wall_s\":%.3f,\"cpu_s\":%.3f,\"rss_kb\":%ld}\n",
                 l->asked, l->answered, l->failed, l->twice, share_us(l->took, n, 50),
                 share_us(l->took, n, 99), wall() - l->from, c, rss);
    (void)fflush(stdout);
    loop_stop(l->loop);
}

/* ---- asking --------------------------------------------------------------------------------- */

static void on_answer(void *arg, const struct esl_result *r)
{
    struct ask *ask = arg;
    struct load *l = ask->load;
    if (!r->done)
        return;
    if (ask->at <= 0) {
        l->twice++;
        return;
    }
    if (r->err)
        l->failed++;
    else
        l->took[l->answered++ % ASKS_MAX] = wall() - ask->at;
    ask->at = 0;
}

static void ask(struct load *l, bool job)
{
    struct ask *a = &l->asks[l->asked % ASKS_MAX];
    struct esl_then then = {.on_result = on_answer, .arg = a};
    if (a->at > 0)
        return; /* that long nobody answers */
    *a = (struct ask){l, wall()};
    if (job ? esl_client_bgapi(l->client, str_of("status"), &then)
            : esl_client_api(l->client, str_of("status"), &then))
        a->at = 0;
    else
        l->asked++;
}

static void on_tick(void *arg)
{
    struct load *l = arg;
    double now = wall();
    bool open = l->answered + l->failed < l->asked;
    if (now > l->until && (!l->soak || !open || now > l->until + GRACE_S)) {
        report(l);
        return;
    }
    if (now <= l->until && esl_client_connected(l->client)) {
        ask(l, false);
        if (l->soak)
            ask(l, true);
    }
    tmr_start(&l->tick, l->loop, ASK_MS, on_tick, l);
}

/* ---- events --------------------------------------------------------------------------------- */

/* Of the client's promise, told again: what must not be lost. */
static bool is_control(struct str name)
{
    static const char *const names[] = {
        "CHANNEL_CREATE",         "CHANNEL_ANSWER",  "CHANNEL_BRIDGE",
        "CHANNEL_UNBRIDGE",       "CHANNEL_UUID",    "CHANNEL_UNPARK",
        "CHANNEL_HANGUP",         "CHANNEL_DESTROY", "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_HANGUP_COMPLETE"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_eqz(name, names[i]))
            return true;
    }
    return false;
}

static void check_end(struct load *l)
{
    if (!l->soak && l->handled + l->lost == l->count)
        report(l);
}

static void check_sequence(struct load *l, const struct esl_event *ev)
{
    struct str text = esl_event_get(ev, "Event-Sequence");
    char digits[24] = {0};
    memcpy(digits, text.p, text.len < sizeof(digits) - 1 ? text.len : sizeof(digits) - 1);
    long seq = strtol(digits, NULL, 10), want = l->last % l->count + 1;
    l->connections += l->last == 0;
    if (seq >= want) {
        l->missing += seq - want;
    } else {
        l->doubled++;
        return;
    }
    l->last = seq;
}

static void on_event(void *arg, const struct esl_event *ev)
{
    struct load *l = arg;
    l->handled++;
    if (l->soak && str_starts(esl_event_name(ev), "CHANNEL_"))
        check_sequence(l, ev);
    if (is_control(esl_event_name(ev)))
        l->control++;
    be_busy(l->busy_us);
    check_end(l);
}

static void on_lost(void *arg, uint64_t n)
{
    struct load *l = arg;
    l->lost += (long)n;
    check_end(l);
}

static void on_down(void *arg, const struct esl_down *down)
{
    struct load *l = arg;
    if (down->was_ready)
        l->empty += l->last == 0; /* a connection on which nothing came: not subscribed again */
    l->last = 0;
    if (!l->soak)
        report(l);
}

/* Those of the recording; not API, which our own questions raise. */
static const char wanted[] =
    "CHANNEL_ANSWER CHANNEL_BRIDGE CHANNEL_CALLSTATE CHANNEL_CREATE CHANNEL_DESTROY "
    "CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE "
    "CHANNEL_ORIGINATE CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA "
    "CHANNEL_STATE CHANNEL_UNBRIDGE CHANNEL_UNPARK CHANNEL_UUID";

static const struct esl_client_handlers handlers = {
    .on_event = on_event, .on_lost = on_lost, .on_down = on_down};

int main(int argc, char **argv)
{
    struct load *l = calloc(1, sizeof(*l));
    bool slow = argc == 7 && strcmp(argv[1], "slow") == 0;
    if (!l || (!slow && (argc != 6 || strcmp(argv[1], "soak") != 0))) {
        (void)fprintf(stderr,
                      "usage: %s slow PORT FORMAT BUSY_US SECONDS COUNT\n"
                      "       %s soak PORT FORMAT SECONDS ROUND\n",
                      argv[0], argv[0]);
        return 2;
    }
    long rss;
    for (size_t i = 0; i < ASKS_MAX; i++) { /* touched now, so that RSS tells of the client alone */
        l->asks[i].load = l;
        l->took[i] = 1;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* libuv leaves it to the program */
    l->soak = !slow;
    l->busy_us = slow ? strtol(argv[4], NULL, 10) : 0;
    l->count = strtol(argv[slow ? 6 : 5], NULL, 10);
    l->from = wall();
    l->until = l->from + strtod(argv[slow ? 5 : 4], NULL);
    l->cpu_from = cpu(&rss);
    struct esl_client_cfg cfg = {.host = "127.0.0.1",
                                 .port = (uint16_t)strtoul(argv[2], NULL, 10),
                                 .format = strcmp(argv[3], "json") == 0 ? ESL_JSON : ESL_PLAIN,
                                 .reconnect_delay_ms = 20,
                                 .reconnect_max_ms = 100};
    if (loop_new(NULL, 0, &l->loop) || esl_client_open(l->loop, &cfg, &handlers, l, &l->client) ||
        esl_client_subscribe(l->client, str_of(wanted), NULL, NULL)) {
        (void)fprintf(stderr, "cannot start\n");
        return 2;
    }
    tmr_start(&l->tick, l->loop, ASK_MS, on_tick, l);
    loop_run(l->loop);
    tmr_stop(&l->tick);
    esl_client_close(&l->client);
    loop_turn(l->loop, false);
    loop_free(&l->loop);
    free(l);
    return 0;
}
