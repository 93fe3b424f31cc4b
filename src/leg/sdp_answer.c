/* Choosing, and writing what was chosen (RFC 3264). */
#include "leg/sdp.h"

#include <inttypes.h>
#include <stdio.h>

enum { PTIME_DEFAULT_MS = 20, EVENT_PT_8K = 101, EVENT_PT_48K = 102 };

enum va_err sdp_prefs_parse(const char *text, struct sdp_prefs *ret_prefs, struct va_fault *fault)
{
    struct sdp_prefs prefs = {0};
    struct str rest = str_of(text);
    while (rest.len) {
        struct str name = str_trim(str_cut(&rest, ','));
        if (!name.len)
            continue;
        const struct codec_info *info = codec_by_setting(name);
        if (!info)
            return va_fault_set(fault, VA_ECONFIG,
                                "RTP_CODECS: %.*s is not a codec of ours; known are PCMU, PCMA, "
                                "G722, OPUS, L16, L16/8000",
                                STR_ARG(name));
        bool twice = false;
        for (size_t i = 0; i < prefs.count; i++)
            twice = twice || prefs.list[i] == info;
        if (!twice && prefs.count < SDP_PREFS_MAX)
            prefs.list[prefs.count++] = info;
    }
    if (!prefs.count)
        return va_fault_set(fault, VA_ECONFIG, "RTP_CODECS is empty; name at least PCMU");
    *ret_prefs = prefs;
    return VA_OK;
}

enum sdp_srtp sdp_srtp_policy(const char *text)
{
    if (str_ieqz(str_of(text), "required"))
        return SDP_SRTP_REQUIRED;
    return str_ieqz(str_of(text), "optional") ? SDP_SRTP_OPTIONAL : SDP_SRTP_OFF;
}

/* ---- choosing -------------------------------------------------------------------------------- */

static bool policy_allows(const struct sdp_audio *a, enum sdp_srtp srtp)
{
    return a->secure ? srtp != SDP_SRTP_OFF && a->crypto_count > 0 : srtp != SDP_SRTP_REQUIRED;
}

/* The line with SRTP if the policy allows it, else the one without. */
static const struct sdp_audio *choose_line(const struct sdp *theirs, enum sdp_srtp srtp)
{
    const struct sdp_audio *best = NULL;
    for (size_t i = 0; i < theirs->audio_count; i++) {
        const struct sdp_audio *a = &theirs->audio[i];
        if (a->usable && policy_allows(a, srtp) && (!best || (a->secure && !best->secure)))
            best = a;
    }
    return best;
}

static const struct sdp_codec *choose_codec(const struct sdp_audio *a,
                                            const struct sdp_prefs *prefs)
{
    for (size_t i = 0; i < prefs->count; i++)
        for (size_t k = 0; k < a->codec_count; k++)
            if (a->codecs[k].info == prefs->list[i])
                return &a->codecs[k];
    return NULL;
}

static void choose_event(const struct sdp_audio *a, int clock_hz, struct sdp_choice *choice)
{
    choice->event_pt = -1;
    for (size_t i = 0; i < a->event_count; i++) {
        if (choice->event_pt >= 0 && a->events[i].clock_hz != clock_hz)
            continue;
        choice->event_pt = a->events[i].pt;
        choice->event_hz = a->events[i].clock_hz;
        if (choice->event_hz == clock_hz)
            return;
    }
}

/* What they send we receive. Nothing is sent to the any-address, the hold of old. */
static enum sdp_direction our_direction(const struct sdp_audio *a)
{
    unsigned theirs = a->direction, ours = 0;
    if (theirs & SDP_SENDONLY)
        ours |= SDP_RECVONLY;
    if ((theirs & SDP_RECVONLY) && !net_addr_is_any(&a->rtp))
        ours |= SDP_SENDONLY;
    return (enum sdp_direction)ours;
}

enum va_err sdp_negotiate(const struct sdp *theirs, const struct sdp_prefs *prefs,
                          enum sdp_srtp srtp, struct sdp_choice *ret_choice)
{
    const struct sdp_audio *a = choose_line(theirs, srtp);
    const struct sdp_codec *codec = a ? choose_codec(a, prefs) : NULL;
    if (!codec)
        return VA_ENOTSUP;
    struct sdp_choice choice = {.codec = codec->info,
                                .pt = codec->pt,
                                .ptime_ms = a->ptime_ms ? a->ptime_ms : PTIME_DEFAULT_MS,
                                .line = a->line,
                                .rtp = a->rtp,
                                .rtcp = a->rtcp,
                                .rtcp_mux = a->rtcp_mux,
                                .direction = our_direction(a)};
    if (a->secure)
        choice.remote = a->crypto[0];
    choose_event(a, codec->info->clock_hz, &choice);
    *ret_choice = choice;
    return VA_OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static const char *direction_text(enum sdp_direction d)
{
    static const char *const names[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
    return names[d & SDP_SENDRECV];
}

static void print_head(const struct sdp_local *local, struct buf *out)
{
    char ip[NET_ADDR_TEXT];
    net_addr_ip(&local->rtp, ip);
    const char *kind = memchr(ip, ':', strlen(ip)) ? "IP6" : "IP4";
    buf_addf(out, "v=0\r\no=voice-ai %" PRIu64 " %" PRIu64 " IN %s %s\r\n", local->session_id,
             local->version, kind, ip);
    buf_addf(out, "s=voice-ai\r\nc=IN %s %s\r\nt=0 0\r\n", kind, ip);
}

static void print_codec(const struct codec_info *c, uint8_t pt, struct buf *out)
{
    buf_addf(out, "a=rtpmap:%u %s/%d", pt, c->name, c->clock_hz);
    if (c->channels > 1)
        buf_addf(out, "/%d", c->channels);
    buf_addz(out, "\r\n");
    if (c->fmtp)
        buf_addf(out, "a=fmtp:%u %s\r\n", pt, c->fmtp);
}

static void print_event(int pt, int clock_hz, struct buf *out)
{
    buf_addf(out, "a=rtpmap:%d telephone-event/%d\r\na=fmtp:%d 0-15\r\n", pt, clock_hz, pt);
}

static void print_tail(const struct sdp_local *local, bool mux, struct buf *out)
{
    buf_addf(out, "a=ptime:%d\r\n", local->ptime_ms ? local->ptime_ms : PTIME_DEFAULT_MS);
    if (mux)
        buf_addz(out, "a=rtcp-mux\r\n");
    if (local->rtcp_port && local->rtcp_port != net_addr_port(&local->rtp) + 1)
        buf_addf(out, "a=rtcp:%u\r\n", local->rtcp_port);
    if (local->crypto.suite != SDES_NONE) {
        char line[SDES_LINE];
        if (sdes_format(&local->crypto, line, sizeof(line)) == VA_OK)
            buf_addf(out, "a=crypto:%s\r\n", line);
    }
    buf_addf(out, "a=%s\r\n", direction_text(local->direction));
}

static const char *proto_of(const struct sdp_local *local)
{
    return local->crypto.suite != SDES_NONE ? "RTP/SAVP" : "RTP/AVP";
}

enum va_err sdp_print_answer(const struct sdp *offer, const struct sdp_choice *choice,
                             const struct sdp_local *local, struct buf *out)
{
    print_head(local, out);
    for (size_t i = 0; i < offer->line_count; i++) {
        const struct sdp_line *l = &offer->lines[i];
        if (i != choice->line) {
            buf_addf(out, "m=%s 0 %s %s\r\n", l->type, l->proto, l->format);
            continue;
        }
        buf_addf(out, "m=audio %u %s %u", net_addr_port(&local->rtp), proto_of(local), choice->pt);
        if (choice->event_pt >= 0)
            buf_addf(out, " %d", choice->event_pt);
        buf_addz(out, "\r\n");
        print_codec(choice->codec, choice->pt, out);
        if (choice->event_pt >= 0)
            print_event(choice->event_pt, choice->event_hz, out);
        print_tail(local, choice->rtcp_mux, out);
    }
    return out->err;
}

uint8_t sdp_offer_pt(const struct codec_info *codec)
{
    return (uint8_t)(codec->static_pt >= 0 ? codec->static_pt : 110 + (int)codec->id);
}

int sdp_offer_event_pt(int clock_hz)
{
    return clock_hz == 8000 ? EVENT_PT_8K : clock_hz == 48000 ? EVENT_PT_48K : -1;
}

/* The clocks of telephone-event that our codecs need. */
static bool offers_clock(const struct sdp_prefs *prefs, int clock_hz)
{
    for (size_t i = 0; i < prefs->count; i++)
        if (prefs->list[i]->clock_hz == clock_hz)
            return true;
    return false;
}

enum va_err sdp_print_offer(const struct sdp_prefs *prefs, const struct sdp_local *local,
                            struct buf *out)
{
    static const int clocks[] = {8000, 48000};
    print_head(local, out);
    buf_addf(out, "m=audio %u %s", net_addr_port(&local->rtp), proto_of(local));
    for (size_t i = 0; i < prefs->count; i++)
        buf_addf(out, " %u", sdp_offer_pt(prefs->list[i]));
    for (size_t i = 0; i < 2; i++)
        if (offers_clock(prefs, clocks[i]))
            buf_addf(out, " %d", sdp_offer_event_pt(clocks[i]));
    buf_addz(out, "\r\n");
    for (size_t i = 0; i < prefs->count; i++)
        print_codec(prefs->list[i], sdp_offer_pt(prefs->list[i]), out);
    for (size_t i = 0; i < 2; i++)
        if (offers_clock(prefs, clocks[i]))
            print_event(sdp_offer_event_pt(clocks[i]), clocks[i], out);
    print_tail(local, local->rtcp_port == 0, out);
    return out->err;
}
