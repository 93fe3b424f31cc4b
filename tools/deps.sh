#!/bin/sh
# Install what is missing of the given groups (build, run, test, fuzz), with apt. Works without
# network once everything is there.
set -eu
build="gcc libc6-dev cmake ninja-build pkg-config libuv1-dev libspeexdsp-dev libpocketsphinx-dev
       libsphinxbase-dev libspandsp-dev libsqlite3-dev libyaml-dev libjson-c-dev libedit-dev
       libssl-dev libwslay-dev libcurl4-openssl-dev libsofia-sip-ua-dev libsrtp2-dev libopus-dev"
run="espeak-ng espeak-ng-data pocketsphinx-en-us"
test="libcmocka-dev xz-utils procps python3 mandoc bash-completion openssl nodejs npm chromium
       sip-tester baresip-core"
fuzz="clang libclang-rt-14-dev"
format="clang-format"

missing=""
for group in "$@"; do
    eval "packages=\$$group"
    for package in $packages; do
        command -v "$package" >/dev/null || # node and npm may come from elsewhere
            dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $package"
    done
done
[ -n "$missing" ] || exit 0

sudo=""
if [ "$(id -u)" != 0 ]; then
    sudo=sudo
    command -v sudo >/dev/null || {
        echo "install these packages first:$missing" >&2
        exit 2
    }
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
$sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1 || {
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
