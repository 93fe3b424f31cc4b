/**
 * esl/queue.h: events that arrived and wait for handlers that are slower than FreeSWITCH. Bounded;
 * replies and what ends our own waiters never wait in it. Source: esl.md fact 1, §5 case 19.
 */
#ifndef VA_ESL_QUEUE_H
#define VA_ESL_QUEUE_H

#include "esl/types.h"

/** What goes when the queue is full. */
enum esl_drop {
    ESL_DROP_OLDEST, /**< the oldest ordinary event makes room: handlers see the present */
    ESL_DROP_NEWEST  /**< the one that came: handlers see an unbroken past */
};

/**
 * Control events (of the life and end of channels: CHANNEL_CREATE, _ANSWER, _BRIDGE, _UNBRIDGE,
 * _EXECUTE_COMPLETE, _HANGUP, _HANGUP_COMPLETE, _DESTROY, BACKGROUND_JOB, SHUTDOWN …) have a share
 * of their own on top and are dropped only when that is full too.
 */
struct esl_queue_cfg {
    size_t bytes_max;         /**< for ordinary events; 0: 16 MiB */
    size_t control_bytes_max; /**< on top, for control events; 0: 16 MiB */
    enum esl_drop drop;
    uint64_t slice_us; /**< handlers run this long before the socket is read again, and at least one
                        *   event; eight times as long when 64 events took less; 0: 2000 */
};

struct esl_queue_stats {
    size_t events, bytes; /**< waiting now */
    size_t bytes_peak;
    uint64_t queued;  /**< that had to wait */
    uint64_t dropped; /**< ordinary */
    uint64_t dropped_control;
};

#endif
