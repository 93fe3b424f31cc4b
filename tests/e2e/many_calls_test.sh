#!/bin/bash
# A thousand calls through one daemon (built with sanitizers): none lost, no leak.
. "$(dirname "$0")/lib.sh"
export ESL_MAX_CONNECTIONS=400
start
secretaries
check "1,000 calls, none lost" vai call --calls 1000 --rate 50 --hold 3 --number 8100 --dtmf 1 --timeout 120
calls=$(grep -c 'event=call-end' "$work/log")
[ "$calls" = 1000 ] && ok "each was recorded once" || not_ok "each was recorded once ($calls)"
stop
[ "$code" = 0 ] && ok "no leak, no sanitizer finding" || { not_ok "no leak, no sanitizer finding ($code)"; tail -n 40 "$work/log"; }
