#include "leg/secure.h"

#include <pthread.h>
#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(SECURE_GROWTH >= SRTP_MAX_TRAILER_LEN + 4, "libsrtp's trailer and the SRTCP index");

/* Under AES_CM_128_HMAC_SHA1_32 the tag of SRTCP stays long (RFC 4568 §6.2.2). FreeSWITCH (1.10.12,
 * switch_rtp.c) makes it short all the same, so both are understood. Which one we send is settled
 * once, by the far end's first report: each has a count of its own, and a key must not meet the
 * same number twice. */
enum tag { TAG_OPEN, TAG_LONG, TAG_SHORT };

struct secure {
    srtp_t send, receive;
    srtp_t send_short, receive_short;     /* SRTCP with a short tag; NULL but under _32 */
    enum tag tag;                         /* of what we send */
    unsigned withheld;                    /* reports not sent while that was open */
    uint32_t senders[SECURE_SENDERS_MAX]; /* SSRCs that libsrtp has a context for, oldest next */
    unsigned sender_count, oldest;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool started;

static void start_library(void)
{
    started = srtp_init() == srtp_err_status_ok;
}

static bool set_suite(srtp_policy_t *policy, enum sdes_suite suite, bool short_tag)
{
    if (suite != SDES_AES_CM_128_SHA1_80 && suite != SDES_AES_CM_128_SHA1_32)
        return false;
    if (suite == SDES_AES_CM_128_SHA1_80)
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtp);
    else
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy->rtp);
    if (short_tag)
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy->rtcp);
    else
        srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy->rtcp);
    return true;
}

static enum va_err make(const struct sdes_crypto *key, srtp_ssrc_type_t direction, bool short_tag,
                        srtp_t *ret)
{
    srtp_policy_t policy;
    uint8_t copy[SDES_KEY_BYTES];
    memset(&policy, 0, sizeof(policy));
    if (!set_suite(&policy, key->suite, short_tag))
        return VA_EINVAL;
    memcpy(copy, key->key, sizeof(copy));
    policy.ssrc.type = direction;
    policy.key = copy;
    policy.window_size = 128;
    srtp_err_status_t status = srtp_create(ret, &policy);
    explicit_bzero(copy, sizeof(copy));
    if (status == srtp_err_status_alloc_fail)
        return VA_ENOMEM;
    return status == srtp_err_status_ok ? VA_OK : VA_ENOTSUP;
}

enum va_err secure_new(const struct sdes_crypto *send_key, const struct sdes_crypto *receive_key,
                       struct secure **ret_secure)
{
    (void)pthread_once(&once, start_library);
    if (!started)
        return VA_ENOTSUP;
    struct secure *s = calloc(1, sizeof(*s));
    if (!s)
        return VA_ENOMEM;
    enum va_err err = make(send_key, ssrc_any_outbound, false, &s->send);
    if (!err)
        err = make(receive_key, ssrc_any_inbound, false, &s->receive);
    if (!err && receive_key->suite == SDES_AES_CM_128_SHA1_32)
        err = make(receive_key, ssrc_any_inbound, true, &s->receive_short);
    s->tag = s->receive_short ? TAG_OPEN : TAG_LONG;
    if (!err && s->receive_short)
        err = make(send_key, ssrc_any_outbound, true, &s->send_short);
    if (err) {
        secure_free(&s);
        return err;
    }
    *ret_secure = s;
    return VA_OK;
}

void secure_free(struct secure **ps)
{
    struct secure *s = ps ? *ps : NULL;
    if (!s)
        return;
    *ps = NULL;
    if (s->send)
        (void)srtp_dealloc(s->send);
    if (s->receive)
        (void)srtp_dealloc(s->receive);
    if (s->send_short)
        (void)srtp_dealloc(s->send_short);
    if (s->receive_short)
        (void)srtp_dealloc(s->receive_short);
    free(s);
}

/* @return NULL: not yet */
static srtp_t report_context(struct secure *s)
{
    if (s->tag == TAG_OPEN && s->withheld++ == SECURE_WITHHELD_MAX)
        s->tag = TAG_LONG;
    return s->tag == TAG_LONG ? s->send : s->tag == TAG_SHORT ? s->send_short : NULL;
}

size_t secure_seal(struct secure *s, bool rtcp, void *p, size_t len)
{
    int n = (int)len;
    srtp_t report = rtcp ? report_context(s) : NULL;
    srtp_err_status_t status = srtp_err_status_fail;
    if (!rtcp)
        status = srtp_protect(s->send, p, &n);
    else if (report)
        status = srtp_protect_rtcp(report, p, &n);
    return status == srtp_err_status_ok && n > 0 ? (size_t)n : 0;
}

/* libsrtp makes a context for each SSRC that the key vouches for, without a bound of its own. */
static void note_sender(struct secure *s, uint32_t ssrc)
{
    for (unsigned i = 0; i < s->sender_count; i++)
        if (s->senders[i] == ssrc)
            return;
    if (s->sender_count < SECURE_SENDERS_MAX) {
        s->senders[s->sender_count++] = ssrc;
        return;
    }
    (void)srtp_remove_stream(s->receive, s->senders[s->oldest]);
    if (s->receive_short)
        (void)srtp_remove_stream(s->receive_short, s->senders[s->oldest]);
    s->senders[s->oldest] = ssrc;
    s->oldest = (s->oldest + 1) % SECURE_SENDERS_MAX;
}

/* Read with the wrong length of tag, a report fails in any way: its index stands elsewhere. What
 * has failed may have been changed, so a copy is kept. */
static srtp_err_status_t open_report(struct secure *s, void *p, int *n)
{
    uint8_t copy[SECURE_REPORT_MAX];
    size_t len = (size_t)*n;
    bool again = s->receive_short && len <= sizeof(copy);
    if (again)
        memcpy(copy, p, len);
    enum tag tag = TAG_LONG;
    srtp_err_status_t status = srtp_unprotect_rtcp(s->receive, p, n);
    if (status != srtp_err_status_ok && again) {
        memcpy(p, copy, len);
        *n = (int)len;
        tag = TAG_SHORT;
        status = srtp_unprotect_rtcp(s->receive_short, p, n);
    }
    if (status == srtp_err_status_ok && s->tag == TAG_OPEN)
        s->tag = tag;
    return status;
}

enum secure_verdict secure_open(struct secure *s, bool rtcp, void *p, size_t len, size_t *ret_len)
{
    int n = (int)len;
    size_t at = rtcp ? 4 : 8;
    uint32_t ssrc = 0;
    if (len < at + 4 || len > INT32_MAX)
        return SECURE_FORGED;
    memcpy(&ssrc, (uint8_t *)p + at, sizeof(ssrc)); /* network order, as libsrtp keeps it */
    srtp_err_status_t status = rtcp ? open_report(s, p, &n) : srtp_unprotect(s->receive, p, &n);
    if (status == srtp_err_status_replay_fail || status == srtp_err_status_replay_old)
        return SECURE_REPLAYED;
    if (status != srtp_err_status_ok || n < 0)
        return SECURE_FORGED;
    note_sender(s, ssrc);
    *ret_len = (size_t)n;
    return SECURE_OK;
}

void secure_shorten(struct secure *s)
{
    if (s->send_short)
        s->tag = TAG_SHORT;
}
