/**
 * ai/realtime/rt.h: the core all realtime providers share, and what a dialect fills in.
 *
 *     provider_ops ─► core: states, answers, turns, formats, tools, reconnecting ─► rt_link ─► ws
 *                       │  ▲
 *             dialect's │  │ rt_ready, rt_answer_…, rt_speech, rt_tool_called, rt_fault …
 *             functions ▼  │
 *                     dialect: this protocol's messages, both ways
 *
 * A dialect never calls the call's handlers and never sees the WebSocket: it writes messages with
 * rt_send_…, and tells the core what it read. Every function here may be called from a dialect's
 * on_open, on_text, on_binary, on_tick; after each rt_… that may call a handler the conversation
 * can be over: `if (rt_gone(p)) return;` before touching the provider's state again. Memory stays
 * valid until the loop's next turn.
 */
#ifndef VA_AI_REALTIME_RT_H
#define VA_AI_REALTIME_RT_H

#include "ai/provider.h"
#include "ai/realtime/format.h"
#include "base/buf.h"
#include "base/json_write.h"
#include "net/ws.h"

enum {
    RT_URL_MAX = 2048,
    RT_HEADERS_MAX = 6,
    RT_HEADER_VALUE_MAX = 320,
    RT_ID_MAX = 96,         /* ids of the remote [bytes, NUL included] */
    RT_ANSWERS_MAX = 16,    /* newest answers that are remembered */
    RT_TOOLS_MAX = 4,       /* tool calls without their result */
    RT_TEXT_MAX = 16384,    /* of one answer, one turn, one note [bytes] */
    RT_PROMPT_MAX = 262144, /* system prompt [bytes] */
    RT_OUT_MAX = 524288,    /* unsent bytes of a connection; audio over half of it is dropped */
    RT_HELD_MS = 3000, /* caller's audio kept while there is no session; the oldest is dropped */
    RT_RECONNECTS_MAX = 3, /* of one conversation in RT_RECONNECT_SPAN_S */
    RT_RECONNECT_SPAN_S = 60,
};

/* ---- states ------------------------------------------------------------------------------------
 *
 *     CONNECTING ─► STARTING ─► READY ─► AWAY ─► STARTING …      any ─► FAILED, CLOSED
 */
enum rt_state {
    RT_CONNECTING, /**< the socket is being opened, the first time */
    RT_STARTING,   /**< it is open; the session is being set up */
    RT_READY,      /**< may be spoken to */
    RT_AWAY,       /**< lost or worn out; a new socket is being opened */
    RT_FAILED,     /**< on_failed is due or was called */
    RT_CLOSED,     /**< the call let go; memory goes with the next turn of the loop */
};

/** Where a dialect connects. Values of headers are secrets: never logged. */
struct rt_target {
    char url[RT_URL_MAX];
    struct {
        char name[40];
        char value[RT_HEADER_VALUE_MAX];
    } header[RT_HEADERS_MAX];
    size_t header_count;
    char subprotocol[64]; /**< "" for none */
};
/** Add a header. @return VA_OK, VA_ELIMIT, VA_EINVAL (control characters in the value) */
VA_CHECK enum va_err rt_target_header(struct rt_target *t, const char *name, const char *prefix,
                                      const char *value);

/** One answer of the remote. */
struct rt_answer {
    uint32_t id;          /**< as the call knows it; 0: free */
    char item[RT_ID_MAX]; /**< the remote's name for it */
    char response[RT_ID_MAX];
    unsigned flags;
    enum rt_answer_state {
        RT_ANSWER_OPEN,
        RT_ANSWER_DONE, /**< no more will come */
        RT_ANSWER_LOST, /**< its session broke; over when there is a new one, or everything is */
        RT_ANSWER_DEAD, /**< interrupted, or of a session that is gone */
    } state;
    uint64_t samples; /**< given to the call, at line rate */
    uint64_t end_us;  /**< when they will have been played, if nothing stopped them [mono µs] */
    struct buf text;  /**< so far */
    bool text_told;   /**< its final text went to the call */
};

/** A tool call waiting for its result. */
struct rt_tool {
    uint32_t id; /**< as the call knows it; 0: free */
    enum tool_kind kind;
    char remote[RT_ID_MAX]; /**< the remote's call id */
    char name[32];
};

struct provider;

/** What tells one protocol from another. Fields that may be NULL say so. */
struct dialect {
    const char *name;          /**< as in AI_PROVIDER */
    struct provider_caps caps; /**< in general */
    bool self_answers;         /**< it is one of self.c's */
    bool prepares; /**< an idle open socket is harmless over there: pool.h may keep one */

    /**
     * Read the settings: p->target, p->format_in, p->format_out, p->dialect_state (calloc'ed here,
     * freed by the core; stop() before).
     *
     * @param fault  A missing or wrong setting by its name, and the fix
     */
    VA_CHECK enum va_err (*start)(struct provider *p, struct va_fault *fault);
    /** Find out p->target anew, before each connection: rt_fetch(), then rt_located(); without a
     *  rt_fetch() it is known already. NULL: what start() wrote holds. */
    VA_CHECK enum va_err (*locate)(struct provider *p);
    /** The socket is open (first time or again): state begins anew, send the first message if it is
     *  ours to send. rt_ready() follows when the remote has accepted the session. */
    void (*on_open)(struct provider *p);
    void (*on_text)(struct provider *p, struct str message);
    void (*on_binary)(struct provider *p, struct str message); /**< NULL: as on_text */
    /** Caller's audio in p->format_in, ready or back again. NULL: binary messages of it. */
    void (*audio)(struct provider *p, struct str bytes);
    /** Have something said; an answer follows. `text` tells the model what: word for word what the
     *  secretary has words for, else what it is about. */
    void (*say)(struct provider *p, enum say_intent intent, const char *text);
    /** Tell it what is not audio (digits, what became of a tool, "go on"). `answer`: have it
     *  answered; else it is for later. */
    void (*tell)(struct provider *p, const char *text, bool answer);
    /** Result of a tool as JSON text. `answer`: the caller is to be told. */
    void (*tool_result)(struct provider *p, const struct rt_tool *tool, const char *json,
                        bool answer);
    /** Stop it; it is dead already: later audio of it is dropped by the core. `heard_ms` is never
     *  more than was received. */
    void (*interrupt)(struct provider *p, const struct rt_answer *a, uint32_t heard_ms);
    /** The call's VAD (caps.detects_turns false). NULL: not wanted. */
    void (*turn)(struct provider *p, enum turn_phase phase, unsigned back_ms);
    /** A sound that rt_turn_started() began is over: speech (an answer is owed: ask for it, unless
     *  the remote does so by itself) or noise (forget it over there). NULL: not used. */
    void (*turn_over)(struct provider *p, bool speech);
    /**
     * The socket was closed by the remote, or never opened. NULL: its code decides.
     *
     * @param ret_hint  May be set: what to do, for a person
     * @return true: connect once more at once, whatever the code says (the dialect changed what it
     *         will ask for, and answers so once only)
     */
    bool (*closed)(struct provider *p, const struct ws_end *end, const char **ret_hint);
    /** Every tick_ms while ready: keep-alive. NULL: none. */
    void (*on_tick)(struct provider *p);
    unsigned tick_ms;
    /** Say goodbye, release what dialect_state holds (not itself). NULL: nothing to do. */
    void (*stop)(struct provider *p);
};

/** Life of a sound of the caller, for remotes that tell when speech starts and stops (turn.c). */
enum rt_turn_state {
    RT_TURN_NONE,
    RT_TURN_STARTED,   /**< heard, not known whether it is speech */
    RT_TURN_CONFIRMED, /**< words, or long enough */
    RT_TURN_STOPPED,   /**< over, and still not known: waiting for its words */
};

struct rt_turn {
    enum rt_turn_state state;
    bool over_answer;     /**< it began while an answer was being heard */
    uint64_t started_us;  /**< [mono µs] */
    char item[RT_ID_MAX]; /**< the remote's name for it */
    struct tmr timer;
};

/** For remotes that answer by themselves (self.c). */
struct rt_self {
    uint32_t answer;   /**< the one the remote is saying, 0: none */
    uint64_t began_us; /**< when it did [mono µs] */
    uint64_t asked_us; /**< newest text of ours that may end one: that is nobody's interruption */
    struct buf words;  /**< the caller's, not told yet */
    bool worded;       /**< the turn has some */
    struct vad *ear;   /**< ours, for when the caller begins: the remote tells it late */
    struct tmr sound;  /**< something began: told on the next turn of the loop */
};

/** A request over HTTP under way (fetch.c). */
struct rt_fetch {
    struct http_request *request;
    struct buf body;
    void (*done)(struct provider *p, struct str body);
};

/** One conversation. Dialects read it; they write only what is marked (d). */
struct provider {
    const struct dialect *dialect;
    enum rt_state state; /* rt_state_set() only */
    struct loop *loop;
    const struct provider_env *env;
    const struct settings *settings;
    const struct secretary *secretary;
    const struct history *history;
    const struct call_record *record;
    const struct provider_handlers *h;
    void *arg;
    struct log_ctx log;
    int rate_hz;

    struct rt_target target;                /* (d) in start() */
    struct rt_format format_in, format_out; /* (d) in start(); may change until rt_ready() */
    struct provider_caps caps;              /* (d) of this conversation */
    void *dialect_state;                    /* (d) */
    struct buf out;                         /* (d) scratch for messages */

    struct rt_link *link; /* NULL: none */
    struct rt_encoder *encoder;
    struct rt_decoder *decoder;
    uint32_t decoding; /* answer whose audio is in the decoder */
    struct buf held;   /* caller's audio while not ready, or less than a packet, in format_in */
    size_t packet;     /* AI_PACKET_MS [bytes] */

    struct rt_answer answer[RT_ANSWERS_MAX];
    uint32_t last_answer, last_tool;
    uint64_t sound_end_us; /* when all audio given to the call will have been played [mono µs] */
    struct rt_tool tool[RT_TOOLS_MAX];
    struct rt_turn turn;
    struct rt_self self;
    struct rt_fetch fetch;
    unsigned next_flags; /* of the answer that say() asked for */
    bool opened;         /* on_ready was told */

    /* What the caller is owed, should the connection break: rt_owe(). */
    enum rt_owed { RT_OWES_NOTHING, RT_OWES_SAYING, RT_OWES_ANSWER, RT_OWES_LOST_WORDS } owed;
    enum say_intent owed_say;
    struct buf note; /* to be told when back */
    char digits[32]; /* pressed, not told yet */
    size_t digit_count;

    struct tmr deadline, tick, digit_wait, wear, later;
    uint64_t wear_us;      /* the session is over then [mono µs] */
    struct va_fault fault; /* why, once FAILED */
    uint64_t reconnect_us[RT_RECONNECTS_MAX];
    struct rt_counters {
        uint64_t messages_in, messages_out, bytes_in, audio_dropped, late_audio, reconnects, odd;
    } count;
};

/** FAILED or CLOSED: nothing more may be done. */
static inline bool rt_gone(const struct provider *p)
{
    return p->state == RT_FAILED || p->state == RT_CLOSED;
}

/* ---- before the socket (fetch.c) --------------------------------------------------------------
 */

struct http_spec;
/** Ask over HTTP. done() gets the body of an answer 2xx; anything else ends in rt_fault(). */
VA_CHECK enum va_err rt_fetch(struct provider *p, const struct http_spec *spec,
                              void (*done)(struct provider *p, struct str body));
void rt_fetch_stop(struct provider *p);
/** p->target is known: open the socket. */
void rt_located(struct provider *p);
/** base (a setting, checked) and path. @return VA_OK, VA_ECONFIG */
VA_CHECK enum va_err rt_url(char *out, size_t cap, const char *setting, const char *base,
                            const char *path, struct va_fault *fault);
/** Add key=value, escaped. @return VA_OK, VA_ELIMIT, VA_ENOMEM; then url is unchanged */
VA_CHECK enum va_err rt_url_query(char *url, size_t cap, const char *key, const char *value);
/** ws://… as http://…, in place. @param url  of RT_URL_MAX bytes */
void rt_url_http(char *url);

/* ---- what the dialect sends (rt_link.c) ------------------------------------------------------ */

/** A whole message. Not open: dropped. Over RT_OUT_MAX: the connection counts as lost. */
void rt_send_text(struct provider *p, struct str message);
void rt_send_binary(struct provider *p, struct str message);
/** p->out as text, if `w` ended well. Use: rt_message(p, &w); jw_…; rt_send(p, &w). */
void rt_message(struct provider *p, struct json_writer *w);
void rt_send(struct provider *p, struct json_writer *w);
/** Audio in up to three parts (around base64); dropped and counted when the remote does not keep
 *  up. */
void rt_send_audio(struct provider *p, enum ws_kind kind, const struct str *parts, size_t count);
/** Likewise as a text message: head, the bytes in base64, tail. Uses p->out. */
void rt_send_audio_base64(struct provider *p, struct str head, struct str bytes, struct str tail);

/* ---- what the dialect learned (realtime.c, answers.c, turn.c, tools.c) ------------------------
 */

/** The session is accepted; formats are final. First: on_ready. Again: history was seeded by the
 *  dialect before, held audio and what is owed follow. */
void rt_ready(struct provider *p);
/** The session ends in `in_ms`: a new one is opened at the next quiet moment before that. */
void rt_going_away(struct provider *p, uint64_t in_ms);
/**
 * Something went wrong.
 *
 * @param retryable  A new session may help: one is opened, with history, if the bounds allow; else
 *                   on_failed
 */
VA_PRINTF(4, 5)
void rt_fault(struct provider *p, enum va_err why, bool retryable, const char *fmt, ...);
/** A message that makes no sense: counted, logged at debug; too many end the session. */
void rt_odd(struct provider *p, const char *what);

/** An answer begins. `item` is its name over there (cut never: longer than RT_ID_MAX is refused).
 *  @return NULL when gone or refused */
struct rt_answer *rt_answer_begin(struct provider *p, struct str item, struct str response);
/** By its name; NULL when unknown or forgotten. */
struct rt_answer *rt_answer_find(struct provider *p, struct str item);
/** The newest answer that is open, or NULL. */
struct rt_answer *rt_answer_open(struct provider *p);
/** Audio in p->format_out. Of a dead answer: dropped, counted. */
void rt_answer_audio(struct provider *p, struct rt_answer *a, struct str bytes);
void rt_answer_audio_base64(struct provider *p, struct rt_answer *a, struct str text);
/** Text that grows / the whole of it (then on_transcript). */
void rt_answer_text_add(struct provider *p, struct rt_answer *a, struct str delta);
void rt_answer_text_set(struct provider *p, struct rt_answer *a, struct str text);
/** No more audio of it. Tells its text first, if that was not told. */
void rt_answer_end(struct provider *p, struct rt_answer *a);
/** The remote stopped it by itself: text so far is told, on_answer_done. */
void rt_answer_cut(struct provider *p, struct rt_answer *a);
/** The caller is probably hearing an answer now: one is open, or what was given to the call lasts
 *  until now. */
bool rt_answer_sounding(const struct provider *p);

/** The caller's words, final. "" is not told. */
void rt_caller_said(struct provider *p, struct str text);
/** Plain: the remote decides about turns by itself. STARTED alone is not enough to end an answer.
 */
void rt_speech(struct provider *p, enum turn_phase phase);
/**
 * Sounds first, words later: STARTED at once; CONFIRMED by rt_turn_words() or by length; FALSE when
 * it was short, over an answer, and no words came in time. turn_over() tells the end.
 *
 * @param item           The remote's name for it
 * @param stop_delay_ms  Silence after which the remote calls it over
 */
void rt_turn_started(struct provider *p, struct str item, unsigned stop_delay_ms);
/** @param speech_ms        Length of the sound itself, -1 when the remote does not tell
 *  @param words_will_come  A transcript will follow, maybe an empty one */
void rt_turn_stopped(struct provider *p, int64_t speech_ms, bool words_will_come);
/** Words of the newest turn (partial or final; "" final: there were none). */
void rt_turn_words(struct provider *p, struct str text, bool final);

/* Remotes that answer and are interrupted by themselves (self.c); their dialects use no
 * rt_turn_….  Each may call handlers. */

/** Caller's audio, for our own ear. */
void rt_self_listen(struct provider *p, const int16_t *samples, size_t count);
/** The caller is speaking, for certain. */
void rt_self_heard(struct provider *p);
/** Words of the caller, growing. They begin a turn, unless an answer is under way. */
void rt_self_words(struct provider *p, struct str text);
/** The caller's turn is over, if there is one; its words are told. */
void rt_self_turn_over(struct provider *p);
/** The answer that the remote is saying, begun if need be. It may be dead: what is added to it is
 *  dropped. NULL: gone */
struct rt_answer *rt_self_answer(struct provider *p);
/** The same, not begun: NULL when there is none. */
struct rt_answer *rt_self_current(struct provider *p);
/** All its audio is here, but the remote may still call it interrupted. */
void rt_self_audio_over(struct provider *p);
/** It is over: what comes next is another one. */
void rt_self_done(struct provider *p);
/** The remote stopped it because the caller spoke, or because of what we told it. */
void rt_self_interrupted(struct provider *p);
/** We told it something that makes it drop what it is saying. */
void rt_self_asked(struct provider *p);
/** rt_tool_called(), behind the end of the turn and of the answer. */
bool rt_self_tool(struct provider *p, struct str name, struct str remote, struct str arguments);
/** A dialect's interrupt() where nothing can be stopped. */
void rt_self_interrupt(struct provider *p, const struct rt_answer *a, uint32_t heard_ms);

/**
 * The model calls a function of ours.
 *
 * @param arguments  JSON text, the model's: data
 * @return false when it is none of ours or makes no sense: the dialect gets tool_result() at once
 */
bool rt_tool_called(struct provider *p, struct str name, struct str remote, struct str arguments);
/** Every call of the model has its result: another response may be asked for. */
bool rt_tools_settled(const struct provider *p);
/** The remote withdrew it. */
void rt_tool_cancelled(struct provider *p, struct str remote);

/** An answer is owed from here on: watched by AI_ANSWER_TIMEOUT_MS, asked for again after a loss.
 */
void rt_owe(struct provider *p, enum rt_owed what);
/** Flags of the answer that is beginning (of the last say()), and forget them. */
unsigned rt_take_flags(struct provider *p);

/* ---- texts (prompt.c, tools.c) -----------------------------------------------------------------
 */

/** The system prompt: who it is, the company, what it may do, topics, destinations. Only the
 *  administrator's words: nothing in it came from a call. */
enum va_err rt_prompt_add(struct buf *out, const struct provider *p);
/** What the telephone network told about the call, as JSON marked as data: a message of its own,
 *  never a part of the system prompt. Empty when nothing is known. */
enum va_err rt_call_data_add(struct buf *out, const struct provider *p);
/** What a say intent means, for the model. */
enum va_err rt_say_add(struct buf *out, const struct provider *p, enum say_intent intent);
/** The secretary's own words for it, where it has some: for remotes that say a text as it is. Else
 *  nothing is added. */
enum va_err rt_say_words_add(struct buf *out, const struct provider *p, enum say_intent intent);
/** Two letters of the secretary's language: "pt". */
void rt_language(const struct provider *p, char out[static 3]);

/** Our three tools, for writers of schemas. Parameters are of type string. */
struct rt_tool_spec {
    enum tool_kind kind;
    const char *name, *description;
    const char *parameter; /**< NULL: none */
    const char *parameter_description;
};
extern const struct rt_tool_spec rt_tool_specs[];
extern const size_t rt_tool_spec_count;
/** False: this secretary has no use for it (transfer without destinations). */
bool rt_tool_offered(const struct provider *p, const struct rt_tool_spec *spec);
/** JSON schema of its parameters as a member `key` of an open object; destinations as an enum.
 *  Upper case types ("STRING") where `upper`, as Google writes them. */
void rt_tool_schema(struct json_writer *w, const char *key, const struct provider *p,
                    const struct rt_tool_spec *spec, bool upper);

/** What became of a tool, as JSON for the model. */
const char *rt_tool_result_json(enum tool_kind kind, enum va_err result);
/** The caller is to be told of it: another answer is wanted. */
bool rt_tool_result_told(enum tool_kind kind, enum va_err result);

/* ---- between the files of the core ----------------------------------------------------------- */

void rt_state_set(struct provider *p, enum rt_state to);
enum va_err rt_connect(struct provider *p, enum rt_state as);
/** Open a new session in place of this one, which is lost or worn out. */
void rt_reconnect(struct provider *p);
void rt_answers_kill_from(struct provider *p, uint32_t id);
void rt_answers_free(struct provider *p);
/** Text so far of every answer that is still open. */
void rt_answers_tell(struct provider *p);
/** The session is gone: what was open is lost. The call is told that it is over only when there is
 *  a new session: until then whoever takes over has to know that something was cut. */
void rt_answers_lost(struct provider *p);
void rt_answers_over(struct provider *p);
void rt_turn_lost(struct provider *p);
void rt_self_lost(struct provider *p);
void rt_self_free(struct provider *p);
/** Letters or digits of any script; a transcript of noise is blank or dots. */
bool rt_has_words(struct str text);
void rt_tools_lost(struct provider *p);
void rt_flush_digits(void *arg);

/* ---- the caller's audio (realtime.c) ----------------------------------------------------------
 */

/** To the dialect. Only while ready. */
void rt_give_audio(struct provider *p, struct str bytes);
/** What was held, in pieces, and nothing is held any more. */
void rt_give_held(struct provider *p);

/* ---- the provider of a dialect (realtime.c) -----------------------------------------------------
 */

VA_CHECK enum va_err rt_open(const struct dialect *d, const struct provider_cfg *cfg,
                             const struct provider_handlers *h, void *arg,
                             struct provider **ret_provider);
void rt_audio_in(struct provider *p, const int16_t *samples, size_t count);
void rt_turn_in(struct provider *p, enum turn_phase phase, unsigned back_ms);
void rt_digit(struct provider *p, char digit);
void rt_say(struct provider *p, enum say_intent intent);
void rt_tool_result(struct provider *p, uint32_t tool_id, enum va_err result);
void rt_interrupt(struct provider *p, uint32_t answer, uint32_t heard_ms);
void rt_close(struct provider **pp);
void rt_prepare(const struct dialect *d, struct loop *loop, const struct provider_env *env,
                const struct settings *settings);

/** One line per dialect: RT_PROVIDER(provider_openai, "openai", "OPENAI_API_KEY", dialect_openai);
 *  the third is the setting it cannot do without, or NULL. */
#define RT_PROVIDER(symbol, name_, key_, dialect_)                                                 \
    static const struct provider_caps *symbol##_caps(const struct provider *p)                     \
    {                                                                                              \
        return p ? &p->caps : &(dialect_).caps;                                                    \
    }                                                                                              \
    static enum va_err symbol##_open(const struct provider_cfg *cfg,                               \
                                     const struct provider_handlers *h, void *arg,                 \
                                     struct provider **ret_provider)                               \
    {                                                                                              \
        return rt_open(&(dialect_), cfg, h, arg, ret_provider);                                    \
    }                                                                                              \
    static void symbol##_prepare(struct loop *loop, const struct provider_env *env,                \
                                 const struct settings *settings)                                  \
    {                                                                                              \
        rt_prepare(&(dialect_), loop, env, settings);                                              \
    }                                                                                              \
    const struct provider_ops symbol = {                                                           \
        .name = (name_),                                                                           \
        .key = (key_),                                                                             \
        .caps = symbol##_caps,                                                                     \
        .open = symbol##_open,                                                                     \
        .audio_in = rt_audio_in,                                                                   \
        .turn = rt_turn_in,                                                                        \
        .digit = rt_digit,                                                                         \
        .say = rt_say,                                                                             \
        .tool_result = rt_tool_result,                                                             \
        .interrupt = rt_interrupt,                                                                 \
        .close = rt_close,                                                                         \
        .prepare = symbol##_prepare,                                                               \
    }

#endif
