/**
 * tests/fakes/fake.h: inside of esl_fake, a FreeSWITCH Event Socket that is none. It shares no line
 * with src/, so that a mistake of ours is not made twice. One thread, one epoll.
 *
 *     esl_fake.c      options, main
 *     fake_loop.c     epoll, timers, growing bytes, uuids
 *     fake_inbound.c  port 8021: accept, framing of commands, the rude modes
 *     fake_command.c  auth, event, filter, sendmsg …
 *     fake_api.c      api and bgapi, jobs
 *     fake_channel.c  channels, originate, hangup
 *     fake_event.c    an event and its three formats
 *     fake_listen.c   who wants which event: subscriptions and filters
 *     fake_text.c     escapes and FreeSWITCH's way to split arguments
 *     fake_blast.c    a recorded stream as fast as the socket takes it
 *     fake_dial.c     FreeSWITCH's outbound side as a load generator
 */
#ifndef ESL_FAKE_H
#define ESL_FAKE_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

enum { UUID_LEN = 36, EVENT_HEADERS_MAX = 400, EVENT_TYPES_MAX = 128, ARGS_MAX = 64 };

enum format { PLAIN, JSON, XML, FORMATS };

struct options {
    const char *host, *password, *user, *allow_api; /* user: user@domain; allow_api: NULL is all */
    int port;
    int ring_ms, drop_after_ms;
    bool refuse_acl, silent, not_freeswitch, half_open;
    const char *blast;             /* file */
    long count, chunk, blast_rate; /* blast_rate [events/s]; 0: as fast as it goes */
    enum format format;
    const char *dial, *connect_reply; /* host:port, file */
    long sessions, inflight, hold_ms, rate;
};
extern struct options opt;

/* ---- fake_loop.c ---------------------------------------------------------------------------- */

/** Growing bytes; out of memory ends the program. */
struct bytes {
    char *p;
    size_t len, cap;
};
char *bytes_room(struct bytes *b, size_t n); /**< room for n more at the end; add to len yourself */
void bytes_add(struct bytes *b, const void *p, size_t n);
void bytes_addz(struct bytes *b, const char *z);
void bytes_addf(struct bytes *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void bytes_addu(struct bytes *b, uint64_t n); /**< in decimal */
void bytes_drop(struct bytes *b, size_t n);   /**< the first n */
void bytes_free(struct bytes *b);

struct watch {
    int fd;
    void (*on_ready)(struct watch *, uint32_t events);
};
void watch_start(struct watch *w, uint32_t events);
void watch_change(struct watch *w, uint32_t events);

struct timer {
    struct timer *prev, *next;
    uint64_t due_us;
    void (*on_fire)(struct timer *);
};
void timer_start(struct timer *t, uint64_t after_us, void (*on_fire)(struct timer *));
void timer_stop(struct timer *t); /**< also when it does not run */

void loop_run(void (*after_turn)(void)); /**< until loop_end() or SIGTERM */
void loop_end(void);
uint64_t loop_now(void); /**< monotonic, read once per turn [us] */
uint64_t clock_us(void); /**< monotonic, read now [us] */
uint64_t wall_us(void);  /**< since 1970, read once per turn [us] */
void uuid_make(char out[UUID_LEN + 1]);
void die(const char *what); /**< with errno's text */
void *zalloc(size_t n);
char *copy_of(const char *z);
char *read_file(const char *path, size_t *ret_len);
int listen_on(const char *host, int port, int *ret_port);

/* ---- fake_event.c --------------------------------------------------------------------------- */

/** Where in FreeSWITCH an event comes from; the rendered head is kept for as long as it holds. */
struct origin {
    const char *type, *file, *function;
    int line;
    int type_known; /* of fake_listen.c; 0: not looked up yet */
    struct {
        uint64_t stamp;
        size_t len;
        char text[1024];
    } head[FORMATS];
};

struct event {
    struct origin *from;
    size_t base_at; /* headers in front of Event-Name */
    size_t count;
    struct {
        const char *name, *value;
    } h[EVENT_HEADERS_MAX];
    const char *body;
    size_t body_len;
    uint64_t sequence;
    bool rendered[FORMATS];
    size_t used;
    char text[65536]; /* of event_addf */
};

/** The one event in work. */
struct event *event_start(struct origin *from);
void event_base_here(struct event *ev); /**< what was added so far stands before Event-Name */
void event_add(struct event *ev, const char *name, const char *value); /**< borrowed until fired */
void event_addf(struct event *ev, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
const char *event_get(const struct event *ev, const char *name); /**< NULL: none */
/** The message (headers, blank line, event); valid until the next event_start(). */
const struct bytes *event_render(struct event *ev, enum format format);
void event_body_text(struct event *ev, struct bytes *out); /**< plain text without message head */
void event_fire(struct event *ev);                         /**< to every connection that wants it */
const char *core_uuid(void);

/* ---- fake_text.c ---------------------------------------------------------------------------- */

void encode_percent(struct bytes *out, const char *z);
void encode_json(struct bytes *out, const char *p, size_t n);
void encode_xml(struct bytes *out, const char *p, size_t n);
/** Split in place as FreeSWITCH does, each part unescaped. @return parts, at most max */
size_t split_args(char *z, char delim, char *out[], size_t max);

/* ---- fake_listen.c -------------------------------------------------------------------------- */

struct filter {
    struct filter *next;
    char *name, *value;
    bool negative, is_regex;
    regex_t regex;
};
struct subclass {
    struct subclass *next;
    char name[];
};

struct listen {
    bool all, on, wanted[EVENT_TYPES_MAX];
    struct subclass *subclasses;
    struct filter *filters;
    char bound[UUID_LEN + 1]; /* myevents */
};
/** @return false when no word was known */
bool listen_change(struct listen *l, char *words, bool on);
void listen_bind(struct listen *l, const char *uuid); /**< myevents; "" ends it */
void listen_none(struct listen *l);
/** Whatever its headers would be. */
bool listen_wants_type(const struct listen *l, const char *type);
bool listen_wants(const struct listen *l, const struct event *ev);
void filter_add(struct listen *l, const char *name, const char *value);
void filter_delete(struct listen *l, const char *name, const char *value); /**< name "all" */
void listen_free(struct listen *l);

/* ---- fake_inbound.c ------------------------------------------------------------------------- */

struct conn {
    struct watch watch;
    struct conn *prev, *next;
    uint64_t id;
    struct bytes in, out, events; /* events wait until the commands at hand are answered */
    size_t out_at;
    uint32_t watched; /* what epoll was asked for */
    bool authed, dead;
    bool blocked; /* an `api` takes its time */
    bool leaving; /* farewell when all jobs are done; eof: the peer said its last word */
    bool eof, mute, deaf;
    unsigned jobs; /* running; the end of the connection waits for them */
    enum format format;
    int log_level; /* -1: none */
    struct listen listen;
    const char *allow_api;
    struct blast *blast;
};
extern struct conn *conns;
extern unsigned listeners; /**< connections that wait for any event */

void inbound_start(void);
void inbound_after_turn(void);
struct conn *conn_find(uint64_t id);
void conn_resume(struct conn *c);  /**< after `blocked` was taken away */
void conn_goodbye(struct conn *c); /**< notice, then close when all is sent */
void conn_kill(struct conn *c);    /**< close now, without a word */
void reply(struct conn *c, const char *text);
void replyf(struct conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void api_response(struct conn *c, const char *p, size_t n);

/* ---- fake_command.c, fake_api.c ------------------------------------------------------------- */

/** One command: its first line, its further headers (NULL: none), its body. Terminated, writable.
 */
void command_run(struct conn *c, char *line, char *headers, char *body);
/** Value of a header of a command, "" when absent; the text is copied to `out`. */
bool command_header(const char *headers, const char *name, char *out, size_t room);

/** Who waits for the output of an API command. */
struct waiter {
    bool job;
    char uuid[UUID_LEN * 4 + 1];
    uint64_t conn_id;
    char *command, *arg; /* owned */
};
void api_run(struct conn *c, char *text, const char *job_uuid); /**< job_uuid NULL: `api` */
/** Give the output to who waits. Frees what the waiter owns. */
void waiter_done(struct waiter *w, const char *p, size_t n);
void log_line(int level, const char *text); /**< to connections with `log` */

/* ---- fake_channel.c ------------------------------------------------------------------------- */

struct variable {
    struct variable *next;
    char *name, *value;
};
struct channel {
    struct channel *next; /* of all */
    char uuid[UUID_LEN + 1], name[256], number[128], caller_name[256], caller_number[128];
    char app[64], app_arg[512]; /* what runs after the answer */
    struct variable *variables;
    uint64_t created_us, answered_us, hungup_us; /* wall */
    unsigned session;
    const char *cause; /* what ends the ringing; NULL: answer */
    char hangup_cause[64];
    bool endless, hold; /* endless: rings until it is killed */
    struct timer timer;
    struct waiter waiter; /* originate */
    bool waiting;
};
extern struct channel *channels;

/** `originate` arguments, writable. @return false: `error` says why, nothing was started */
bool channel_originate(char *args, const struct waiter *w, char error[128]);
struct channel *channel_find(const char *uuid);
void channel_hangup(struct channel *ch, const char *cause);
void channel_execute(struct channel *ch, const char *app, const char *arg, const char *uuid);
void channel_set(struct channel *ch, const char *name, const char *value); /**< "" deletes */
const char *channel_get(const struct channel *ch, const char *name);       /**< NULL: none */
void channel_event(struct channel *ch, struct origin *from); /**< fire one without more headers */
void channel_headers(struct channel *ch, struct event *ev);
void channel_dump(struct channel *ch, struct bytes *out);

/* ---- fake_blast.c, fake_dial.c -------------------------------------------------------------- */

void blast_load(void);
void blast_start(struct conn *c);
/** @return bytes to write now, 0 when all is sent */
size_t blast_next(struct conn *c, const char **ret_p);
/** Rest of the message under way: nothing else may go out before it. */
size_t blast_rest(struct conn *c, const char **ret_p);
void blast_sent(struct conn *c, size_t n);
void blast_stop(struct conn *c);

void dial_start(void);
void dial_after_turn(void);

#endif
