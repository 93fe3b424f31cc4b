/**
 * call/server.h: takes calls from FreeSWITCH and spreads them over the workers.
 *
 *     listener, hub of streams, user agent ──► [mailbox] ──► worker with the fewest calls ──► call
 *                 (control thread)
 *
 * Over ESL_MAX_CONNECTIONS, or while draining, a birth is refused at once in its own way: a socket
 * is closed, so that FreeSWITCH goes on with the next action of its dialplan; a stream and a SIP
 * call get 503. All functions on the control loop's thread.
 */
#ifndef VA_CALL_SERVER_H
#define VA_CALL_SERVER_H

#include "call/call.h"

struct call_server;

enum call_birth_kind { BIRTH_SOCKET, BIRTH_STREAM, BIRTH_SIP, BIRTH_KINDS };

struct call_server_stats {
    size_t running;                /**< calls now */
    uint64_t taken[BIRTH_KINDS];   /**< calls so far, by how they began */
    uint64_t refused;              /**< over the limit or while draining */
    uint64_t failed[CALL_MODES];   /**< no audio in this mode, or it stopped (call_mode_name()) */
    uint64_t moved_to[CALL_MODES]; /**< calls that went on in this mode */
    uint64_t no_audio;             /**< calls with no mode left: given back */
};

/**
 * Start the workers and listen on ESL_SERVER_HOST:ESL_SERVER_PORT.
 *
 * @param env    Borrowed, outlives the server
 * @param fault  What is wrong and what to do
 */
VA_CHECK enum va_err call_server_start(struct loop *control, const struct call_env *env,
                                       struct call_server **ret_server, struct va_fault *fault);
/** Where it listens (port 0 in a test picks one). */
void call_server_addr(const struct call_server *s, struct net_addr *ret_addr);
void call_server_stats(const struct call_server *s, struct call_server_stats *ret_stats);

/** A stream that nobody waits for (ws_hub_handlers.on_stream). Owned from here on. */
void call_server_take_stream(struct call_server *s, struct ws_stream *stream);
/** A direct call (sip_ua_cfg.on_incoming). Owned likewise. */
void call_server_take_sip(struct call_server *s, struct sip_incoming *in);

/**
 * Take no new calls; let running ones end. After half of `timeout_ms` those left say "one moment"
 * and go back to the dialplan; shortly before its end the rest follow without a word.
 *
 * @param on_idle  Once, when no call is left and every recording and message is written
 */
void call_server_drain(struct call_server *s, uint64_t timeout_ms, void (*on_idle)(void *arg),
                       void *arg);
/** Give every call back to the dialplan now. on_idle of the drain follows. */
void call_server_abort(struct call_server *s);
/** Stop the workers. No call may be left. Blocks. NULL-safe. */
void call_server_stop(struct call_server **s);

#endif
