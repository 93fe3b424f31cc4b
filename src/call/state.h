/**
 * call/state.h: the states of a conversation and what moves it. The table in state.c is the whole
 * life of a call; call.c runs it.
 */
#ifndef VA_CALL_STATE_H
#define VA_CALL_STATE_H

#define CALL_STATE_MAP(X)                                                                          \
    X(CONNECTING)   /* control socket up; secretary, audio and provider being prepared */          \
    X(GREETING)     /* the greeting is being spoken */                                             \
    X(LISTENING)    /* the caller's turn */                                                        \
    X(THINKING)     /* the provider's turn, nothing to hear yet */                                 \
    X(SPEAKING)     /* an answer is being spoken */                                                \
    X(HELD)         /* a sound into an answer: silence, until it is known what it was */           \
    X(MESSAGE)      /* the caller's message is being recorded */                                   \
    X(TRANSFERRING) /* the announcement ends; then FreeSWITCH hands the caller over */             \
    X(RINGING)      /* somebody is called for the caller, who hears it ring */                     \
    X(WITH_HUMAN)   /* they talk, and the caller comes back: TRANSFER_RETURN=always */             \
    X(RETURNING)    /* "one moment", then back to the dialplan */                                  \
    X(ENDING)       /* farewell, then hang up */                                                   \
    X(ENDED)        /* everything released */

#define CALL_EVENT_MAP(X)                                                                          \
    X(READY)           /* audio flows and the provider is ready */                                 \
    X(ANSWER)          /* the provider begins an answer */                                         \
    X(DRAINED)         /* the last answer was heard to its end */                                  \
    X(SOUND)           /* the caller makes a sound into an answer that can wait */                 \
    X(TURN_STARTED)    /* the caller begins to speak; in HELD: the sound was speech */             \
    X(TURN_FALSE)      /* what was taken for a turn was none */                                    \
    X(TURN_ENDED)      /* the caller stopped */                                                    \
    X(DIGIT)           /* a DTMF digit */                                                          \
    X(SILENCE)         /* the caller said nothing for silence_ms */                                \
    X(SILENCE_LAST)    /* the same, once too often */                                              \
    X(TIME_UP)         /* longest duration reached */                                              \
    X(RUN_TRANSFER)    /* tool: transfer; all before it was heard */                               \
    X(RUN_MESSAGE)     /* tool: take a message */                                                  \
    X(RUN_END)         /* tool: end the call */                                                    \
    X(RINGS)           /* whom the caller wants is being called */                                 \
    X(REACHED)         /* he answered */                                                           \
    X(JOINED)          /* they are together; the caller will come back */                          \
    X(TOOL_RESULT)     /* a tool finished; the provider was told and goes on */                    \
    X(PROVIDER_FAILED) /* no provider is left */                                                   \
    X(MEDIA_FAILED)    /* no audio */                                                              \
    X(DRAIN)           /* the daemon is stopping */                                                \
    X(STUCK)           /* a state lasted longer than it may */                                     \
    X(LEG_GONE)        /* the channel hung up or left us */                                        \
    X(CONTROL_LOST)    /* the control socket died */

enum call_state {
#define X(name) CALL_##name,
    CALL_STATE_MAP(X)
#undef X
        CALL_STATE_COUNT
};

enum call_event {
#define X(name) EV_##name,
    CALL_EVENT_MAP(X)
#undef X
        EV_COUNT
};

struct call;

/** One cell: where the event leads and what is done there. `allowed` is false for "ignored". */
struct call_rule {
    unsigned char allowed;
    unsigned char next; /**< enum call_state */
    void (*action)(struct call *c);
};

const struct call_rule *call_rule_find(enum call_state state, enum call_event event);
const char *call_state_name(enum call_state state);
const char *call_event_name(enum call_event event);

#endif
