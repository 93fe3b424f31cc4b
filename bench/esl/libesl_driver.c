/*
 * The official C library as a peer. Built by bench/esl.sh when LIBESL names its folder.
 *
 * It reads with the blocking call: the one with a timeout counts all buffered packets each time.
 *
 *     libesl_driver events PORT FORMAT LEVEL COUNT | bgapi PORT WINDOW COUNT | outbound PORT [hold]
 *     libesl_driver slow PORT FORMAT BUSY_US SECONDS COUNT
 */
#include "driver.h"

#include <esl.h>

static uint64_t mix(uint64_t sum, const char *z)
{
    return z ? mix_bytes(sum, z, strlen(z)) : sum;
}

static uint64_t look(esl_event_t *ev, int level)
{
    uint64_t sum = 0;
    if (level == 1) {
        sum = mix(sum, esl_event_get_header(ev, "Event-Name"));
        sum = mix(sum, esl_event_get_header(ev, "Unique-ID"));
        return mix(sum, esl_event_get_header(ev, "variable_sip_call_id"));
    }
    for (esl_event_header_t *h = ev->headers; h; h = h->next)
        sum = mix(mix(sum, h->name), h->value);
    return mix(sum, ev->body);
}

static void events(esl_handle_t *h, const char *format, int level, long count)
{
    uint64_t sum = 0;
    long seen = 0, rss;
    double w = wall(), c = cpu(&rss);
    (void)esl_events(h, strcmp(format, "json") ? ESL_EVENT_TYPE_PLAIN : ESL_EVENT_TYPE_JSON, "ALL");
    while (seen < count && esl_recv_event(h, 1, NULL) == ESL_SUCCESS) {
        if (!h->last_ievent)
            continue;
        sum += look(h->last_ievent, level);
        seen++;
    }
    w = wall() - w;
    c = cpu(&rss) - c;
    printf("{\"events\":%ld,\"sum\":%llu,\"wall_s\":%.6f,\"cpu_s\":%.6f,\"rss_kb\":%ld}\n", seen,
           (unsigned long long)sum, w, c, rss);
}

/* The job's number stands in front of its Job-UUID. */
static void send_job(esl_handle_t *h, long i, double *took)
{
    char command[128];
    (void)snprintf(command, sizeof(command),
                   "bgapi status\nJob-UUID: %08lx-0000-4000-8000-000000000000\n\n", i);
    took[i] = wall();
    (void)esl_send(h, command);
}

static void bgapi(esl_handle_t *h, long window, long count)
{
    double *took = calloc((size_t)count, sizeof(*took));
    long sent = 0, done = 0, rss;
    double w = wall(), c = cpu(&rss);
    if (!took)
        return;
    (void)esl_events(h, ESL_EVENT_TYPE_PLAIN, "BACKGROUND_JOB");
    while (sent < window && sent < count)
        send_job(h, sent++, took);
    while (done < count && esl_recv_event(h, 1, NULL) == ESL_SUCCESS && wall() - w < 60) {
        esl_event_t *ev = h->last_ievent;
        const char *uuid = ev && ev->event_id == ESL_EVENT_BACKGROUND_JOB
                               ? esl_event_get_header(ev, "Job-UUID")
                               : NULL;
        long i = uuid ? strtol(uuid, NULL, 16) : count;
        if (i >= count)
            continue;
        took[i] = wall() - took[i];
        done++;
        if (sent < count)
            send_job(h, sent++, took);
    }
    w = wall() - w;
    c = cpu(&rss) - c;
    sort_times(took, done);
    printf("{\"rt\":%ld,\"wall_s\":%.6f,\"cpu_s\":%.6f,\"p50_us\":%.0f,\"p99_us\":%.0f,"
           "\"rss_kb\":%ld}\n",
           done, w, c, share_us(took, done, 50), share_us(took, done, 99), rss);
    free(took);
}

/* An `api status` every 10 ms from a handler that takes its time; answers come in order. */
static void slow(esl_handle_t *h, const char *format, long busy_us, double seconds, long count)
{
    enum { ASK_MS = 10, ASKS_MAX = 100000 };
    static double took[ASKS_MAX];
    long handled = 0, asked = 0, answered = 0, rss;
    double from = wall(), next = from, c = cpu(&rss);
    static const char names[] = "CHANNEL_ANSWER CHANNEL_CALLSTATE CHANNEL_CREATE CHANNEL_HANGUP";
    (void)esl_events(h, strcmp(format, "json") ? ESL_EVENT_TYPE_PLAIN : ESL_EVENT_TYPE_JSON, names);
    while (handled < count && wall() - from < seconds &&
           esl_recv_event(h, 0, NULL) == ESL_SUCCESS) {
        const char *type = esl_event_get_header(h->last_event, "content-type");
        if (type && strcmp(type, "api/response") == 0 && answered < asked) {
            took[answered] = wall() - took[answered];
            answered++;
        } else if (h->last_ievent) {
            be_busy(busy_us);
            handled++;
        }
        if (wall() >= next && asked < ASKS_MAX) {
            next = wall() + ASK_MS / 1e3;
            took[asked++] = wall();
            (void)esl_send(h, "api status\n\n");
        }
    }
    sort_times(took, answered);
    c = cpu(&rss) - c;
    printf("{\"handled\":%ld,\"asked\":%ld,\"answered\":%ld,\"p50_us\":%.0f,\"p99_us\":%.0f,"
           "\"wall_s\":%.3f,\"cpu_s\":%.3f,\"rss_kb\":%ld}\n",
           handled, asked, answered, share_us(took, answered, 50), share_us(took, answered, 99),
           wall() - from, c, rss);
}

static void on_call(esl_socket_t server, esl_socket_t client, struct sockaddr_in *addr, void *hold)
{
    esl_handle_t *h = calloc(1, sizeof(*h));
    (void)server;
    if (!h || esl_attach_handle(h, client, addr) != ESL_SUCCESS) {
        free(h);
        return;
    }
    if (hold) { /* until the other side closes */
        while (esl_recv_event(h, 1, NULL) == ESL_SUCCESS)
            ;
    } else {
        (void)esl_send_recv(h, "api status\n\n");
        (void)esl_send_recv(h, "exit\n\n");
    }
    (void)esl_disconnect(h);
    free(h);
}

int main(int argc, char **argv)
{
    static esl_handle_t h;
    long port = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    if (argc < 3)
        return 2;
    esl_global_set_default_logger(0);
    if (strcmp(argv[1], "outbound") == 0) {
        puts("ready");
        (void)fflush(stdout);
        return (int)esl_listen_threaded("127.0.0.1", (esl_port_t)port, on_call,
                                        argc > 3 ? &h : NULL, 100000);
    }
    if (esl_connect(&h, "127.0.0.1", (esl_port_t)port, NULL, "ClueCon") != ESL_SUCCESS)
        return 1;
    if (strcmp(argv[1], "events") == 0 && argc > 5)
        events(&h, argv[3], (int)strtol(argv[4], NULL, 10), strtol(argv[5], NULL, 10));
    else if (strcmp(argv[1], "slow") == 0 && argc > 6)
        slow(&h, argv[3], strtol(argv[4], NULL, 10), strtod(argv[5], NULL),
             strtol(argv[6], NULL, 10));
    else if (argc > 4)
        bgapi(&h, strtol(argv[3], NULL, 10), strtol(argv[4], NULL, 10));
    return 0;
}
