/** leg/sip_body.h: small bodies of SIP messages. Pure functions on hostile bytes. */
#ifndef VA_LEG_SIP_BODY_H
#define VA_LEG_SIP_BODY_H

#include "base/str.h"

/** The digit of an INFO: application/dtmf-relay ("Signal=5") or application/dtmf ("5").
 *  @return 0-9 A-D * #, or 0: none */
char sip_dtmf_digit(struct str content_type, struct str body);
/** The status of a message/sipfrag ("SIP/2.0 200 OK"). @return 100 … 699, or 0 */
int sip_frag_status(struct str body);

#endif
