/*
 * Reading a description. One pass over the lines; each line belongs to the session or to the m=
 * line before it. What is not understood is skipped: a description is long, and ours is a small
 * part of it.
 */
#include "leg/sdp.h"

#include <stdlib.h>

/* Everything of an audio line that is known before its rtpmap lines were all seen. */
struct format {
    uint8_t pt;
    bool mapped; /* a=rtpmap was seen */
};

struct reader {
    struct sdp *sdp;
    struct sdp_audio *audio; /* the m= line we are in, if it is an audio line we keep */
    bool in_media;
    /* of the session, for the media lines that do not say otherwise */
    struct net_addr address;
    bool has_address;
    enum sdp_direction direction;
    /* of the current audio line */
    struct format formats[SDP_CODECS_MAX];
    const struct codec_info *mapped[SDP_CODECS_MAX]; /* NULL: not ours */
    int event_hz[SDP_CODECS_MAX];                    /* 0: not telephone-event */
    size_t format_count;
    bool has_own_address, has_rtcp;
    uint16_t port, rtcp_port;
};

static bool small_number(struct str s, uint64_t max, uint64_t *ret)
{
    uint64_t n = 0;
    if (str_to_u64(s, &n) || n > max)
        return false;
    *ret = n;
    return true;
}

/* "IN IP4 192.0.2.1[/ttl]"; names are not looked up: nothing here may wait. */
static bool read_address(struct str value, struct net_addr *ret)
{
    struct str rest = value, net = str_word(&rest), kind = str_word(&rest), host = str_word(&rest);
    bool known = str_eqz(net, "IN") && (str_eqz(kind, "IP4") || str_eqz(kind, "IP6"));
    struct str ip = str_cut(&host, '/');
    char text[NET_ADDR_TEXT];
    return known && str_copy(text, sizeof(text), ip) && net_addr_parse(text, 0, ret) == VA_OK;
}

/* ---- the end of an audio line ---------------------------------------------------------------- */

static void keep_format(const struct reader *r, struct sdp_audio *a, size_t i)
{
    uint8_t pt = r->formats[i].pt;
    if (r->event_hz[i]) {
        if (a->event_count < SDP_EVENTS_MAX)
            a->events[a->event_count++] = (struct sdp_event){pt, r->event_hz[i]};
        return;
    }
    const struct codec_info *info =
        r->formats[i].mapped ? r->mapped[i] : codec_by_static_pt((int)pt);
    if (info)
        a->codecs[a->codec_count++] = (struct sdp_codec){info, pt};
}

static void finish_audio(struct reader *r)
{
    struct sdp_audio *a = r->audio;
    if (!a)
        return;
    r->audio = NULL;
    for (size_t i = 0; i < r->format_count; i++)
        keep_format(r, a, i);
    if (!r->has_own_address)
        a->rtp = r->address;
    bool reachable = (r->has_own_address || r->has_address) && r->port;
    net_addr_set_port(&a->rtp, r->port);
    if (!r->has_rtcp) {
        a->rtcp = a->rtp;
        r->rtcp_port = r->port < 65535 ? (uint16_t)(r->port + 1) : 0;
    } else if (!a->rtcp.u.sa.sa_family) {
        a->rtcp = a->rtp;
    }
    net_addr_set_port(&a->rtcp, r->rtcp_port);
    a->usable = a->usable && reachable;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void read_formats(struct reader *r, struct str rest)
{
    r->format_count = 0;
    while (rest.len && r->format_count < SDP_CODECS_MAX) {
        uint64_t pt = 0;
        if (!small_number(str_word(&rest), 127, &pt))
            continue;
        size_t i = r->format_count++;
        r->formats[i] = (struct format){(uint8_t)pt, false};
        r->mapped[i] = NULL;
        r->event_hz[i] = 0;
    }
}

static void begin_audio(struct reader *r, struct str proto, struct str formats)
{
    struct sdp *sdp = r->sdp;
    struct sdp_audio *a = &sdp->audio[sdp->audio_count++];
    r->audio = a;
    a->line = sdp->line_count - 1;
    a->rtp.u.sa.sa_family = AF_INET;
    a->direction = r->direction;
    a->secure = str_eqz(proto, "RTP/SAVP");
    a->usable = a->secure || str_eqz(proto, "RTP/AVP");
    r->has_own_address = r->has_rtcp = false;
    read_formats(r, formats);
}

/* An answer repeats it, so nothing odd may be in it. */
static bool printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    return s.len > 0;
}

static enum va_err read_media(struct reader *r, struct str value)
{
    finish_audio(r);
    r->in_media = true;
    struct sdp *sdp = r->sdp;
    if (sdp->line_count == SDP_LINES_MAX)
        return VA_ELIMIT;
    struct str rest = value, type = str_word(&rest), ports = str_word(&rest),
               proto = str_word(&rest);
    uint64_t port = 0;
    struct str formats = rest, first = str_word(&rest);
    if (!printable(type) || !printable(proto) || !printable(first) ||
        !small_number(str_cut(&ports, '/'), 65535, &port))
        return VA_EPROTO;
    struct sdp_line *line = &sdp->lines[sdp->line_count++];
    (void)str_copy(line->type, sizeof(line->type), type);
    (void)str_copy(line->proto, sizeof(line->proto), proto);
    (void)str_copy(line->format, sizeof(line->format), first);
    r->port = (uint16_t)port;
    if (str_eqz(type, "audio") && sdp->audio_count < SDP_AUDIO_MAX)
        begin_audio(r, proto, formats);
    return VA_OK;
}

static void read_connection(struct reader *r, struct str value)
{
    struct net_addr addr;
    if (!read_address(value, &addr))
        return;
    if (r->audio) {
        r->audio->rtp = addr;
        r->has_own_address = true;
    } else if (!r->in_media) {
        r->address = addr;
        r->has_address = true;
    }
}

/* "97 opus/48000/2" */
static void read_rtpmap(struct reader *r, struct str value)
{
    struct str rest = value;
    uint64_t pt = 0, clock = 0, channels = 1;
    if (!small_number(str_word(&rest), 127, &pt))
        return;
    struct str name = str_cut(&rest, '/'), hz = str_cut(&rest, '/');
    if (!small_number(str_trim(hz), 192000, &clock) ||
        (rest.len && !small_number(str_trim(rest), 8, &channels)))
        return;
    for (size_t i = 0; i < r->format_count; i++) {
        if (r->formats[i].pt != pt || r->formats[i].mapped)
            continue;
        r->formats[i].mapped = true;
        r->mapped[i] = codec_by_rtpmap(name, (int)clock, (int)channels);
        if (str_ieqz(name, "telephone-event"))
            r->event_hz[i] = (int)clock;
    }
}

/* "53020[ IN IP4 126.16.64.4]" */
static void read_rtcp(struct reader *r, struct str value)
{
    struct str rest = value;
    uint64_t port = 0;
    if (!small_number(str_word(&rest), 65535, &port))
        return;
    struct net_addr addr;
    if (rest.len && !read_address(rest, &addr))
        return;
    r->has_rtcp = true;
    r->rtcp_port = (uint16_t)port;
    if (rest.len)
        r->audio->rtcp = addr;
}

static void read_crypto(struct reader *r, struct str value)
{
    struct sdp_audio *a = r->audio;
    struct sdes_crypto key;
    if (a->crypto_count < SDP_CRYPTO_MAX && sdes_parse(value, &key) == VA_OK)
        a->crypto[a->crypto_count++] = key;
}

static bool read_direction(struct str name, enum sdp_direction *ret)
{
    static const char *const names[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
    for (int i = 0; i < 4; i++) {
        if (str_eqz(name, names[i])) {
            *ret = (enum sdp_direction)i;
            return true;
        }
    }
    return false;
}

static void read_attribute(struct reader *r, struct str value)
{
    struct str rest = value, name = str_cut(&rest, ':');
    enum sdp_direction direction;
    if (read_direction(str_trim(name), &direction)) {
        if (r->audio)
            r->audio->direction = direction;
        else if (!r->in_media)
            r->direction = direction;
        return;
    }
    if (!r->audio)
        return;
    uint64_t ms = 0;
    if (str_eqz(name, "rtpmap"))
        read_rtpmap(r, rest);
    else if (str_eqz(name, "rtcp"))
        read_rtcp(r, rest);
    else if (str_eqz(str_trim(name), "rtcp-mux"))
        r->audio->rtcp_mux = true;
    else if (str_eqz(name, "crypto"))
        read_crypto(r, rest);
    else if (str_eqz(name, "ptime") && small_number(str_trim(rest), 1000, &ms))
        r->audio->ptime_ms = media_ptime_valid((int)ms) ? (int)ms : 0;
}

static enum va_err read_line(struct reader *r, struct str line)
{
    if (line.len < 2 || line.p[1] != '=')
        return VA_EPROTO;
    struct str value = str_make(line.p + 2, line.len - 2);
    switch (line.p[0]) {
    case 'm': return read_media(r, value);
    case 'c': read_connection(r, value); break;
    case 'a': read_attribute(r, value); break;
    default: break;
    }
    return VA_OK;
}

enum va_err sdp_parse(struct str text, struct sdp *ret_sdp)
{
    if (text.len > SDP_TEXT_MAX)
        return VA_ELIMIT;
    *ret_sdp = (struct sdp){0};
    struct reader r = {.sdp = ret_sdp, .direction = SDP_SENDRECV};
    r.address.u.sa.sa_family = AF_INET;
    struct str rest = text;
    bool first = true;
    while (rest.len) {
        struct str line = str_trim(str_cut(&rest, '\n'));
        if (!line.len)
            continue;
        if (first && !str_eqz(line, "v=0"))
            return VA_EPROTO;
        first = false;
        enum va_err err = read_line(&r, line);
        if (err)
            return err;
    }
    finish_audio(&r);
    return first ? VA_EPROTO : VA_OK;
}
