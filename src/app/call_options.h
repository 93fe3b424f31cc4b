/** app/call_options.h: the options of `voice-ai call`, and the script they stand for. */
#ifndef VA_APP_CALL_OPTIONS_H
#define VA_APP_CALL_OPTIONS_H

#include "base/buf.h"
#include "base/settings.h"
#include "fakefs/call.h"
#include "media/format.h"

enum { CALL_VARS_MAX = 64, CALL_TURNS_MAX = 100 };

/** One --say or --wav, in the order given. */
struct call_turn {
    bool file;
    const char *text;
};

/** Plain data; strings borrow from argv. */
struct call_options {
    char host[64];
    uint16_t port;
    const char *sip;    /**< --sip as written, NULL: by the Event Socket */
    const char *codecs; /**< NULL: by rate_hz */
    const char *stream; /**< --stream as written, NULL: the daemon asks for streams */
    char stream_url[512];
    char listen_host[64];
    uint16_t listen_port;
    char sip_to[300]; /**< "sip:8000@127.0.0.1:5090" */
    const char *number, *from, *from_name, *voice, *script, *wav_out;
    const char *var[CALL_VARS_MAX]; /**< "name=value" */
    size_t var_count;
    char language_var[80]; /**< "default_language=…" or "" */
    struct call_turn turn[CALL_TURNS_MAX];
    size_t turn_count;
    const char *dtmf;
    int64_t at_ms; /**< −1: when the greeting is over */
    uint64_t rate_hz, ptime_ms, calls, rate, hold_s, timeout_s, human_rings_ms, human_talks_ms;
    uint64_t settle_s;
    enum fakefs_human human;
    enum fakefs_silence silence;
    enum fakefs_module module;
    bool unanswered, json, quiet, help;
};

/** @return VA_OK, VA_EINVAL with a line for the user */
VA_CHECK enum va_err call_options_read(const struct settings *s, int argc, char **argv,
                                       struct call_options *ret, struct va_fault *fault);
/** The steps that --say, --wav, --at, --dtmf and --hold stand for, as script text. */
void call_options_script(const struct call_options *o, struct buf *out);
extern const char call_options_help[];

#endif
