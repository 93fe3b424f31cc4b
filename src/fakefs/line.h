/**
 * fakefs/line.h: SIP calls that fakefs places, with their audio: as a phone towards the program's
 * SIP port, or as FreeSWITCH does for `bridge sofia/…`.
 *
 *     fakefs_sip   one user agent (leg/sip_ua) for all lines, started with the first
 *     line ──INVITE, offer──► program       on_up with the answer, on_ended with its end
 *     line ◄────── RTP ─────► program       fakefs/rtp.h
 *
 * On the loop's thread; no handler is called from inside a function of this file.
 */
#ifndef VA_FAKEFS_LINE_H
#define VA_FAKEFS_LINE_H

#include "base/settings.h"
#include "fakefs/rtp.h"

struct fakefs_sip;
struct fakefs_line;

/** @param lines_max  more are refused. @return VA_OK, VA_ENOMEM */
VA_CHECK enum va_err fakefs_sip_new(const struct settings *settings, struct loop *loop,
                                    unsigned lines_max, struct fakefs_sip **ret);
/** Lines are closed first. Waits for the answers to what they said last, at most
 *  SIP_STOP_LIMIT_MS. NULL-safe. */
void fakefs_sip_free(struct fakefs_sip **sip);

struct fakefs_line_cfg {
    const char *to;        /**< "sip:8000@127.0.0.1:5090", host numeric; checked */
    const char *from;      /**< caller's number, may be NULL */
    const char *name;      /**< caller's name, may be NULL */
    const char *codecs;    /**< offered, as RTP_CODECS: "PCMU,PCMA" */
    int rate_hz, ptime_ms; /**< of the frames */
};

/** How a line ended. */
struct fakefs_line_end {
    int status;    /**< SIP; 200: BYE */
    bool by_peer;  /**< false: by us */
    char text[96]; /**< safe to print */
};

struct fakefs_line_handlers {
    /** Answered: audio flows both ways. `what` for a person: "PCMU with 127.0.0.1:10000". */
    void (*on_up)(void *arg, const char *what);
    fakefs_rtp_frame_h *on_frame;
    /** REFER: fakefs_line_referred() is due. `number`: the URI's user part, a stranger's word. */
    void (*on_refer)(void *arg, const char *number);
    /** Once and last; fakefs_line_close() is still due. */
    void (*on_ended)(void *arg, const struct fakefs_line_end *end);
};

/** Place the call. Texts are copied. @return VA_OK, VA_EINVAL (address, codecs, words), VA_ENOMEM,
 *  VA_ELIMIT, … of the user agent; `fault` says why */
VA_CHECK enum va_err fakefs_line_open(struct fakefs_sip *sip, const struct fakefs_line_cfg *cfg,
                                      const struct fakefs_line_handlers *h, void *arg,
                                      struct fakefs_line **ret, struct va_fault *fault);
/** BYE if it is up; no handler follows. NULL-safe. */
void fakefs_line_close(struct fakefs_line **line);

bool fakefs_line_up(const struct fakefs_line *line);
/** Frames, digits, figures and faults; before on_up nothing goes out. Borrowed. */
struct fakefs_rtp *fakefs_line_rtp(struct fakefs_line *line);
/** BYE, CANCEL. on_ended follows. */
void fakefs_line_bye(struct fakefs_line *line);
/** What became of on_refer: 200 … 699. */
void fakefs_line_referred(struct fakefs_line *line, int status);

#endif
