/** esl/conn_int.h: inside of struct esl_conn, for conn*.c only. */
#ifndef VA_ESL_CONN_INT_H
#define VA_ESL_CONN_INT_H

#include "esl/conn.h"
#include "esl/queue_int.h"

enum { CONN_FIRST = 48 };

struct esl_conn {
    struct loop *loop;
    struct tcp_conn *tcp; /* NULL when it ended */
    struct esl_parser *parser;
    struct esl_event *ev;
    const struct esl_conn_handlers *h;
    void *arg;
    size_t window, pending_max, jobs_max, out_max;
    uint64_t reply_ms;
    struct list slots;  /* sent: each waits for its answer, in order */
    struct list unsent; /* behind the window, in order */
    size_t sent, unsent_count, unsent_bytes;
    struct buf out; /* written in callbacks, sent when the last of them returns */
    struct esl_waiters jobs;
    struct esl_queue queue;
    uint64_t slice_end_us, rx_us;
    struct tmr drain;  /* runs while the queue holds events */
    struct tmr broken; /* a write failed inside a request: end on the next turn */
    enum esl_why broken_why;
    unsigned depth;
    bool opened;
    bool greet;         /* the first bytes must be FreeSWITCH's */
    bool ended, closed; /* no more bytes; released by its owner */
    enum esl_why why;   /* of the end, while events are still handed out */
    enum va_err io_err;
    char first[CONN_FIRST];
    size_t first_len;
    struct esl_conn_stats stats;
};

/** The first slot's answer came. */
void esl_conn_on_answer(struct esl_conn *c, const struct esl_message *m);
/** Send what was held back in callbacks. */
void esl_conn_flush(struct esl_conn *c);
/** Send what waits behind the window, all of it: nobody will be there to send it later. */
void esl_conn_send_rest(struct esl_conn *c);
/** Every request ends with `why`. */
void esl_conn_end_requests(struct esl_conn *c, enum esl_why why);
/** Forget every request without a word. */
void esl_conn_clear_requests(struct esl_conn *c);
void esl_conn_on_job(struct esl_conn *c);

#endif
