/**
 * fakefs/rtp.h: RTP without a jitter buffer, for measuring: each packet is heard when it arrived at
 * the kernel, in the order of arrival.
 *
 *     frames at rate_hz ─► resample ─ encode ─► socket ─► program
 *     on_frame ◄─ resample ◄─ decode ◄───────── socket ◄─ program
 *
 * Its own code, not leg/rtp_stream: what that does wrong must not cancel out. No RTCP, no SRTP. On
 * the loop's thread.
 */
#ifndef VA_FAKEFS_RTP_H
#define VA_FAKEFS_RTP_H

#include "fakefs/sock.h"
#include "media/codec.h"

struct fakefs_rtp;

/** `n` samples at the rate of the frames; not always the same number. May close the stream. */
typedef void(fakefs_rtp_frame_h)(void *arg, uint64_t at_us, const int16_t *pcm, size_t n);

struct fakefs_rtp_cfg {
    struct loop *loop;     /**< borrowed */
    struct net_addr local; /**< port 0: any */
    int rate_hz, ptime_ms; /**< of the frames on our side, media_format_valid() */
};

/** @return VA_OK, VA_ENOMEM, VA_ELIMIT, VA_EINVAL, … of the socket */
VA_CHECK enum va_err fakefs_rtp_open(const struct fakefs_rtp_cfg *cfg, fakefs_rtp_frame_h *on_frame,
                                     void *arg, struct fakefs_rtp **ret);
/** No callback follows. NULL-safe. */
void fakefs_rtp_close(struct fakefs_rtp **r);
uint16_t fakefs_rtp_port(const struct fakefs_rtp *r);

/** What offer and answer agreed on. */
struct fakefs_rtp_remote {
    struct net_addr to; /**< the program's c= and m= */
    const struct codec_info *codec;
    uint8_t send_pt, receive_pt;
    int event_pt, event_hz; /**< the program's telephone-event; −1: none */
};
/** Set or replace it. @return VA_OK, VA_ENOMEM, VA_EINVAL; on failure all stays as it was */
VA_CHECK enum va_err fakefs_rtp_set(struct fakefs_rtp *r, const struct fakefs_rtp_remote *remote);

/** A frame of the caller, or a digit's packet in its place. @return false: nothing went out */
bool fakefs_rtp_send(struct fakefs_rtp *r, const int16_t *pcm, size_t n);
/** In the frame's handler: by its marker or its timestamp it keeps no step with the one before. */
bool fakefs_rtp_begins(const struct fakefs_rtp *r);
/** The frame's time passes without a packet. */
void fakefs_rtp_skip(struct fakefs_rtp *r);
/** After those before it. @return VA_OK, VA_ENOTSUP (no telephone-event), VA_EINVAL, VA_ELIMIT */
VA_CHECK enum va_err fakefs_rtp_digit(struct fakefs_rtp *r, char digit, unsigned ms);

struct fakefs_rtp_stats {
    uint64_t sent, received;
    uint64_t odd;  /**< RTP that was not agreed, broken, or no RTP at all; RTCP is not counted */
    uint64_t lost; /**< by sequence number */
};
void fakefs_rtp_stats(const struct fakefs_rtp *r, struct fakefs_rtp_stats *ret);

/** `count` loud packets that look like the caller's, from another port. */
void fakefs_rtp_inject_foreign(struct fakefs_rtp *r, unsigned count);
/** Datagrams that are no RTP, from the right port. */
void fakefs_rtp_inject_garbage(struct fakefs_rtp *r, unsigned count);

#endif
