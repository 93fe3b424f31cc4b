/**
 * app/esl_out.h: output that never makes the loop wait. A terminal that is stopped (Ctrl-S) or a
 * slow pipe must not keep us from reading the socket: FreeSWITCH would hold back the events of all
 * its listeners (esl.md fact 1). What does not go out waits here, bounded; beyond it whole pieces
 * are dropped and counted.
 */
#ifndef VA_APP_ESL_OUT_H
#define VA_APP_ESL_OUT_H

#include "base/buf.h"
#include "net/loop.h"

enum { ESL_OUT_MAX = 32 << 20 };

struct esl_out {
    struct loop *loop;
    struct tmr tmr;  /* writes on the next turn */
    uv_poll_t *poll; /* tells when there is room again; NULL: the descriptor is not ours */
    struct buf waiting;
    size_t at;        /* of `waiting`: this much went out */
    uint64_t dropped; /**< pieces */
    int fd;
    bool own_fd, broken;                            /**< broken: the reader went away */
    void (*before)(void *arg), (*after)(void *arg); /**< around each burst; may be NULL */
    void *arg;
};

void esl_out_open(struct esl_out *o, struct loop *loop, int fd);
/** Add a piece (whole lines); it goes out soon. */
void esl_out_add(struct esl_out *o, struct str piece);
/** Write what waits and `piece`, however long it takes. For answers a user waits for. */
void esl_out_now(struct esl_out *o, struct str piece);
/** Writes what waits for at most a second. */
void esl_out_close(struct esl_out *o);

#endif
