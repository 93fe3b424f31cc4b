#!/bin/bash
# What `make install` puts on a machine: complete, usable by a stranger's compiler with pkg-config
# alone, and without a name that is not public.
set -u
cd "$(dirname "$0")/../.."
bad=0
work=$(mktemp -d)
fake=""
finish() {
    [ -n "$fake" ] && kill "$fake" 2>/dev/null
    rm -rf "$work"
    exit $bad
}
trap finish EXIT
ok() { echo "ok $1"; }
not_ok() {
    echo "not ok $1"
    bad=1
}
check() { # name, command...
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then ok "$name"; else
        not_ok "$name"
        sed 's/^/    /' "$work/out"
    fi
}

build=${BUILD:-build}
dest=$work/dest
prefix=/opt/somewhere
root=$dest$prefix
check "make install, with DESTDIR and PREFIX" make --no-print-directory install BUILD="$build" DESTDIR="$dest" PREFIX=$prefix
for file in bin/voice-ai lib/libvoice-ai-esl.a lib/libvoice-ai-esl.so lib/libvoice-ai-esl.so.0 \
    lib/pkgconfig/voice-ai-esl.pc include/voice-ai-esl/esl/esl.h include/voice-ai-esl/esl/client.h \
    include/voice-ai-esl/base/err.h share/man/man1/voice-ai.1 share/man/man1/voice-ai-esl.1 \
    share/man/man3/esl_client.3 share/bash-completion/completions/voice-ai; do
    [ -e "$root/$file" ] || not_ok "installed: $file"
done
[ -z "$(find "$dest" -name '*_int.h' -o -name conn.h -o -name waiter.h -o -name exec.h -o -name command.h -o -name marks.h)" ] &&
    ok "no private header is installed" || not_ok "no private header is installed"
[ -z "$(find "$dest" -mindepth 1 -maxdepth 1 ! -name opt)" ] && ok "nothing outside of PREFIX" || not_ok "nothing outside of PREFIX"

# ---- names -------------------------------------------------------------------------------------
tools/esl_exports.sh >"$work/public"
nm -D --defined-only "$root/lib/libvoice-ai-esl.so" | awk '$2 != "A" {sub(/@.*/, "", $3); print $3}' | LC_ALL=C sort -u >"$work/shared"
nm --defined-only "$root/lib/libvoice-ai-esl.a" | awk '$2 ~ /^[A-TV-Z]$/ {print $3}' | LC_ALL=C sort -u >"$work/static"
check "the shared library exports what the headers declare, nothing else" diff "$work/public" "$work/shared"
check "the static library too" diff "$work/public" "$work/static"
check "it needs libuv and the C library only" bash -c "
    ! readelf -d '$root/lib/libvoice-ai-esl.so' | grep NEEDED | grep -vE 'libuv|libc\.so|ld-linux'"
check "it starts no thread but pthreads that look up names" bash -c "
    ! nm -D --undefined-only '$root/lib/libvoice-ai-esl.so' | grep -E 'thrd_create|uv_thread_create|uv_queue_work|uv_getaddrinfo'"

# ---- headers and examples ----------------------------------------------------------------------
export PKG_CONFIG_PATH=$root/lib/pkgconfig
export LD_LIBRARY_PATH=$root/lib
flags="-Wall -Wextra -Werror -O1"
for header in $(sed -e '/^#/d' -e 's/ .*//' src/esl/public.txt); do
    echo "#include <$header>" >"$work/one.c"
    # shellcheck disable=SC2046,SC2086
    cc -std=c17 $flags $(pkg-config --cflags voice-ai-esl) -c "$work/one.c" -o "$work/one.o" 2>"$work/out" ||
        { not_ok "<$header> alone"; sed 's/^/    /' "$work/out"; }
done
for example in examples/*.c; do
    name=$(basename "$example" .c)
    # shellcheck disable=SC2046,SC2086
    check "example $name, shared" cc $flags "$example" -o "$work/$name" $(pkg-config --cflags --libs voice-ai-esl)
    # shellcheck disable=SC2046,SC2086
    check "example $name, static" cc $flags "$example" -o "$work/$name-static" $(pkg-config --cflags voice-ai-esl) \
        -Wl,-Bstatic $(pkg-config --libs voice-ai-esl) -Wl,-Bdynamic $(pkg-config --static --libs libuv)
    [ "$(wc -l <"$example")" -le 75 ] || not_ok "example $name is short"
done

ninja -C "$build" esl_fake >"$work/out" 2>&1 || cat "$work/out"
"$build/fakes/esl_fake" >"$work/fake" &
fake=$!
port=""
until [ -n "$port" ]; do port=$(awk '$1 == "port" {print $2}' "$work/fake"); done
echo 'expect hangup within 10s' >"$work/script"
for kind in "" -static; do
    check "inbound$kind runs" bash -c "timeout 10 '$work/inbound$kind' $port 'echo hello' | grep -q hello"
    check "inbound$kind tells that nobody listens" bash -c "
        timeout 10 '$work/inbound$kind' 1; [ \$? = 2 ]"
    check "originate$kind: answered" bash -c "timeout 10 '$work/originate$kind' $port fake/answer | grep -q '^answered .*-'"
    check "originate$kind: busy" bash -c "
        out=\$(timeout 10 '$work/originate$kind' $port fake/busy); [ \$? = 1 ] && grep -q busy <<<\"\$out\""
    coproc EVENTS { exec timeout 10 "$work/events$kind" "$port" 2>&1; }
    read -r -t 10 line <&"${EVENTS[0]}"
    [ "$line" = connected ] && ok "events$kind connects" || not_ok "events$kind connects: $line"
    timeout 10 "$work/originate$kind" "$port" fake/answer >"$work/out" 2>&1
    read -r -t 10 line <&"${EVENTS[0]}"
    [[ $line == CHANNEL_CREATE* ]] && ok "events$kind shows a call" || not_ok "events$kind shows a call: $line"
    kill "$EVENTS_PID" 2>/dev/null
    wait "$EVENTS_PID" 2>/dev/null
    while :; do
        out_port=$((20000 + RANDOM % 10000))
        (exec 3<>"/dev/tcp/127.0.0.1/$out_port") 2>/dev/null || break
    done
    "$work/outbound$kind" "$out_port" >"$work/calls" 2>&1 &
    server=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$out_port") 2>/dev/null || ! kill -0 $server 2>/dev/null; do :; done
    check "outbound$kind answers, plays and hangs up" timeout 20 "$root/bin/voice-ai" --env /dev/null call \
        --to "127.0.0.1:$out_port" --script "$work/script"
    kill $server
    wait $server 2>/dev/null
done

# ---- man pages ---------------------------------------------------------------------------------
warnings=$(mandoc -Tlint man/* 2>&1 | grep -vE 'referenced manual not found|mandoc\.db')
[ -z "$warnings" ] && ok "man pages without a warning" || not_ok "man pages without a warning: $warnings"
missing=""
while read -r name; do grep -qw -- "$name" man/* || missing="$missing $name"; done <"$work/public"
[ -z "$missing" ] && ok "every public function is in a man page" || not_ok "every public function is in a man page:$missing"
missing=""
for option in $(build/voice-ai esl --help | grep -oE -- '--[a-z][a-z-]+' | sort -u); do
    grep -q -- "${option#-}" man/voice-ai-esl.1 || [ "$option" = --help ] || missing="$missing $option"
done
[ -z "$missing" ] && ok "every option is in voice-ai-esl(1)" || not_ok "every option is in voice-ai-esl(1):$missing"
