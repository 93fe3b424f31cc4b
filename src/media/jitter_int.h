/** media/jitter_int.h: inside jitter*.c only. */
#ifndef VA_MEDIA_JITTER_INT_H
#define VA_MEDIA_JITTER_INT_H

#include "base/list.h"
#include "media/comfort_noise.h"
#include "media/conceal.h"
#include "media/jitter.h"
#include "media/jitter_delay.h"
#include "media/resample.h"

/** A packet waiting. Positions are samples at our rate; those of different epochs do not compare.
 */
struct jitter_item {
    struct link link;
    uint32_t epoch;
    int64_t pos, seq;
    size_t samples; /**< at our rate; 0: noise or event */
    enum jitter_kind kind;
    const struct jitter_codec *codec;
    bool marker;
    size_t len;
    uint8_t payload[];
};

enum jitter_state {
    JITTER_GAP,     /**< nothing to play until the next packet's time has come */
    JITTER_PLAYING, /**< every sample has its place; holes are concealed */
    JITTER_STARVED  /**< no packet: conceal and wait. The delay grows meanwhile */
};

/*
 *     buf:  [ played, kept for stretch_insert | ready to play |      ]
 *           0                                head            tail   cap
 */
struct jitter {
    int rate_hz;
    size_t frame;
    uint64_t frame_us;
    int64_t max_us;
    struct jitter_cfg cfg;

    struct list queue; /**< of items, by epoch and position */
    size_t queued;
    uint32_t epoch_in; /**< of the newest packet */
    uint32_t generation;
    int clock_hz;
    int64_t top_seq;
    struct rtp_window window;
    struct jitter_delay delay;

    enum jitter_state state;
    uint32_t epoch;    /**< what is played */
    int64_t next_pos;  /**< media time of buf[tail] */
    int64_t last_seq;  /**< of the packet decoded last */
    bool last_marker;  /**< of that packet */
    size_t starved;    /**< samples made up since there was no packet */
    uint64_t local_us; /**< the tick's own time, without its lateness */
    bool ticking;
    unsigned rest; /**< frames until the next stretch */

    const struct jitter_codec *codec; /**< of the packet decoded last; NULL: none */
    struct resample *resample;        /**< NULL: equal rates */
    struct conceal plc;
    int16_t *past; /**< its memory, behind buf; NULL at 8 kHz */
    struct comfort_noise noise;
    size_t fade; /**< samples left of the fade from speech into a gap */
    bool splice; /**< the next samples do not follow the last ones */
    bool ramp;   /**< they follow silence */
    size_t lag;  /**< of the next samples, nothing but a new resampler's delay */

    size_t cap, head, tail;
    int16_t *buf;
    size_t voiced, made_up, silent; /**< samples put into buf for the current frame */
    struct jitter_stats stats;
};

/** jitter_play.c: make at least `want` samples ready. */
void jitter_fill(struct jitter *j, size_t want);
/** Decode what follows without a gap, while less than `want` is ready. @return it is */
bool jitter_fill_ahead(struct jitter *j, size_t want);
/** Take the first item out and free it. */
void jitter_drop_first(struct jitter *j);
struct jitter_item *jitter_first(const struct jitter *j);
/** Media time [µs] of a position. */
int64_t jitter_pos_us(const struct jitter *j, int64_t pos);

#endif
