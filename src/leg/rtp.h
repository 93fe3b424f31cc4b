/**
 * leg/rtp.h: AUDIO_MODE=rtp: real RTP, set up by SIP. See leg.h for the contract.
 *
 * Of a call that came through FreeSWITCH (leg_cfg.control):
 *
 *     us ── sendmsg bridge sofia/PROFILE/TOKEN@us ──► FreeSWITCH ── INVITE sip:TOKEN ──► us
 *     FreeSWITCH's other half of the bridge ◄────────── RTP ──────────► this leg
 *
 * What its control socket sees meanwhile (measured, FreeSWITCH 1.10.12):
 *   - CHANNEL_EXECUTE (bridge), CHANNEL_BRIDGE about 20 ms after it; no CHANNEL_UNPARK. DTMF events
 *     come as ever: the digits of the audio are the same ones.
 *   - release(), or BYE by FreeSWITCH: CHANNEL_UNBRIDGE, CHANNEL_EXECUTE_COMPLETE (bridge); the
 *     channel is parked in its `socket` as before: transfer, unicast, another bridge and the rest
 * of the dialplan work. Not so with park_after_bridge=true, which ends `socket` (CHANNEL_UNPARK)
 *     and parks the channel for good.
 *   - While the bridge runs, an execute with event-lock waits for its end: release first. `api`
 *     works at any time.
 *   - Its half of the bridge sends the first packet 75 ms behind its ACK, plays ours from about 40
 * ms behind it and drops one or two before. Where the bridge before brought audio we begin at the
 *     ACK: 10 ms, two frames of silence, then the call's.
 *   - Hang-up of the caller: CHANNEL_HANGUP on the socket and BYE here, in any order. The leg says
 *     on_failed only when nothing came by the socket for RTP_BYE_GRACE_MS.
 *
 * Variables of the channel that make this so (hangup_after_bridge, park_after_bridge,
 * continue_on_fail, socket_resume, hold_music) are put back as they were when the bridge is over.
 * socket_resume=true is what makes the dialplan go on when we die in the bridge: without it the
 * caller stays bridged to nobody (tried by SIGKILL).
 *
 * Of a direct call (leg_cfg.sip_call): the leg answers its offer. The dialog is the control's:
 * release() does nothing to it, and its end is not reported here.
 */
#ifndef VA_LEG_RTP_H
#define VA_LEG_RTP_H

#include "leg/leg.h"

enum { RTP_BYE_GRACE_MS = 500 };

extern const struct leg_ops leg_rtp;

#endif
