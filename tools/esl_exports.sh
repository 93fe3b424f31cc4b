#!/bin/sh
# The functions that the public headers of voice-ai-esl declare, one name a line, sorted. From them
# are made the list of names the static library keeps and, with --map, the version script of the
# shared one.
set -eu
cd "$(dirname "$0")/../src"
for header in $(grep -v -e '^#' -e ' types$' esl/public.txt); do
    # Without comments and preprocessor lines; a line that goes on with a backslash is one line.
    sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$header" | sed -e '/^#/d' |
        awk '{ text = text $0 "\n" }
             END {
                 while ((i = index(text, "/*"))) {
                     j = index(substr(text, i), "*/")
                     text = substr(text, 1, i - 1) " " substr(text, i + j + 1)
                 }
                 printf "%s", text
             }'
    echo ";"
done | awk '
    # Declarations end with ";" outside of braces. What has a body is inline and not exported.
    { text = text " " $0 }
    END {
        for (i = 1; i <= length(text); i++) {
            c = substr(text, i, 1)
            if (c == "{") { depth++; body = 1 }
            if (c == "}" && --depth == 0 && one ~ /inline/) { one = ""; body = 0; continue }
            if (c == ";" && depth == 0) {
                if (!body && one !~ /typedef|inline/ && match(one, /[a-z][a-z0-9_]* *\(/)) {
                    name = substr(one, RSTART, RLENGTH - 1)
                    gsub(/ /, "", name)
                    print name
                }
                one = ""
                body = 0
            } else if (depth == 0)
                one = one c
        }
    }' | LC_ALL=C sort -u |
    if [ "${1:-}" = --map ]; then
        echo 'VOICE_AI_ESL_0 { global:'
        sed 's/$/;/'
        echo 'local: *; };'
    else
        cat
    fi
