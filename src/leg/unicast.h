/** leg/unicast.h: AUDIO_MODE=esl, FreeSWITCH's own unicast. See leg.h for the contract. */
#ifndef VA_LEG_UNICAST_H
#define VA_LEG_UNICAST_H

#include "leg/leg.h"

extern const struct leg_ops leg_unicast;

#endif
