/** net/loop_int.h: inside of struct loop, for net/ only. */
#ifndef VA_NET_LOOP_INT_H
#define VA_NET_LOOP_INT_H

#include "net/loop.h"

/** What goes on after its owner released it (last words of a connection). loop_free() ends it. */
struct loop_rest {
    struct link link;
    void (*end)(struct loop_rest *rest);
};

struct loop {
    uv_loop_t *uv;
    uv_loop_t own;
    bool owns_uv;
    const struct va_clock *clock;

    uv_poll_t wake; /* of wake_fd */
    int wake_fd;    /* an eventfd: written when the mailbox gets its first mail */
    uv_timer_t timer;
    uv_idle_t soon;     /* instead of it when the next timer is due already */
    bool turning;       /* in loop_turn() */
    bool over;          /* loop_run() shall return */
    uint64_t pace_us;   /* least time between two turns; 0: none */
    uint64_t turned_us; /* when the last one began to be waited for */
    unsigned open_handles;
    unsigned errands; /* of other threads, who will post: look-ups */

    uv_mutex_t lock; /* guards box_*, stopping, refused */
    struct mail *box_first, *box_last;
    size_t box_count, box_max;
    uint64_t refused;
    bool stopping;

    struct tmr **heap;
    size_t heap_len, heap_cap;
    uint64_t tmr_order;

    struct list kept;

    struct list rests;
    char *scratch;
};

/** Fire what is due and arm the uv timer for the next one. */
void loop_timers_turn(struct loop *loop);

/** Another thread will post for what begins here: until it ends the loop has something to wait for.
 */
void loop_errand(struct loop *loop, bool begins);

#endif
