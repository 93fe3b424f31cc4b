/**
 * media/jitter.h: the buffer between the network's time and ours. Packets go in when they come,
 * one frame comes out at each tick of the media clock, at the same pitch, without clicks.
 *
 *     jitter_put ─► [ packets by time ] ─► decode, conceal, comfort noise ─► [ samples ] ─►
 * jitter_get late, twice: out        spandsp's PLC, or the codec's     ▲ a pitch period more or
 * less (stretch)
 *
 * Delay is counted over the fastest packet of the last two seconds (jitter_delay.h). It grows at
 * once when a packet comes too late for its turn but may still be played; it goes towards the
 * target by cutting out or repeating pitch periods, in silence freely; a talk spurt starts at the
 * target exactly. Above the bound, whole packets are dropped. Drift between the ends' clocks shows
 * as delay that grows or shrinks, and is corrected in the same way.
 *
 * An empty buffer is about 8 KB at 8 kHz; each waiting packet adds its payload. One thread.
 */
#ifndef VA_MEDIA_JITTER_H
#define VA_MEDIA_JITTER_H

#include "media/format.h"
#include "media/rtp.h"

enum {
    JITTER_PACKETS_MAX = 256,   /**< waiting; the oldest goes first */
    JITTER_PAYLOAD_MAX = 2048,  /**< larger ones are broken [bytes] */
    JITTER_PACKET_MS_MAX = 120, /**< longest packet */
    JITTER_DELAY_MS_MAX = 2000, /**< largest bound */
    JITTER_STARVED_MS = 250,    /**< no packet for so long: the stream is silent, not late */
    JITTER_SLACK_MS = 10        /**< delay this near to the target is left alone */
};

/** How a payload becomes samples. `state` belongs to one direction of one call. */
struct jitter_codec {
    const char *name;
    int clock_hz; /**< of RTP timestamps: 8000 for G.722 (RFC 3551 §4.5.2), 48000 for Opus */
    int rate_hz;  /**< of the samples: media_rate_valid() */
    /** Samples that a payload holds, without decoding it; 0: broken. */
    size_t (*samples)(void *state, const uint8_t *payload, size_t len);
    /** All of a payload. @return samples written, at most `room`; 0: broken */
    size_t (*decode)(void *state, const uint8_t *payload, size_t len, int16_t *out, size_t room);
    /**
     * The codec's own concealment; NULL: spandsp's PLC.
     *
     * @param next  The payload that follows the gap, for in-band FEC, when it is there and the gap
     *              is its last `n` samples; else NULL
     * @param n     Samples wanted, at most those of the packet before
     * @return samples written: n, or 0 for "cannot"
     */
    size_t (*conceal)(void *state, const uint8_t *next, size_t next_len, int16_t *out, size_t n);
    /** The stream begins anew. May be NULL. */
    void (*reset)(void *state);
    void *state;
};

/** G.711: stateless, so shared by all calls. */
extern const struct jitter_codec jitter_pcmu, jitter_pcma;

enum jitter_kind {
    JITTER_AUDIO,
    JITTER_NOISE, /**< comfort noise, RFC 3389 */
    JITTER_EVENT  /**< telephone-event: no audio, but its number is not a loss */
};

/** Everything borrowed for the call, but the codec: until the jitter is freed or reset. */
struct jitter_packet {
    enum jitter_kind kind;
    const struct jitter_codec *codec; /**< for noise and events, that of the audio around them */
    struct rtp_place place;           /**< by rtp_source_take() */
    bool marker;
    const uint8_t *payload;
    size_t len;
    uint64_t arrival_us; /**< monotonic */
};

struct jitter_cfg {
    struct media_format format;   /**< of the frames that come out */
    int min_ms, start_ms, max_ms; /**< delay: RTP_JITTER_MIN_MS, _TARGET_MS, _MAX_MS */
};

struct jitter;

/** @return VA_OK, VA_EINVAL (format; not 0 ≤ min ≤ max ≤ JITTER_DELAY_MS_MAX), VA_ENOMEM.
 *          start_ms is moved between the bounds. */
VA_CHECK enum va_err jitter_new(const struct jitter_cfg *cfg, struct jitter **ret_jitter);
void jitter_free(struct jitter **j);
/** As if new, figures kept. */
void jitter_reset(struct jitter *j);

/**
 * A packet came. Late and duplicate ones are counted and dropped.
 *
 * @return VA_OK (also for those), VA_EPROTO (payload is not of its codec; counted), VA_ENOMEM,
 *         VA_EINVAL (no codec, its rates; a timestamp outside 0 … RTP_TIMESTAMP_MAX)
 */
enum va_err jitter_put(struct jitter *j, const struct jitter_packet *packet);

/** What most of a frame is. */
enum jitter_frame {
    JITTER_FRAME_SILENCE,  /**< the far end sends nothing: zeros or comfort noise */
    JITTER_FRAME_VOICE,    /**< what was sent */
    JITTER_FRAME_CONCEALED /**< made up, for what was lost or is late */
};

/**
 * The next frame: exactly one per tick of the clock.
 *
 * @param now_us  Monotonic, as on_tick() of media/clock.h got it: ticks that come late and then at
 *                once are understood
 * @param out     media_format_samples(format) samples, all written
 */
enum jitter_frame jitter_get(struct jitter *j, uint64_t now_us, int16_t *out);

struct jitter_stats {
    uint32_t delay_ms;  /**< of what is played now, over the fastest packet */
    uint32_t target_ms; /**< what it is to be */
    uint32_t queued;    /**< packets waiting */
    uint64_t packets;   /**< put in */
    uint64_t late;      /**< came after their turn: dropped */
    uint64_t duplicates;
    uint64_t discarded; /**< dropped because the delay or the buffer was at its bound */
    uint64_t broken;    /**< payload not of its codec */
    uint64_t concealed_samples, silence_samples, samples; /**< of the last: all */
    uint64_t starvations; /**< times there was nothing to play: late, lost or ended */
    uint64_t cut_samples, inserted_samples; /**< by stretching time */
    uint64_t stretches;                     /**< times it was */
    uint64_t spurts;                        /**< times it began to play */
};

void jitter_stats(const struct jitter *j, struct jitter_stats *ret_stats);

#endif
