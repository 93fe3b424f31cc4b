/**
 * fakefs/call.h: one call of the fake FreeSWITCH on a loop: a session over TCP to the program's
 * Event Socket server, and the caller's audio by unicast, or by RTP where the program has the
 * session bridge to its SIP port. Or a phone: a SIP call to that port, and no session.
 *
 *     program :8022 ◄──TCP── session ─┬ unicast_start ──► udp ◄──► program's media port
 *                                     ├ dial ──► line ◄──SIP, RTP──► program :5090
 *                                     └ stream_start ──► stream ──WebSocket──► program :8085
 *                                        media_clock ──20 ms──► caller's next frame
 *
 * All on the loop's thread. Handlers may call any function here but fakefs_call_free(), which is
 * allowed in on_end only.
 */
#ifndef VA_FAKEFS_CALL_H
#define VA_FAKEFS_CALL_H

#include "fakefs/inbound.h"
#include "fakefs/line.h"
#include "fakefs/meter.h"
#include "fakefs/session.h"
#include "fakefs/stream.h"
#include "media/clock.h"
#include "media/wav.h"
#include "net/addr.h"

/** What FreeSWITCH sends when it has nothing from the caller. */
enum fakefs_silence { FAKEFS_SILENCE_FF, FAKEFS_SILENCE_ZERO, FAKEFS_SILENCE_NOISE };

/** Datagrams that a program must not take for the caller's voice. */
enum fakefs_inject {
    FAKEFS_INJECT_FOREIGN, /**< loud frames of the right size from another source port */
    FAKEFS_INJECT_GARBAGE  /**< from the right port: empty, odd and oversized ones */
};

/** Texts are borrowed for fakefs_call_new() only. */
struct fakefs_call_cfg {
    struct fakefs_session_cfg session;
    struct net_addr to;
    struct fakefs_sip *sip; /**< borrowed; NULL: bridges to SIP addresses reach the human */
    const char *sip_to;     /**< a phone: this address is called, `to` and variables are unused */
    struct fakefs_inbound *inbound; /**< borrowed; AUDIO_MODE=websocket: the channel streams to */
    const char *stream_url;         /**< this, "{uuid}" in it is its own, and waits to be bound */
    const char *sip_codecs;         /**< of a phone, as RTP_CODECS */
    enum fakefs_module module;      /**< mod_audio_stream of this FreeSWITCH */
    unsigned ptime_ms;              /**< 0 is 20 */
    enum fakefs_silence silence;
    struct media_clock *clock;         /**< borrowed */
    struct fakefs_histogram *lateness; /**< borrowed; shared by the calls of a thread */
    struct wav_writer *wav;            /**< borrowed; stereo at the call's rate. NULL: none */
};

/** A piece of the caller's voice at the call's rate. Borrowed until it was sent or dropped. */
struct fakefs_clip {
    const int16_t *pcm;
    size_t count;
    size_t speech_at, speech_end; /**< first sample of speech and the one behind the last */
};
/** Clip of a whole pcm, with its speech found by level. */
void fakefs_clip_of(const struct pcm *pcm, struct fakefs_clip *ret);

struct fakefs_call_handlers {
    void (*on_open)(void *arg);
    void (*on_note)(void *arg, enum fakefs_note note, const char *text);
    /** The agent starts (true) or stopped; at_us of its first or last speech frame. */
    void (*on_agent)(void *arg, bool speaks, uint64_t at_us);
    /** The first (true) or the last sample of speech of a clip was sent. */
    void (*on_caller)(void *arg, bool starts, uint64_t at_us);
    /** Once and last. VA_OK: the socket (the SIP call) was opened and is closed now; else why it
     *  never opened: fakefs_call_why() may say more. */
    void (*on_end)(void *arg, enum va_err why);
};

struct fakefs_call_stats {
    uint64_t opened_us;           /**< socket open; of a phone: when it called. 0: never */
    uint64_t first_frame_us;      /**< 0: never */
    uint64_t unwritten;           /**< messages the program did not take: it reads too slowly */
    uint64_t sent, received, odd; /**< frames; odd: of another size than a frame's */
};

struct fakefs_call;

/** Connects, or calls. @return VA_OK, VA_ENOMEM, VA_EINVAL, …; `fault` is set where a phone cannot
 *  call */
VA_CHECK enum va_err fakefs_call_new(struct loop *loop, const struct fakefs_call_cfg *cfg,
                                     const struct fakefs_call_handlers *h, void *arg,
                                     struct fakefs_call **ret, struct va_fault *fault);
void fakefs_call_free(struct fakefs_call **c);

/** What the other side said when it refused a phone: "403 Forbidden"; "". */
const char *fakefs_call_why(const struct fakefs_call *c);
void fakefs_call_set_human(struct fakefs_call *c, enum fakefs_human human, uint32_t rings_ms,
                           uint32_t talks_ms);
void fakefs_call_stats(const struct fakefs_call *c, struct fakefs_call_stats *ret);
const struct fakefs_meter *fakefs_call_meter(const struct fakefs_call *c);
const struct fakefs_gate *fakefs_call_gate(const struct fakefs_call *c);

/** Say it now; what is still being said is cut off. */
void fakefs_call_play(struct fakefs_call *c, const struct fakefs_clip *clip);
/** Say it again and again, `pause_ms` apart, until the next fakefs_call_play(). */
void fakefs_call_play_forever(struct fakefs_call *c, const struct fakefs_clip *clip,
                              uint32_t pause_ms);
bool fakefs_call_playing(const struct fakefs_call *c);
void fakefs_call_set_silence(struct fakefs_call *c, enum fakefs_silence silence);
/** Keys, one each 300 ms. */
void fakefs_call_dtmf(struct fakefs_call *c, const char *digits);
/** The caller hangs up. */
void fakefs_call_hangup(struct fakefs_call *c, const char *cause);

/* ---- faults --------------------------------------------------------------------------------- */

/** No frames from now on (true), or again. */
void fakefs_call_fail_audio(struct fakefs_call *c, bool failed);
void fakefs_call_inject(struct fakefs_call *c, enum fakefs_inject what, unsigned count);
/** The control socket is reset, as when FreeSWITCH dies; a phone hangs up. on_end follows. */
void fakefs_call_reset(struct fakefs_call *c);

#endif
