/**
 * base/log.h: one line per decision, for the operator who reads it at night.
 *
 *     2026-11-22T12:43:59.123Z INFO  call  tenant=default call=6f1c… event=transfer dest=201
 *
 * Values are quoted when they hold blanks, quotes or control bytes; they can never start a second
 * line. Secrets never go in. Library layers (base, net, esl, media) return errors and do not log;
 * the layer that decides logs once. Any thread; a line is one write(2).
 */
#ifndef VA_BASE_LOG_H
#define VA_BASE_LOG_H

#include "base/err.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/** Who a line is about. Any field may be NULL. Borrowed for the call. */
struct log_ctx {
    const char *tenant;
    const char *call; /**< call uuid */
};

/** Lines below `level` are dropped. Default LOG_INFO to stderr. Set before threads start. */
void log_set_level(enum log_level level);
void log_set_fd(int fd);
bool log_enabled(enum log_level level);
/** "debug", "info", "warn", "error", any case. @return VA_OK, VA_EINVAL */
VA_CHECK enum va_err log_level_parse(struct str s, enum log_level *ret_level);

/**
 * Write one line.
 *
 * @param subsystem  Layer or object: "app", "call", "leg", "store", …
 * @param ctx        May be NULL
 * @param event      One word with dashes: "call-start"
 * @param ...        Triples are not used: pairs of (const char *key, const char *value) ended by
 *                   a NULL key. Build numbers with log_num(). A NULL value prints as "-".
 */
void log_line(enum log_level level, const char *subsystem, const struct log_ctx *ctx,
              const char *event, ...) __attribute__((sentinel));

/** A number as text in a small per-thread ring of 16 slots; valid until 16 further calls. */
const char *log_num(int64_t n);
const char *log_ms(uint64_t us);   /**< microseconds printed as milliseconds, "12.3" */
const char *log_str(struct str s); /**< slice as text, cut at 199 bytes, in the same kind of ring */

#define log_debug(...) (log_enabled(LOG_DEBUG) ? log_line(LOG_DEBUG, __VA_ARGS__) : (void)0)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif
