/*
 * Nothing comes any more. A phone that suppresses silence may send nothing while its caller
 * listens, also without saying so by comfort noise (RFC 3389) or living on by RTCP. Is it that, or
 * is the way to us lost?
 *
 *     a direct call ───► OPTIONS in the dialog: whoever answers has the call
 *     by FreeSWITCH ───► how many packets of the caller has it heard? Counted twice:
 *                           more of them     they do not reach us; another mode may do better
 *                           as many          the caller sends nothing, which no mode can help
 *
 * Measured (FreeSWITCH 1.10.12, a bridge to us): the counts are those of the newest
 * uuid_set_media_stats; a caller who stops sending is not made up for.
 */
#include "leg/rtp_int.h"

#include <stdio.h>

enum {
    SECOND_MS = 1000, /* between the two counts; speech is 20 packets or more in it */
    SPEECH_PACKETS = 8,
    AGAIN_MS = 15000, /* between two OPTIONS */
    COUNT_MS = 3000   /* FreeSWITCH's time to count */
};

static void on_look(void *arg);

/* Look again in so long whether anything came. */
static void look_in(struct leg *leg, uint64_t ms)
{
    tmr_start(&leg->watch, leg->loop, ms, on_look, leg);
}

static uint64_t limit_ms(const struct leg *leg)
{
    return (uint64_t)leg->settings->media_lost_timeout_ms;
}

static uint64_t longer(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- by FreeSWITCH --------------------------------------------------------------------------- */

static void judge(struct leg *leg, uint64_t packets)
{
    struct rtp_quiet *q = &leg->quiet;
    bool second = q->counted;
    bool hears = second && packets >= q->packets + SPEECH_PACKETS;
    q->counted = true;
    q->packets = packets;
    if (hears)
        rtp_lost(leg);
    else
        look_in(leg, second ? limit_ms(leg) : SECOND_MS);
}

static void on_count(void *arg, const struct esl_result *r)
{
    struct leg *leg = arg;
    uint64_t packets = 0;
    if (!r->done || !leg->quiet.asked)
        return;
    leg->quiet.asked = false;
    if (leg->state != RTP_FLOWING || r->err == VA_ECANCELED || r->err == VA_ECLOSED)
        return; /* of the latter its own events tell */
    if (r->err || str_to_u64(str_trim(r->text), &packets))
        rtp_lost(leg); /* nothing speaks against it */
    else
        judge(leg, packets);
}

static enum va_err ask_freeswitch(struct leg *leg)
{
    char line[100];
    struct str uuid = esl_session_uuid(leg->control);
    (void)snprintf(line, sizeof(line), "uuid_set_media_stats %.*s", STR_ARG(uuid));
    enum va_err err = esl_session_api(leg->control, str_of(line), NULL);
    return err ? err
               : esl_session_getvar(leg->control, "rtp_audio_in_media_packet_count",
                                    &(struct esl_then){on_count, leg, COUNT_MS});
}

/* ---- a direct call --------------------------------------------------------------------------- */

void rtp_quiet_probed(void *arg, int status)
{
    struct leg *leg = arg;
    if (!leg->quiet.asked || leg->state != RTP_FLOWING)
        return;
    leg->quiet.asked = false;
    if (status == 408 || status == 481 || status == 503)
        rtp_lost(leg);
    else
        look_in(leg, longer(AGAIN_MS, limit_ms(leg)));
}

/* If nobody answers, the next look finds it asked. */
static enum va_err ask_phone(struct leg *leg)
{
    enum va_err err = sip_call_probe(leg->call);
    if (!err)
        look_in(leg, limit_ms(leg));
    return err;
}

/* @return false: nobody can be asked, or nobody has answered */
static bool ask(struct leg *leg)
{
    if (leg->quiet.asked)
        return false;
    leg->quiet.asked = true;
    return (leg->control ? ask_freeswitch(leg) : ask_phone(leg)) == VA_OK;
}

/* ---- the watch ------------------------------------------------------------------------------- */

/* What came by now counts from here on. */
static void note_signs(struct leg *leg, const struct rtp_stream_stats *st)
{
    leg->seen_at_watch = st->packets_in + st->rtcp_in;
    leg->quiet = (struct rtp_quiet){.strangers = st->foreign + st->forged};
}

/* Who holds us, or has said that he is silent, may send nothing for as long as he likes. What comes
 * and is not taken is no silence. */
static void on_look(void *arg)
{
    struct leg *leg = arg;
    struct rtp_stream_stats st;
    rtp_stream_stats(leg->stream, &st);
    bool quiet = st.packets_in + st.rtcp_in == leg->seen_at_watch &&
                 leg->direction == SDP_SENDRECV && !st.pauses;
    if (!quiet) {
        note_signs(leg, &st);
        look_in(leg, limit_ms(leg));
    } else if (st.foreign + st.forged > leg->quiet.strangers || !ask(leg)) {
        rtp_lost(leg);
    }
}

void rtp_quiet_watch(struct leg *leg)
{
    struct rtp_stream_stats st;
    rtp_stream_stats(leg->stream, &st);
    note_signs(leg, &st);
    look_in(leg, limit_ms(leg));
}
