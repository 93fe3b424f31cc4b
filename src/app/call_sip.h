/**
 * app/call_sip.h: `voice-ai call --sip`: a phone. It calls a running daemon by SIP, without
 * FreeSWITCH, and does the steps of a script that a phone can do: wait, say, wav, dtmf, sleep,
 * expect speech, silence or hangup, hang up.
 */
#ifndef VA_APP_CALL_SIP_H
#define VA_APP_CALL_SIP_H

#include "base/settings.h"
#include "fakefs/report.h"
#include "fakefs/script.h"
#include "media/clock.h"
#include "media/wav.h"

struct call_sip_cfg {
    const struct settings *settings; /**< RTP_*; borrowed like all of it */
    const char *host;                /**< numeric address */
    uint16_t port;
    const char *number, *from, *from_name;
    int rate_hz;
    const struct script *script; /**< with its audio loaded */
    uint64_t timeout_ms;
    struct report *report;
    struct media_clock *clock;
    struct wav_writer *wav; /**< stereo: caller left, agent right; may be NULL */
    const char *recording;  /**< its path, for the report */
};

/**
 * One call. Blocks: turns the loop until it is over.
 *
 * @param ret_passed  The agent was heard and every step went as written
 * @return VA_OK, VA_ENOTSUP (a step that needs FreeSWITCH), VA_EREFUSED (the call was refused), …
 */
VA_CHECK enum va_err call_sip_run(struct loop *loop, const struct call_sip_cfg *cfg,
                                  bool *ret_passed, struct va_fault *fault);

#endif
