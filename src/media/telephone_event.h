/**
 * media/telephone_event.h: digits in RTP (RFC 4733): hearing each exactly once, whatever is lost or
 * sent twice, and sending them.
 *
 *     ts 20480: [5 ·160][5 ·320] … [5 E 2080][5 E 2080][5 E 2080]   one digit: one STARTED, one
 * ENDED
 *
 * Pure: time comes in as an argument. One thread per object.
 */
#ifndef VA_MEDIA_TELEPHONE_EVENT_H
#define VA_MEDIA_TELEPHONE_EVENT_H

#include "base/err.h"
#include "media/rtp.h"

enum {
    TELEPHONE_EVENT_BYTES = 4,
    TELEPHONE_EVENT_SILENT_MS =
        150,                    /**< no packet for so long: the end was lost (RFC 4733 §2.5.2.2) */
    TELEPHONE_EVENT_QUEUE = 32, /**< digits waiting to be sent */
    TELEPHONE_EVENT_MS = 160,   /**< default duration, above FreeSWITCH's least of 50 */
    TELEPHONE_EVENT_MIN_MS = 40, /**< shorter is not a digit (ITU-T Q.24) */
    TELEPHONE_EVENT_MAX_MS = 8000,
    TELEPHONE_EVENT_PAUSE_MS = 60, /**< least pause between digits */
    TELEPHONE_EVENT_VOLUME = 10    /**< sent level [−dBm0] */
};

/** One block of a payload (§2.3). */
struct telephone_event {
    uint8_t event; /**< 0 … 15 are DTMF, 16 is flash */
    bool end;
    uint8_t volume;    /**< −dBm0, 0 … 63 */
    uint16_t duration; /**< RTP units since the timestamp */
};

/** Blocks of 4 bytes. @return VA_OK, VA_EPROTO (length), VA_ENOTFOUND (`at` is behind the end) */
VA_CHECK enum va_err telephone_event_read(const uint8_t *p, size_t len, size_t at,
                                          struct telephone_event *ret_event);
void telephone_event_write(const struct telephone_event *event,
                           uint8_t out[static TELEPHONE_EVENT_BYTES]);

/** Digit of an event, or 0 when it is none. */
char telephone_event_digit(uint8_t event);

/* ---- hearing --------------------------------------------------------------------------------- */

struct telephone_event_handlers {
    /** Once per event, at its first packet that came. `digit` is 0 for events that are none. */
    void (*on_start)(void *arg, uint8_t event, char digit);
    /** Once per on_start, before the next one; by time when every end packet was lost. May be NULL.
     */
    void (*on_end)(void *arg, uint8_t event, char digit, uint32_t duration_ms);
};

/** Open value; zero it by telephone_event_rx_init(). */
struct telephone_event_rx {
    uint32_t clock_hz;
    const struct telephone_event_handlers *handlers;
    void *arg;
    bool any;     /**< there was an event; what follows is about it */
    bool running; /**< its end has not come */
    uint8_t event;
    uint32_t generation;
    int64_t last_seq;
    int64_t timestamp;    /**< of its current segment [RTP units] */
    uint32_t before;      /**< duration of the segments before [RTP units] */
    uint32_t duration;    /**< of the current one */
    uint64_t due_us;      /**< when telephone_event_rx_poll() is worth a call; UINT64_MAX: never */
    uint64_t events;      /**< heard */
    uint64_t lost_ends;   /**< ended by time or by the next one */
    uint64_t old, broken; /**< packets without effect, packets of wrong length */
};

/** @param handlers  Borrowed; on_start is required */
void telephone_event_rx_init(struct telephone_event_rx *rx, uint32_t clock_hz,
                             const struct telephone_event_handlers *handlers, void *arg);
/** A packet of the telephone-event payload type came; duplicates and old ones may be handed in. */
void telephone_event_rx_push(struct telephone_event_rx *rx, const struct rtp_packet *packet,
                             const struct rtp_place *place, uint64_t now_us);
/** Time passed. */
void telephone_event_rx_poll(struct telephone_event_rx *rx, uint64_t now_us);

/* ---- sending --------------------------------------------------------------------------------- */

/** Open value; set it by telephone_event_tx_init(). */
struct telephone_event_tx {
    uint32_t clock_hz, ptime; /**< Hz; frame [RTP units] */
    struct {
        uint8_t event;
        uint32_t duration; /**< RTP units, whole frames */
    } queue[TELEPHONE_EVENT_QUEUE];
    unsigned head, count;
    bool sending;
    uint32_t timestamp; /**< of the current segment */
    uint32_t sent;      /**< of the current segment [RTP units] */
    uint32_t left;      /**< of the event behind it [RTP units] */
    unsigned ends;      /**< end packets sent */
    uint32_t pause;     /**< RTP units until the next may start */
};

/** @return VA_OK, VA_EINVAL (clock, frame length) */
VA_CHECK enum va_err telephone_event_tx_init(struct telephone_event_tx *tx, uint32_t clock_hz,
                                             int ptime_ms);
/**
 * Send a digit after those before it.
 *
 * @param ms  Rounded up to whole frames and into TELEPHONE_EVENT_MIN_MS … _MAX_MS; 0 is the default
 * @return VA_OK, VA_EINVAL (not a digit), VA_ELIMIT (TELEPHONE_EVENT_QUEUE)
 */
VA_CHECK enum va_err telephone_event_tx_queue(struct telephone_event_tx *tx, char digit,
                                              uint32_t ms);
/** Drop what waits; the digit on its way ends properly. */
void telephone_event_tx_clear(struct telephone_event_tx *tx);

/** What this frame's packet carries instead of audio. */
struct telephone_event_packet {
    bool marker;
    uint32_t timestamp;
    uint8_t payload[TELEPHONE_EVENT_BYTES];
};

/**
 * Once per frame of the clock: an update every frame, the end three times (§2.5.1.4).
 *
 * @param now_timestamp  Of the audio frame that would be sent
 * @return true: send this packet and no audio; false: send audio
 */
bool telephone_event_tx_next(struct telephone_event_tx *tx, uint32_t now_timestamp,
                             struct telephone_event_packet *ret_packet);

#endif
