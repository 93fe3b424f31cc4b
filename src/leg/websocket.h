/**
 * leg/websocket.h: AUDIO_MODE=dual (we ask FreeSWITCH for a WebSocket stream over the call's
 * control socket) and AUDIO_MODE=websocket (the stream is what the call was made of). See leg.h for
 * the contract.
 */
#ifndef VA_LEG_WEBSOCKET_H
#define VA_LEG_WEBSOCKET_H

#include "leg/leg.h"

extern const struct leg_ops leg_dual, leg_websocket;

#endif
