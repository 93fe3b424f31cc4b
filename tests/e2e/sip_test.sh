#!/bin/bash
# Direct SIP calls to the real binary: baresip speaks and listens, sipp does what phones seldom do.
. "$(dirname "$0")/lib.sh"
SIP_PORT=$(free_tcp)
export SIP_PORT SIP_HOST=127.0.0.1 SIP_ALLOW_DIRECT=true RECORD_CALLS=true
scenarios=$here/../sipp

phone() { # codec, number, what is said (a WAV): begins a call; what was heard is in $work/rec
    local rate channels dir=$work/phone
    IFS=/ read -r _ rate channels <<<"$1"
    rm -rf "$dir" "$work/rec"
    mkdir -p "$dir" "$work/rec"
    python3 - "$3" "$dir/play.wav" "$rate" "$channels" <<'P'
import sys, wave
src, dst, rate, channels = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
w = wave.open(src); n = w.getnframes(); have = w.getframerate()
pcm = memoryview(w.readframes(n)).cast("h")
lead = [0] * (rate * 3)  # the greeting is heard first
tail = [0] * (rate * 30)
out = lead + [pcm[int(i * have / rate)] for i in range(int(n * rate / have) - 1)] + tail
o = wave.open(dst, "wb"); o.setnchannels(channels); o.setsampwidth(2); o.setframerate(rate)
import array
o.writeframes(array.array("h", [s for s in out for _ in range(channels)]).tobytes())
P
    cat >"$dir/config" <<C
sip_listen 127.0.0.1:0
audio_player aufile,$dir/heard.wav
audio_source aufile,$dir/play.wav
audio_alert nothing
module_path $(dirname "$(find /usr/lib -path '*baresip*' -name g711.so | head -n 1)")
module opus.so
module g722.so
module g711.so
module aufile.so
module sndfile.so
module_app account.so
module_app menu.so
snd_path $work/rec
C
    echo "<sip:1002@127.0.0.1>;regint=0;audio_codecs=$1" >"$dir/accounts"
    timeout 90 baresip -f "$dir" -e "/dial sip:$2@127.0.0.1:$SIP_PORT" -t 80 </dev/null \
        >"$work/phone.log" 2>&1 &
    phone_pid=$!
}

hang_up() {
    kill "$phone_pid" 2>/dev/null
    wait "$phone_pid" 2>/dev/null
}

heard() { # seconds of sound that it must have heard, at least
    python3 - "$1" "$work"/rec/*dec.wav <<'P'
import sys, wave
want, path = float(sys.argv[1]), sys.argv[2]
w = wave.open(path); rate = w.getframerate() * w.getnchannels()
pcm = memoryview(w.readframes(w.getnframes())).cast("h"); step = rate // 50
loud = [max(map(abs, pcm[i:i + step])) > 1000 for i in range(0, len(pcm) - step, step)]
print("seconds of sound:", sum(loud) / 50)
sys.exit(sum(loud) / 50 < want)
P
}

sipp_run() {
    timeout 60 sipp "127.0.0.1:$SIP_PORT" -i 127.0.0.1 -nostdin -recv_timeout 20000 -m 1 -trace_err \
        -error_file "$work/sipp.err" "$@" >/dev/null 2>&1 ||
        { tail -c 1500 "$work/sipp.err" 2>/dev/null; return 1; }
}

command -v baresip >/dev/null || { not_ok "baresip is installed (package baresip-core)"; exit 1; }
command -v sipp >/dev/null || { not_ok "sipp is installed (package sip-tester)"; exit 1; }
start
secretaries
espeak-ng -v pt-br -w "$work/sales.wav" "quero falar com vendas"
count=0
for codec in PCMU/8000/1 G722/16000/1 opus/48000/2; do
    count=$((count + 1))
    phone "$codec" 8100 "$work/sales.wav"
    check "the agent understands a phone and transfers by REFER ($codec)" \
        wait_count 'event=transfer .*201' $count 60
    hang_up
    check "the phone heard it speak ($codec)" heard 1.5
done
check "a phone that sends no audio is hung up" sipp_run -sf "$scenarios/bye.xml" -s 8100
check "the log says why" grep -q 'no audio came at UDP' "$work/log"
check "a digit by INFO" sipp_run -sf "$scenarios/info.xml" -s 8100
check "it was heard" wait_log 'event=digit' 10
check "hold, resume and hold by both ways" sipp_run -sf "$scenarios/hold.xml" -s 8100
check "late offer" sipp_run -sf "$scenarios/late_offer.xml" -s 8100
check "no codec of ours is 488" sipp_run -sf "$scenarios/no_codec.xml" -s 8100
stop
check "it stops cleanly" test "$code" = 0

export AUDIO_MODE=rtp SIP_ALLOW_DIRECT=false
start
check "without a token it is 403" sipp_run -sf "$scenarios/refused.xml" -s 8100
stop
check "it stops cleanly in rtp mode" test "$code" = 0
SIP_PORT=$ESL_SERVER_PORT vai serve >"$work/taken" 2>&1
check "a taken SIP port is said" grep -q SIP_PORT "$work/taken"
