/**
 * ai/chain/chain.h: the provider every call opens. It owns an ordered list of others and lets one
 * of them speak; when that one fails, the next goes on with the history.
 *
 *     call ◄──► provider_chain ◄──► the one that speaks      list: the secretary's provider (or
 *                    │                                       AI_PROVIDER), its fallbacks (or
 *                    └─ filler: "just a moment" (tts)        AI_FALLBACK), the attendant
 *
 * - Failed is: on_failed, not ready within AI_CONNECT_TIMEOUT_MS, nothing of an answer within
 *   AI_FIRST_AUDIO_TIMEOUT_MS, an answer that stops for AI_STALL_TIMEOUT_MS.
 * - The next one is told what is owed: the same say() again, SAY_ANSWER when the caller's words are
 *   in the history, SAY_REPEAT when they were lost, a turn that is under way.
 * - Ids of answers and tools keep growing for the call, whoever speaks.
 * - The caller hears a filler when nothing else comes; a provider that is slow to begin counts as
 *   ready after CHAIN_PATIENCE_MS, so that there is somebody to hear it from.
 * - A provider that failed for a reason that stays (a bad key), is overloaded or cannot be reached
 *   is passed over for a while by all calls of that tenant; one that refused what it was asked for
 *   (an unknown voice) by the calls of that secretary. The last of a list never is.
 *
 * Needs provider_env.find. Out of providers: on_failed of the last one's reason.
 */
#ifndef VA_AI_CHAIN_H
#define VA_AI_CHAIN_H

#include "ai/provider.h"

enum {
    CHAIN_NAMES_MAX = SECRETARY_FALLBACKS_MAX + 2,
    CHAIN_FILLER_MS = 700,     /**< silence after which the caller hears a filler */
    CHAIN_PATIENCE_MS = 1500,  /**< of a call that waits for its first provider */
    CHAIN_SKIP_FATAL_S = 60,   /**< wrong key, unknown model, missing setting */
    CHAIN_SKIP_BUSY_S = 10,    /**< rate limit, quota */
    CHAIN_SKIP_UNREACHED_S = 5 /**< failed before it was ready */
};

extern const struct provider_ops provider_chain;

/** Since the start of the process, all calls. */
struct chain_stats {
    uint64_t opened;    /**< providers opened */
    uint64_t fatal;     /**< failures by kind: they stay */
    uint64_t busy;      /**< rate limit, quota */
    uint64_t lost;      /**< connection, protocol, everything that may work again */
    uint64_t timeouts;  /**< of those: deadlines */
    uint64_t skipped;   /**< passed over because of an earlier failure */
    uint64_t unknown;   /**< names that no provider has */
    uint64_t takeovers; /**< another one went on with a conversation */
    uint64_t fillers;   /**< spoken */
    uint64_t exhausted; /**< calls for which nobody was left */
};

/** Any thread. */
void chain_stats(struct chain_stats *ret_stats);
/** Forget which providers are passed over. Any thread. For tests, and after settings changed. */
void chain_health_forget(void);

#endif
