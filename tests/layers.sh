#!/bin/bash
# The tree is the architecture: an include may only point to a layer below. Also: file length.
cd "$(dirname "$0")/.."
declare -A may=(
    [base]="base"
    [net]="net base"
    [model]="model base"
    [esl]="esl net base"
    [media]="media net base"
    [store]="store model net base"
    [leg]="leg esl media model net base"
    [ai]="ai media model net base"
    [call]="call ai leg store esl media model net base"
    [fakefs]="fakefs leg esl media net base"
    [app]="app call fakefs ai leg store esl media model net base"
)
bad=0
for layer in "${!may[@]}"; do
    while IFS=: read -r file _ line; do
        target=$(sed -E 's/.*"([a-z]+)\/.*/\1/' <<<"$line")
        case " ${may[$layer]} " in *" $target "*) ;; *)
            echo "not ok arrow: $file includes $target/"
            bad=1
            ;;
        esac
    done < <(grep -rnE '^#include "[a-z]+/' "src/$layer" 2>/dev/null)
done
[ $bad = 0 ] && echo "ok arrows go down only"
long=$(find src -name '*.[ch]' | xargs wc -l | awk '$2 != "total" && $1 > 500 {print $2 " (" $1 ")"}')
if [ -n "$long" ]; then
    echo "not ok files over 500 lines: $long"
    bad=1
else
    echo "ok no file over 500 lines"
fi
banned=$(grep -rnE '\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|gets|alloca|system)\(' src --include=*.c | grep -v '//' || true)
if [ -n "$banned" ]; then
    echo "not ok banned functions:"
    echo "$banned"
    bad=1
else
    echo "ok no banned functions"
fi
for dir in src/*/; do
    [ -f "$dir/README.md" ] || { echo "not ok $dir has no README.md"; bad=1; }
done
exit $bad
