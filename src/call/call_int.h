/** call/call_int.h: inside of struct call, for the files of call/ only. */
#ifndef VA_CALL_CALL_INT_H
#define VA_CALL_CALL_INT_H

#include "call/call.h"
#include "call/control.h"
#include "call/state.h"
#include "media/playout.h"
#include "media/recorder.h"
#include "media/vad.h"

enum {
    CALL_CONNECT_MS = 10000,      /* until audio flows and the provider is ready */
    CALL_RELEASE_GRACE_MS = 500,  /* above LEG_RELEASE_MS; then a leg is closed anyhow */
    CALL_LINES_MAX = 8,           /* answers whose text waits to be heard */
    CALL_LINE_BYTES_MAX = 65536,  /* text of one answer */
    CALL_PIECES_MAX = 24,         /* pieces of one of them; more belong to the last */
    CALL_CAPTURE_FRAMES = 8,      /* caller frames on their way into the recording */
    CALL_PLAYOUT_MAX_MS = 600000, /* a text of SECRETARY_TEXT_MAX takes about five minutes */
    CALL_IN_FLIGHT_MS = 150,      /* what was sent needs to reach the ear before the leg is cut */
    CALL_BARGE_MIN_MS = 100,      /* speech that interrupts us at once */
    CALL_HOLD_MIN_MS = 80,        /* a sound that silences us until it is known what it was */
    CALL_MESSAGE_MIN_MS = 1000    /* shortest message worth keeping [ms] */
};

/* The caller's turn as the provider was told of it. */
enum call_turn {
    CALL_TURN_NONE,
    CALL_TURN_OPEN, /* the caller speaks */
    CALL_TURN_OVER  /* a sound into an answer has ended, words may still come */
};

/* Text of an answer, until we know how much of it was heard. It may come in pieces, each before its
 * audio: then it is known at which ms of the answer each begins. */
struct spoken_line {
    uint32_t answer; /* playout id; 0: free */
    int64_t at_ms;
    char *text;
    size_t pieces;
    struct {
        uint32_t from_ms; /* of the answer */
        uint32_t at;      /* byte of the text */
    } piece[CALL_PIECES_MAX];
};

/* A caller's message while it is recorded; then it is a message_job of its own. */
struct message_taking {
    int16_t *samples;
    size_t count, max;
    bool open; /* the beep is over, samples are kept */
    bool heard_speech;
    struct tmr limit; /* nothing said, or said enough */
};

/* What became of the channel. */
enum channel_fate {
    CHANNEL_OURS,
    CHANNEL_LEFT,    /* transferred or bridged away, by us or others */
    CHANNEL_HUNG_UP, /* by whomever */
    CHANNEL_LOST     /* the way to it is gone */
};

/* call_leg.c */
enum leg_phase {
    LEG_NONE,
    LEG_STARTING,  /* opened, no audio yet */
    LEG_FLOWING,   /* audio comes and is sent */
    LEG_RELEASING, /* what it did to the channel is being ended */
    LEG_RELEASED   /* closed; may be opened again */
};

struct call_legs {
    enum leg_phase phase;
    const struct leg_ops *chain[CALL_MODES]; /* AUDIO_MODE, then AUDIO_FALLBACK */
    size_t count, at;                        /* at: the one in use */
    size_t moved;                            /* the newest that counts as a move */
    void (*then)(struct call *c);            /* when released */
    struct tmr guard;
    struct leg_stats stats; /* of those that are closed */
};

struct call {
    struct mail bye; /* the last mail: this memory to its freer */
    struct link link;
    struct call_worker *worker;
    const struct call_env *env;
    struct loop *loop;
    struct log_ctx log;

    enum call_state state;
    uint64_t state_since_us;
    struct call_record record;
    uint64_t accepted_us;    /* born */
    uint64_t first_audio_us; /* first frame of the greeting sent; 0: not yet */
    uint64_t sounded_us;     /* last frame of an answer sent; 0: not yet */

    struct control *control;
    char uuid[UUID_TEXT], by_stream[UUID_TEXT]; /* by_stream: uuid of the stream it was born of */
    enum channel_fate channel;
    bool answered;
    bool hanging_up;           /* we sent the hang-up */
    bool draining, time_is_up; /* asked for; obeyed when the state allows it */
    int channel_rate_hz;

    struct store_request *finding;
    const struct secretary *secretary;
    char lookup_key[101];

    struct ws_stream *stream; /* what the call was born of, until a leg takes it */
    struct call_legs legs;
    const struct leg_ops *leg_ops; /* the one in use, or the last that was */
    struct leg *leg;
    struct leg_format format; /* of the newest leg that flowed */
    struct media_tick tick;
    uint64_t paused_us; /* the clock was left: between two legs */
    struct playout *playout;
    struct vad *vad;
    struct recorder *recorder;
    int16_t *capture; /* CALL_CAPTURE_FRAMES frames, only while recording */
    unsigned capture_head, capture_count;
    bool capture_primed;

    const struct provider_ops *provider_ops;
    struct provider *provider;
    bool provider_ready;

    struct history *history; /* what was said, as it was heard */
    uint32_t last_answer;    /* newest id the provider began */
    uint32_t refused_answer; /* newest that was begun out of turn: nothing of it is heard */
    uint32_t open_answer;    /* playout id of what is not yet heard to its end, else 0 */
    uint32_t drained;        /* id reported by the playout in this tick, 0 none */
    unsigned answer_flags;   /* of last_answer */
    struct spoken_line lines[CALL_LINES_MAX];
    uint32_t line_done;             /* newest answer that is over */
    uint32_t textless, textless_ms; /* the last one that was heard before its text came */

    enum call_turn turn;
    unsigned turn_back_ms; /* of the turn that begins */
    uint64_t turn_over_us; /* of CALL_TURN_OVER: when the sound ended */
    uint64_t held_us;      /* of the last hold: since when */
    uint64_t verdict_us;   /* HELD: then it goes on */
    unsigned holds, false_barge_ins;
    char digit;             /* of EV_DIGIT */
    uint64_t turn_ended_us; /* waiting for the answer to it; 0 not waiting */
    int silences;           /* unanswered prompts in a row */
    uint64_t latency_sum_us, latency_max_us;
    unsigned latency_count;

    bool tool_pending, tool_running;
    bool ring_sounds; /* open_answer is the ringing tone */
    uint32_t tool_id;
    enum tool_kind tool_kind;
    char tool_destination[SECRETARY_NAME_MAX + 1];
    struct message_taking message;
    unsigned beeps;
    struct message_job *message_job; /* being saved, tells us when */

    struct tmr stuck, silence, duration, later;
    struct tmr ringing; /* RINGING only: not for longer than TRANSFER_RING_TIMEOUT */
    struct tmr look;    /* HELD only */
    struct tmr verdict; /* of CALL_TURN_OVER behind HELD */
};

/* Number of a provider's answer in the playout. Between two there is room for sounds of our own. */
enum { CALL_SOUNDS = 16 };
static inline uint32_t call_playout_id(uint32_t answer)
{
    return answer * CALL_SOUNDS;
}

/* ---- call.c */
void call_fire(struct call *c, enum call_event event);
/** Everything released; idempotent. Only from actions that lead to ENDED. */
void call_finish(struct call *c, enum call_outcome outcome);
void call_event_log(struct call *c, const char *event, const char *key, const char *value);
void call_maybe_ready(struct call *c);
/** EV_STUCK in `ms` unless the state changes before. */
void call_stuck_after(struct call *c, unsigned ms);

void call_digit(struct call *c, char digit);
extern const struct control_handlers call_control_handlers;

/* ---- call_leg.c */
/** The modes this call may use: `first`, then AUDIO_FALLBACK. @return VA_OK, VA_ENOTSUP */
VA_CHECK enum va_err call_leg_list(struct call *c, const char *first);
/** Open the first that can be, from where the list is. None left: EV_MEDIA_FAILED. */
void call_leg_open(struct call *c);
/** End what the leg did to the channel and close it, then go on; maybe at once. A later call
 *  replaces `then`. */
void call_leg_release(struct call *c, void (*then)(struct call *c));
/** The same for somebody who may not keep the channel: then call_leg_take_back(). */
void call_leg_lend(struct call *c, void (*then)(struct call *c));
void call_leg_take_back(struct call *c);
/** The channel was away and is parked anew: what a leg used up of it is there again. */
void call_leg_renew(struct call *c);
/** Close at once: the channel is not ours any more, or nobody waits. */
void call_leg_close(struct call *c);
void call_leg_stats(const struct call *c, struct leg_stats *ret_stats);
/* of leg_handlers */
void call_leg_started(void *arg, const struct leg_format *format);
void call_leg_failed(void *arg, enum va_err why, const char *cause);
void call_leg_released(void *arg);

/* ---- call_media.c */
extern const struct leg_handlers call_leg_handlers;
VA_CHECK enum va_err call_media_start(struct call *c);
void call_media_stop(struct call *c);
/** The clock stands still; what waits to be heard waits on. Idempotent. */
void call_media_pause(struct call *c);
/** Of CALL_WITH_HUMAN, paused: the provider hears silence, so that it does not take us for gone. */
void call_media_rest(struct call *c);
/** It ticks again, for a leg of this format. @return VA_EINVAL (another rate), VA_ENOMEM */
VA_CHECK enum va_err call_media_resume(struct call *c, const struct leg_format *format);
/** Silence now; tells the provider what was heard of the answer. */
void call_media_interrupt(struct call *c);

/* ---- call_turn.c */
extern const struct provider_handlers call_provider_handlers;
void call_speech(struct call *c, enum vad_event event, uint64_t back_ms);
/** A turn is open: see that it does not stay so while the line is quiet. */
void call_watch_turn(struct call *c);
void call_drained(struct call *c, uint32_t answer);
/** Run the pending tool if everything said was heard. */
void call_run_tool(struct call *c);
void call_tool_done(struct call *c, enum va_err result);
/** Of a tool that waits: it is not going to run. */
void call_cancel_tool(struct call *c);
/** The caller may cut into what is being said. */
bool call_interruptible(const struct call *c);
/** The caller's turn ended `back_ms` ago. */
void call_turn_ends(struct call *c, uint64_t back_ms);

/* ---- call_barge.c */
/** An answer is playing and may wait until it is known what a sound was. */
bool call_may_hold(const struct call *c);
/** Our own ear while an answer is held. */
void call_held_speech(struct call *c, enum vad_event event, uint64_t back_ms);
/** The provider understood words / found none. */
void call_words(struct call *c);
void call_no_words(struct call *c);

/* ---- call_transcript.c */
void call_line_open(struct call *c, uint32_t answer, const char *text);
/** Write the line of an answer (playout id) of which `heard_ms` of `total_ms` were heard. */
void call_line_close(struct call *c, uint32_t answer, uint32_t heard_ms, uint32_t total_ms);
void call_line_say(struct call *c, enum speaker who, const char *text);
void call_lines_free(struct call *c);
/** Tell FreeSWITCH's other listeners: CUSTOM voice_ai::transcript (PUBLISH_TRANSCRIPT). */
void call_publish_line(struct call *c, const struct transcript_line *line);

/* ---- call_message.c */
void call_message_frame(struct call *c, const int16_t *samples, size_t count);
void call_message_speech(struct call *c, enum vad_event event);
void call_message_beeped(struct call *c);
/** The call ends while a message is being taken: keep what is worth it. */
void call_message_abandon(struct call *c);

/* ---- call_action.c */
/** What was sent last needs so long to reach the caller's ear [ms]. */
uint64_t call_in_flight_ms(const struct call *c);

/* ---- call_transfer.c: of control_handlers */
void call_not_transferred(void *arg, enum va_err err, struct str text);
void call_reached(void *arg);
void call_joined(void *arg);
void call_came_back(void *arg);
/** The provider has nothing to hear and nothing to say: the caller is on his way to somebody. */
bool call_is_handed_over(const struct call *c);

/* ---- actions of the state table (call_action.c, call_transfer.c, call_message.c) */
void call_act_greet(struct call *c);
void call_act_listen(struct call *c);
void call_act_speak(struct call *c);
void call_act_turn_started(struct call *c);
void call_act_barge_in(struct call *c);
void call_act_hold(struct call *c);
void call_act_go_on(struct call *c);
void call_act_think(struct call *c);
void call_act_digit(struct call *c);
void call_act_still_there(struct call *c);
void call_act_farewell(struct call *c);
void call_act_time_up(struct call *c);
void call_act_hold_on(struct call *c);
void call_act_transfer(struct call *c);
void call_act_ring(struct call *c);
void call_act_ring_digit(struct call *c);
void call_act_ring_gone(struct call *c);
void call_act_join(struct call *c);
void call_act_with_human(struct call *c);
void call_act_leave_together(struct call *c);
void call_act_message(struct call *c);
void call_act_message_digit(struct call *c);
void call_act_message_stuck(struct call *c);
void call_act_wait_answer(struct call *c);
void call_act_hangup(struct call *c);
void call_act_give_back(struct call *c);
void call_act_return(struct call *c);
void call_act_gone(struct call *c);
void call_act_lost(struct call *c);

#endif
