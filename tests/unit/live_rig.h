/** tests/unit/live_rig.h: the contract's rig for tests of one dialect: opened against its fake,
 * then spoken to in its own words. */
#ifndef VA_LIVE_RIG_H
#define VA_LIVE_RIG_H

#include "contract/provider_rig.h"

#ifndef LIVE_KIND /* of the remote's messages */
#define LIVE_KIND WS_TEXT
#endif

static inline void live_begin(struct rig *r, const struct contract_case *with)
{
    rig_begin(r, with);
    rig_open(r);
    RIG_UNTIL(r, r->ready || r->failed);
    assert_false(r->failed);
}

static inline void server_says(struct rig *r, const char *z)
{
    fake_send(&r->fake, LIVE_KIND, str_of(z));
}

/** It cannot begin, and says which setting is missing. */
static inline void live_misses(struct rig *r, const char *setting)
{
    rig_open(r);
    RIG_UNTIL(r, r->failed);
    assert_int_equal(r->why, VA_ECONFIG);
    assert_non_null(strstr(r->cause, setting));
    rig_end(r);
}

enum { LIVE_MESSAGE_MAX = 256 };

/** Every message of a list, cut at every byte and with every byte changed: a hundred without sense
 *  are enough, then the conversation is over. */
static inline void live_cut_and_garbled(const struct contract_case *with,
                                        const char *const *messages, size_t count)
{
    struct rig r;
    live_begin(&r, with);
    for (size_t m = 0; m < count; m++)
        for (size_t i = 0, n = strlen(messages[m]); i < n && !r.failed; i++) {
            char copy[LIVE_MESSAGE_MAX];
            assert_true(str_copy(copy, sizeof(copy), str_of(messages[m])));
            copy[i] = (char)(copy[i] == '7' ? '{' : '7');
            fake_send(&r.fake, LIVE_KIND, str_make(messages[m], i));
            fake_send(&r.fake, LIVE_KIND, str_of(copy));
            if (i % 16 == 0)
                rig_settle(&r, 1);
        }
    RIG_UNTIL(&r, r.failed);
    assert_int_equal(r.why, VA_EPROTO);
    rig_end(&r);
}

#define LIVE_CUT_AND_GARBLED(with, messages)                                                       \
    live_cut_and_garbled(with, messages, sizeof(messages) / sizeof((messages)[0]))

#endif
