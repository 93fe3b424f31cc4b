#!/bin/bash
# What cannot start says why, in one line, with exit code 2, and leaves nothing half-started.
. "$(dirname "$0")/lib.sh"

fails() { # name, words it must say (regex), NAME=value settings...
    local name=$1 words=$2 out code
    shift 2
    out=$(env "$@" timeout 30 "$bin" --env "${env_file:-/dev/null}" serve 2>&1)
    code=$?
    if [ $code = 2 ] && [ "$(wc -l <<<"$out")" = 1 ] && grep -qE "$words" <<<"$out"; then
        ok "$name"
    else
        not_ok "$name (exit $code): $out"
    fi
}

fails "a value out of range" 'ESL_SERVER_PORT=99999.*1 to 65535' ESL_SERVER_PORT=99999
fails "an unknown setting" 'ESL_SERVER_PROT.*ESL_SERVER_PORT' ESL_SERVER_PROT=8022
fails "a word that is none of the choices" 'AUDIO_MODE.*esl' AUDIO_MODE=pigeon
fails "a fallback that is no mode" 'AUDIO_FALLBACK=esl,pigeon.*rtp' AUDIO_FALLBACK=esl,pigeon
fails "streams from anywhere without a token" 'WS_TOKEN' AUDIO_MODE=websocket WS_HOST=0.0.0.0
fails "a fallback nobody has" 'AI_FALLBACK.*martian.*provider list' AI_FALLBACK="attendant, martian"
fails "a host name for an address" 'ESL_SERVER_HOST.*IP address' ESL_SERVER_HOST=nowhere
fails "an address of another machine" 'no such address' ESL_SERVER_HOST=192.0.2.1
fails "swapped ports" 'RTP_PORT_MIN.*RTP_PORT_MAX' RTP_PORT_MIN=20000 RTP_PORT_MAX=19000
fails "a missing voice program" 'nosuchvoice.*espeak-ng' TTS_COMMAND=nosuchvoice
fails "a voice program that is something else" 'TTS_COMMAND|espeak-ng-data' TTS_COMMAND=/bin/true
fails "a missing speech model" 'pocketsphinx' ASR_MODEL_DIR=/nonexistent
fails "a data folder that cannot be" 'DATA_DIR' DATA_DIR=/proc/nowhere
mkdir -p "$work/broken"
echo "this is no database" >"$work/broken/voice-ai.db"
fails "an unreadable database" 'voice-ai.db' DATA_DIR="$work/broken"
printf 'ESL_SERVER_PORT=8022\nNONSENSE LINE\n' >"$work/env"
env_file=$work/env
fails "a bad line in the .env file" 'env:2' LOG_LEVEL=info
env_file=/nonexistent/env
fails "a missing .env file" '/nonexistent/env' LOG_LEVEL=info
env_file=/dev/null
# Open files: 4 of a call and 256 besides. Root could raise its own limit, so it gives that up.
files=(prlimit --nofile=256:600)
[ "$(id -u)" = 0 ] && files=(prlimit --nofile=256:600 setpriv --bounding-set=-sys_resource)
real=$bin
bin=$work/limited
printf '#!/bin/bash\nexec %s %q "$@"\n' "${files[*]}" "$real" >"$bin"
chmod +x "$bin"
fails "too few open files" 'ESL_MAX_CONNECTIONS=100 needs 656 open files.*LimitNOFILE' ESL_MAX_CONNECTIONS=100
fails "too few to record as well" 'needs 606 open files' ESL_MAX_CONNECTIONS=70 RECORD_CALLS=yes
fails "too few for a provider in parts" 'needs 816 open files' ESL_MAX_CONNECTIONS=80 AI_PROVIDER=pipeline
ESL_MAX_CONNECTIONS=80 start
check "what it may have is taken" grep -qE '^Max open files +600 +600 ' "/proc/$pid/limits"
stop
bin=$real
start
fails "a taken port" "$ESL_SERVER_PORT is taken" DATA_DIR="$work/other"
stop
[ "$code" = 0 ] && ok "and the one that runs is not hurt" || not_ok "and the one that runs is not hurt"

out=$(vai srve 2>&1)
[ $? = 2 ] && grep -q 'did you mean serve' <<<"$out" && ok "an unknown command" || not_ok "an unknown command: $out"
for command in serve call secretary provider calls messages esl config; do
    check "$command --help" bash -c "'$bin' --env /dev/null $command --help | grep -qi usage"
done
out=$(vai call --to 127.0.0.1:1 2>&1)
[ $? = 2 ] && grep -q 'voice-ai serve' <<<"$out" && ok "calling where nobody answers" || not_ok "calling where nobody answers: $out"
check "docs/settings.md is what the program knows" bash -c "
    diff <('$bin' --env /dev/null config --markdown) <(grep '^|' '$here/../../docs/settings.md')"
printf 'name: x\nlanguage: pt-BR\nprompts:\n  stil-there: Alô?\n' >"$work/bad.yaml"
out=$(vai secretary import "$work/bad.yaml" 2>&1)
[ $? = 2 ] && grep -q 'did you mean "still-there"' <<<"$out" && ok "a misspelled prompt" || not_ok "a misspelled prompt: $out"
