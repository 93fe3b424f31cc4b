/**
 * esl/registration.h: is one extension reachable, and where? FreeSWITCH is asked for this very user
 * (`sofia status profile P user U@D`), not for the whole table and not for a part of a contact,
 * which is what `… reg X` looks for.
 *
 * Source: mod_sofia.c cmd_status(), show_reg_callback() 1.10.12.
 */
#ifndef VA_ESL_REGISTRATION_H
#define VA_ESL_REGISTRATION_H

#include "esl/switch.h"

/**
 * Ask for every registration of a user at one profile. esl_registrations_read() reads the result.
 *
 * @param profile  Name of a SIP profile ("internal")
 * @param user     Exactly, upper and lower case too ("1001"); printable, no blank, '@', quotes or
 *                 backslash
 * @param domain   As the user
 */
VA_CHECK enum va_err esl_registration(struct esl_switch *sw, const char *profile, const char *user,
                                      const char *domain, const struct esl_then *then);

/** One phone of a user. Borrowed from the text; what FreeSWITCH does not say is empty or 0. */
struct esl_registration {
    struct str call_id;
    struct str user, domain;
    struct str contact; /**< as the phone wrote it: `"Name" <sip:1001@192.0.2.1:5060;…>` */
    struct str agent;   /**< the phone's make, as it says */
    struct str status;  /**< "Registered(UDP)", "Registered(UDP-NAT)", … */
    int64_t expires_s;  /**< until it must register again [s]; below 0: it is late */
    struct str host;    /**< FreeSWITCH it is registered at */
    struct str ip;      /**< where its packets come from */
    uint16_t port;
    struct str auth_user, auth_realm;
};

/** A cursor over the text of a result. */
struct esl_registrations {
    struct str rest; /**< private */
    size_t count;    /**< registrations in all; 0: offline */
};

/**
 * Check that the list is whole and put the cursor before its first entry.
 *
 * @return VA_OK (count 0: not registered), VA_ENOTFOUND (no such profile), VA_EPROTO (not such a
 *         list, or cut off), VA_ENOTSUP (mod_sofia is not loaded), or err
 */
VA_CHECK enum va_err esl_registrations_read(enum va_err err, struct str text,
                                            struct esl_registrations *ret_list);
/** @return false when there are no more */
bool esl_registrations_next(struct esl_registrations *list, struct esl_registration *ret_reg);

#endif
