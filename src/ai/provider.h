/**
 * ai/provider.h: who speaks with the caller. One file fills one struct provider_ops.
 *
 *              audio_in, turn, digit, say, tool_result, interrupt
 *     call ───────────────────────────────────────────────────────► provider
 *          ◄───────────────────────────────────────────────────────
 *              on_ready, on_answer, on_audio, on_transcript, on_speech, on_tool, on_error,
 * on_closed
 *
 * Both live on the call's worker loop; nothing here blocks, no handler is called from inside an
 * operation. What a provider says is cut into numbered answers: audio, transcript and interruption
 * name the answer they belong to, so late audio of an answer that was flushed can be told apart.
 */
#ifndef VA_AI_PROVIDER_H
#define VA_AI_PROVIDER_H

#include "base/err.h"
#include "base/log.h"
#include "base/settings.h"
#include "media/pcm.h"
#include "model/history.h"
#include "model/record.h"
#include "model/secretary.h"
#include "net/loop.h"

struct provider;
struct tts;
struct asr;
struct tls_ctx; /* net/tls.h */

struct provider_ops;

/** Services providers may use; owned by the program, outlive every provider. */
struct provider_env {
    struct tts *tts;
    struct asr *asr;
    const struct tls_ctx *tls; /**< for those over a network; NULL: the system's authorities */
    /** By name, or NULL: provider_find(), or what a test has instead. For ai/chain. */
    const struct provider_ops *(*find)(const char *name);
};

/** Why something is to be said though the caller's turn did not just end. */
enum say_intent {
    SAY_GREETING,    /**< the call was answered */
    SAY_STILL_THERE, /**< the caller has been silent */
    SAY_FAREWELL,    /**< say goodbye; the call hangs up behind it */
    SAY_TIME_UP,     /**< longest duration reached: goodbye likewise */
    SAY_HOLD_ON,     /**< the call is being handed to somebody else: "one moment" */
    SAY_ANSWER,      /**< the caller's last line in the history was never answered: do it now */
    SAY_REPEAT,      /**< the caller's last words were lost: ask for them again */
};

/** A sound of the caller. It is heard at once, but whether it is a turn is known a little later:
 *
 *      STARTED ─► CONFIRMED (words) ─► ENDED          the answer that was playing is over
 *         └─────► FALSE (a cough, noise, "aham")      it goes on from where it stopped
 *
 *  With caps.detects_turns the provider tells all of it, and ENDED without CONFIRMED confirms too.
 *  Else the call's VAD tells STARTED and ENDED, and the provider what only it can know: CONFIRMED
 *  or FALSE, any time from STARTED until its answer begins. An answer that is held waits for that
 *  no longer than BARGE_IN_CONFIRM_MS behind the sound, then it goes on; words that come later end
 *  it all the same. Speech of that length confirms by itself. What ends a held answer is
 *  interrupt(). */
enum turn_phase { TURN_STARTED, TURN_CONFIRMED, TURN_ENDED, TURN_FALSE };

/** Flags of an answer. */
enum {
    ANSWER_PROTECTED = 1, /**< must not be interrupted: farewell, "transferring you" */
};

/** What a provider asks the call to do. Runs when everything said before it has been heard. */
enum tool_kind { TOOL_TRANSFER, TOOL_TAKE_MESSAGE, TOOL_END_CALL };

struct tool_call {
    uint32_t id; /**< returned with tool_result */
    enum tool_kind kind;
    const char *destination; /**< TOOL_TRANSFER: name or alias; borrowed for the call */
};

struct provider_handlers {
    /** May be spoken to. Once. */
    void (*on_ready)(void *arg);
    /** An answer begins. Ids grow from 1. */
    void (*on_answer)(void *arg, uint32_t answer, unsigned flags);
    /** Audio of an answer at cfg->rate_hz; borrowed (take a reference to keep it). */
    void (*on_audio)(void *arg, uint32_t answer, struct pcm *audio);
    /** No more audio will come for this answer. */
    void (*on_answer_done)(void *arg, uint32_t answer);
    /** Final text of one side. Borrowed. An answer's is best told before its audio: the text of one
     *  that was interrupted before its text came is not written down. The caller's (`answer` is 0)
     *  may come late, even behind the next turn's begin: it is written down and tells nothing of
     *  the sound under way. That it is words, on_speech(TURN_CONFIRMED) tells, before. */
    void (*on_transcript)(void *arg, enum speaker who, uint32_t answer, const char *text);
    /** The caller's turns as the provider hears them. With caps.detects_turns all of them; without,
     *  at most TURN_CONFIRMED and TURN_FALSE. FALSE is a finding: whether anything went on, the
     * call says with turn(TURN_FALSE) from inside the handler; if it does not, answer as you like.
     */
    void (*on_speech)(void *arg, enum turn_phase phase);
    void (*on_tool)(void *arg, const struct tool_call *tool);
    /** Cannot go on: the call goes back to the dialplan. Once and last. `text`: cause, borrowed */
    void (*on_failed)(void *arg, enum va_err why, const char *text);
    /** What it cost so far as the provider tells it ("input 120 tokens, …"): for the log. Borrowed.
     *  May be NULL. */
    void (*on_usage)(void *arg, const char *text);
};

struct provider_cfg {
    /** As it was asked for, with what may stand behind a colon: "pipeline:stt=deepgram+tts=piper".
     *  NULL: the plain name. Borrowed for open() */
    const char *name;
    struct loop *loop;                 /**< borrowed, outlives the provider */
    const struct provider_env *env;    /**< borrowed, likewise */
    const struct secretary *secretary; /**< borrowed; take a reference to keep it */
    int rate_hz;                       /**< line rate: audio in and out [Hz] */
    const struct settings *settings;   /**< borrowed, likewise */
    /** What was said before, as it was heard; grows during the call. Borrowed, outlives the
     *  provider. A conversation that is not empty goes on: no greeting is asked for. */
    const struct history *history;
    const struct call_record *record; /**< who calls whom; borrowed, likewise */
    struct log_ctx log;               /**< borrowed texts, outlive the provider */
};

struct provider_caps {
    bool detects_turns;  /**< false: the call's VAD tells turn() */
    bool holds_answers;  /**< speech alone does not end an answer over there, interrupt() does: the
                          *   call may wait whether there are words, and let it go on */
    bool truncates;      /**< after interrupt() it remembers only what was heard */
    bool takes_text;     /**< can be told something that is not audio: digits, results */
    bool resumes;        /**< outlives its session limit with the conversation kept */
    const char *formats; /**< audio in / out, for people: "pcmu, pcma, pcm 24 kHz / the same" */
    uint32_t session_max_s; /**< of one session over there; 0: none known [s] */
};

struct provider_ops {
    const char *name;   /**< as in AI_PROVIDER */
    bool takes_options; /**< cfg.name may have some */
    const char *key;    /**< name of the setting without which it cannot begin; NULL: needs none */
    const char *key_alias; /**< a setting that does as well; NULL: none */
    /** What it can do. NULL: in general; else of this conversation, and may change in it. */
    const struct provider_caps *(*caps)(const struct provider *p);

    /** Start a conversation; on_ready or on_failed follows. `handlers` borrowed until close. */
    VA_CHECK enum va_err (*open)(const struct provider_cfg *cfg,
                                 const struct provider_handlers *handlers, void *arg,
                                 struct provider **ret_provider);
    /** Caller's audio, every frame of the call from ready to close, silence included. While a
     *  message is taken, silence alone for one that detects turns and holds no answers: it would
     *  answer the message. An answer that begins then all the same is interrupted at once. */
    void (*audio_in)(struct provider *p, const int16_t *samples, size_t count);
    /** The call's VAD: `back_ms` is how long ago it really happened. TURN_STARTED, TURN_ENDED (then
     *  perhaps STARTED again: a pause), and TURN_FALSE, instead of ENDED or behind it: forget what
     *  was heard since STARTED, an answer to it is not wanted. */
    void (*turn)(struct provider *p, enum turn_phase phase, unsigned back_ms);
    /** A DTMF digit: 0-9 * # A-D. */
    void (*digit)(struct provider *p, char digit);
    /** Say something now. An answer follows, or on_failed. */
    void (*say)(struct provider *p, enum say_intent intent);
    /** How a tool went. VA_OK; else an answer follows that tells the caller. Of a transfer:
     *  VA_EBUSY, VA_ETIMEOUT (nobody answered), VA_EREFUSED (declined), VA_ENOTFOUND (no such
     *  number), VA_EINTR (the caller broke it off with `*`), VA_ECLOSED (he spoke with whom he
     *  wanted, who hung up: he is back), else it could not be reached. */
    void (*tool_result)(struct provider *p, uint32_t tool_id, enum va_err result);
    /** The caller interrupted: of this answer `heard_ms` were heard. No more of it is wanted. */
    void (*interrupt)(struct provider *p, uint32_t answer, uint32_t heard_ms);
    /** Release. No handler is called any more. Sets *p NULL. */
    void (*close)(struct provider **p);
    /** Open ahead, on this loop, what the next conversation needs. NULL: nothing to open. */
    void (*prepare)(struct loop *loop, const struct provider_env *env,
                    const struct settings *settings);
};

/** A loop begins, or ends, to carry conversations: connections may be opened ahead on it and have
 *  to be closed before it is freed. On the loop's thread. Without these, none is opened ahead. */
void provider_loop_start(struct loop *loop, const struct provider_env *env,
                         const struct settings *settings);
void provider_loop_stop(struct loop *loop);

/** By name, with or without options behind a colon (cfg.name), or NULL. The list is provider.c: one
 *  line per provider. */
const struct provider_ops *provider_find(const char *name);
/** The list, for people: the i-th, or NULL behind the last. */
const struct provider_ops *provider_at(size_t i);

#endif
