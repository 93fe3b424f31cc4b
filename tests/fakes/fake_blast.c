/* A recorded stream of events, over and over until enough are sent. Nothing is made while it runs:
 * the pieces written are pieces of the file in memory. */
#include "fake.h"

struct blast {
    size_t at;                  /* in the file */
    size_t left;                /* bytes of all rounds */
    size_t next;                /* index of the message that is under way */
    size_t done;                /* messages sent whole */
    uint64_t began_us, late_us; /* late: the worst so far */
};

static char *stream;
static size_t stream_len, total, messages;
static size_t *ends; /* where each message ends */

/* Bytes of the message at `at`; 0 when it is not whole. */
static size_t message_len(size_t at)
{
    const char *p = stream + at, *blank = strstr(p, "\n\n");
    const char *length = strstr(p, "Content-Length: ");
    if (!blank || !length || length > blank)
        return 0;
    size_t n = (size_t)(blank + 2 - p) + strtoul(length + 16, NULL, 10);
    return n <= stream_len - at ? n : 0;
}

void blast_load(void)
{
    size_t events = 0, at = 0, n;
    char kind[64];
    stream = read_file(opt.blast, &stream_len);
    (void)snprintf(kind, sizeof(kind), "text/event-%s", opt.format == JSON ? "json" : "plain");
    if (!strstr(stream, kind)) {
        (void)fprintf(stderr, "esl_fake: %s holds no %s\n", opt.blast, kind);
        exit(2);
    }
    while (at < stream_len && (n = message_len(at))) {
        bool full = !(events & (events - 1)); /* room for a power of two */
        if (full && !(ends = realloc(ends, (events ? 2 * events : 1) * sizeof(*ends))))
            die("memory");
        at += n;
        ends[events++] = at;
    }
    if (!events) {
        (void)fprintf(stderr, "esl_fake: %s holds no message\n", opt.blast);
        exit(2);
    }
    stream_len = at;
    messages = events;
    size_t want = opt.count ? (size_t)opt.count : events;
    total = want / events * stream_len + (want % events ? ends[want % events - 1] : 0);
}

/* What is written is written after each turn: one a millisecond is enough for any rate. */
static struct timer tick;
static void on_tick(struct timer *t)
{
    timer_start(t, 1000, on_tick);
}

void blast_start(struct conn *c)
{
    if (c->format != opt.format)
        (void)fprintf(stderr, "esl_fake: the client asked for another format than --format\n");
    if (c->blast)
        return;
    c->blast = zalloc(sizeof(*c->blast));
    c->blast->left = total;
    c->blast->began_us = loop_now();
    if (opt.blast_rate)
        on_tick(&tick);
}

/* Since the message under way should have been sent. */
static uint64_t late_us(const struct blast *b)
{
    uint64_t due = b->began_us + (uint64_t)b->done * 1000000 / (uint64_t)opt.blast_rate;
    uint64_t now = clock_us();
    return b->left && now > due ? now - due : 0;
}

/* Where in the file the last message ends whose time has come. */
static size_t due_end(const struct blast *b)
{
    uint64_t us = loop_now() - b->began_us;
    size_t due = 1 + (size_t)(us * (uint64_t)opt.blast_rate / 1000000);
    if (due <= b->done)
        return b->at;
    size_t last = b->next + (due - b->done) - 1;
    return ends[last < messages ? last : messages - 1];
}

size_t blast_next(struct conn *c, const char **ret_p)
{
    struct blast *b = c->blast;
    size_t n = (size_t)opt.chunk;
    size_t end = opt.blast_rate ? due_end(b) : stream_len;
    if (n > end - b->at)
        n = end - b->at;
    if (n > b->left)
        n = b->left;
    *ret_p = stream + b->at;
    return n;
}

size_t blast_rest(struct conn *c, const char **ret_p)
{
    struct blast *b = c->blast;
    bool between = !b || b->at == (b->next ? ends[b->next - 1] : 0);
    *ret_p = between ? NULL : stream + b->at;
    return between ? 0 : ends[b->next] - b->at;
}

void blast_sent(struct conn *c, size_t n)
{
    struct blast *b = c->blast;
    b->left -= n;
    b->at += n;
    while (b->next < messages && b->at >= ends[b->next]) {
        uint64_t late = opt.blast_rate ? late_us(b) : 0;
        if (late > b->late_us)
            b->late_us = late;
        b->next++;
        b->done++;
    }
    if (b->at == stream_len)
        b->at = b->next = 0;
}

void blast_stop(struct conn *c)
{
    struct blast *b = c->blast;
    if (b && opt.blast_rate) {
        uint64_t late = late_us(b);
        (void)printf("blast %zu late_ms %.1f\n", b->done,
                     (double)(late > b->late_us ? late : b->late_us) / 1000);
        (void)fflush(stdout);
    }
    free(c->blast);
    c->blast = NULL;
}
