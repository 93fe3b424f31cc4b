/* A session description of a stranger: read, chosen from, answered; the answer must be read again
 * and be about the same stream. Corpus: tests/corpus/sdp. */
#include "leg/sdp.h"
#include "leg/sip_body.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void answer(const struct sdp *offer, const struct sdp_choice *choice)
{
    struct sdp_local local = {.session_id = 1, .version = 1, .rtcp_port = 10001};
    require(net_addr_parse("192.0.2.1", 10000, &local.rtp) == VA_OK);
    local.direction = choice->direction;
    local.ptime_ms = choice->ptime_ms;
    if (choice->remote.suite != SDES_NONE)
        sdes_make(choice->remote.suite, choice->remote.tag, &local.crypto);
    struct buf out;
    buf_init(&out, SDP_TEXT_MAX);
    require(sdp_print_answer(offer, choice, &local, &out) == VA_OK);
    struct sdp again;
    require(sdp_parse(buf_str(&out), &again) == VA_OK);
    require(again.line_count == offer->line_count && again.audio_count == offer->audio_count);
    struct sdp_prefs one = {{choice->codec}, 1};
    struct sdp_choice second;
    require(sdp_negotiate(&again, &one, SDP_SRTP_OPTIONAL, &second) == VA_OK);
    require(second.codec == choice->codec && second.pt == choice->pt &&
            second.line == choice->line && second.event_pt == choice->event_pt &&
            second.remote.suite == choice->remote.suite);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum sdp_srtp policies[] = {SDP_SRTP_OFF, SDP_SRTP_OPTIONAL, SDP_SRTP_REQUIRED};
    struct str text = str_make((const char *)data, size);
    struct sdp_prefs prefs;
    struct sdp sdp;
    struct sdp_choice choice;
    require(sdp_prefs_parse("OPUS,PCMU,PCMA,G722,L16,L16/8000", &prefs, NULL) == VA_OK);
    (void)sip_dtmf_digit(str_of("application/dtmf-relay"), text);
    (void)sip_frag_status(text);
    if (sdp_parse(text, &sdp))
        return 0;
    for (size_t i = 0; i < 3; i++)
        if (sdp_negotiate(&sdp, &prefs, policies[i], &choice) == VA_OK)
            answer(&sdp, &choice);
    return 0;
}
