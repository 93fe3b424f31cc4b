/**
 * fakefs/session.h: FreeSWITCH's side of one outbound Event Socket (`socket … async full`), without
 * any I/O: bytes and time go in, bytes and requests for audio come out.
 *
 *     NEW ─connect─► CONNECTED ─≤20 ms─► PARKED ◄─► BRIDGED
 *                                          │  └─transfer─► AWAY (the dialplan has it)
 *      daemon closes: RETURNED ◄───────────┴─hang-up─► HUNGUP ─linger─► closed
 *
 * Two threads of FreeSWITCH are imitated, each with its own 20 ms phase: the *listener* (reads
 * commands, answers at once, delivers queued events when it wakes: on input or every 20 ms) and the
 * *session* (parks, runs queued applications). Sources: recordings of 1.10.12, esl.md §1.
 *
 * One thread. Functions of `ops` are called from inside any function here but never free the
 * session.
 */
#ifndef VA_FAKEFS_SESSION_H
#define VA_FAKEFS_SESSION_H

#include "fakefs/channel.h"
#include "fakefs/command.h"

enum fakefs_state {
    FAKEFS_NEW,
    FAKEFS_CONNECTED,
    FAKEFS_PARKED,
    FAKEFS_BRIDGED, /**< with a human, comes back when the human hangs up */
    FAKEFS_AWAY,    /**< transferred: the dialplan has the call */
    FAKEFS_HUNGUP,
    FAKEFS_RETURNED, /**< the program closed its socket while the call was up */
};
const char *fakefs_state_text(enum fakefs_state state);

/** What happens at whoever is dialled by bridge, originate or the dialplan after a transfer. */
enum fakefs_human { FAKEFS_HUMAN_ANSWERS, FAKEFS_HUMAN_BUSY, FAKEFS_HUMAN_NO_ANSWER };

enum fakefs_note {
    FAKEFS_NOTE_CONNECTED, /**< first `connect` */
    FAKEFS_NOTE_EXECUTE,   /**< "app arg" starts */
    FAKEFS_NOTE_TRANSFER,  /**< "201 XML default" */
    FAKEFS_NOTE_BRIDGE,    /**< bridged: "<what was dialled>" */
    FAKEFS_NOTE_UNBRIDGE,  /**< the human hung up, the call is back */
    FAKEFS_NOTE_HANGUP,    /**< cause */
    FAKEFS_NOTE_UNICAST,   /**< "ip:port ↔ ip:port" */
    FAKEFS_NOTE_LINE,      /**< a real SIP call: "PCMU with …", its end */
    FAKEFS_NOTE_STREAM,    /**< mod_audio_stream: what happened to its stream */
    FAKEFS_NOTE_COMMAND,   /**< a command that is none of the above, as received (for --verbose) */
    FAKEFS_NOTE_RETURNED,  /**< the program left; the dialplan goes on */
    FAKEFS_NOTE_SAID,      /**< "agent: text", of a voice_ai::transcript event */
    FAKEFS_NOTE_FROZEN     /**< what the program did leaves the caller in silence, or crashes
                            *   FreeSWITCH: why */
};

struct fakefs_unicast {
    char local_ip[64], remote_ip[64];
    uint16_t local_port, remote_port;
};

/** `uuid_audio_stream <uuid> start`. */
struct fakefs_stream_ask {
    const char *url, *metadata;
    int rate_hz;
};

struct fakefs_session_ops {
    /** Bytes for the program. */
    void (*write)(void *arg, const void *p, size_t len);
    /** FreeSWITCH closes the socket after what was written. Once; nothing is written after it. */
    void (*close)(void *arg);
    /** Bind local, send frames to remote. Replaces nothing: stop comes before a second start. */
    void (*unicast_start)(void *arg, const struct fakefs_unicast *where);
    void (*unicast_stop)(void *arg);
    /**
     * The application bridge: call it, if it is an address that can be called. Then
     * fakefs_session_dialled() and fakefs_session_peer_left() are due, never from inside. NULL, or
     * false: a human is played (struct fakefs_session_cfg).
     */
    bool (*dial)(void *arg, const char *dial_string);
    /** The bridge ends from our side: hang up what was dialled. Nothing is due then. */
    void (*undial)(void *arg);
    /** uuid_audio_stream. @return false: "-ERR Operation Failed". NULL, both: it always fails */
    bool (*stream_start)(void *arg, const struct fakefs_stream_ask *ask);
    bool (*stream_stop)(void *arg);
    /** The application playback: fakefs_session_played() is due. false, or NULL: the file is only
     *  waited for. */
    bool (*play)(void *arg, const char *path);
    /** Ended, or broken off. */
    void (*play_stop)(void *arg);
    /** For reports. `text` is borrowed. */
    void (*note)(void *arg, enum fakefs_note note, const char *text);
};

struct fakefs_session_cfg {
    struct fakefs_caller caller;
    const struct va_clock *clock; /**< NULL: the system's */
    const char *const *variables; /**< "name=value" set before `socket` */
    size_t variable_count;
    const char *socket_arg; /**< Application-Data: "127.0.0.1:8022 async full" */
    enum fakefs_human human;
    uint32_t human_rings_ms; /**< before answering [ms] */
    uint32_t human_talks_ms; /**< before hanging up; 0 is 2000 [ms] */
    bool bound;              /**< no `socket`: parked by the dialplan, the program binds to it */
    bool audio_stream;       /**< mod_audio_stream is loaded */
    bool fixed_phase;        /**< both threads tick at multiples of 20 ms after the start (tests) */
};

struct fakefs_session;

/** @return VA_OK, VA_ENOMEM */
VA_CHECK enum va_err fakefs_session_new(const struct fakefs_session_cfg *cfg,
                                        const struct fakefs_session_ops *ops, void *arg,
                                        struct fakefs_session **ret);
/** Not from inside an op. NULL-safe. */
void fakefs_session_free(struct fakefs_session **s);

/** Bytes from the program. */
void fakefs_session_input(struct fakefs_session *s, const void *p, size_t len);
/** The program closed or reset its side. */
void fakefs_session_eof(struct fakefs_session *s);
/** Do what is due now. */
void fakefs_session_turn(struct fakefs_session *s);
/** When fakefs_session_turn() wants to be called [µs, mono]; UINT64_MAX: only after input. */
uint64_t fakefs_session_due_us(const struct fakefs_session *s);

/** What ops->dial() called has answered (NULL), or the cause why it did not ("USER_BUSY"). */
void fakefs_session_dialled(struct fakefs_session *s, const char *cause);
/** It hung up. */
void fakefs_session_peer_left(struct fakefs_session *s);

/** The last frame of ops->play() was written: the next begins before this returns. */
void fakefs_session_played(struct fakefs_session *s);
/** Raise a CUSTOM event of the channel, as modules do. */
void fakefs_session_custom(struct fakefs_session *s, const char *subclass, const char *body);

/** The caller hangs up (or whoever). Ignored when already down. */
void fakefs_session_hangup(struct fakefs_session *s, const char *cause);
/** The caller presses a key; `ms` its length. */
void fakefs_session_dtmf(struct fakefs_session *s, char digit, unsigned ms);
void fakefs_session_set_human(struct fakefs_session *s, enum fakefs_human human, uint32_t rings_ms,
                              uint32_t talks_ms);

enum fakefs_state fakefs_session_state(const struct fakefs_session *s);
/** True while FreeSWITCH's park loop reads frames: no application runs over it. */
bool fakefs_session_media_flows(const struct fakefs_session *s);
/** Commands and events so far, for load reports. */
struct fakefs_channel *fakefs_session_channel(struct fakefs_session *s);

#endif
