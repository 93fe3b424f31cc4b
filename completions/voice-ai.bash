# bash completion of voice-ai: commands, options, event names, FreeSWITCH's own command names (when
# it answers within a second) and the names of secretaries.

_voice_ai_words() { # candidates...: those that begin with what is typed
    local line
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -W "$*" -- "$cur")
}

_voice_ai_esl() {
    local program=$1 options word follow=""
    options="--host --port --user --password --password-file --timeout --execute --bg --watch
        --events --log --uuid --filter --count --full --json --color --caller-id --var
        --cancel-on-signal --help"
    case $prev in
        -l | --log) _voice_ai_words console alert crit err warning notice info debug; return ;;
        --color) _voice_ai_words auto always never; return ;;
        --password-file)
            compopt -o filenames 2>/dev/null
            while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
            return ;;
        -H | --host)
            while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -A hostname -- "$cur")
            return ;;
        -P | --port | -u | --user | -p | --password | -t | --timeout | --count | --uuid | \
            --filter | --caller-id | --var) return ;;
    esac
    # What is typed so far without options: FreeSWITCH tells how it goes on.
    local at words=() connection=()
    for ((at = 2; at < COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        case $word in
            -f | --events) follow=1 ;;
            -H | --host | -P | --port | -u | --user | --password-file)
                connection+=("$word" "${COMP_WORDS[at + 1]}")
                ((at++)) ;;
            -l | --log | -p | --password | -t | --timeout | --count | --uuid | --filter | --color | \
                --caller-id | --var) ((at++)) ;;
            -x | --execute) words=() ;;
            -*) ;;
            *) words+=("$word") ;;
        esac
    done
    if [[ $cur == -* ]]; then
        _voice_ai_words $options
    elif [[ $follow ]]; then
        _voice_ai_words "$("$program" esl --complete-events 2>/dev/null)"
    else
        [[ ${#words[@]} -gt 0 ]] || _voice_ai_words originate
        _voice_ai_words "$(timeout 2 "$program" esl "${connection[@]}" --complete-names -- \
            "${words[@]}" "$cur" 2>/dev/null)"
    fi
}

_voice_ai_secretary() {
    local program=$1
    if [[ $COMP_CWORD -eq 2 ]]; then
        _voice_ai_words list show import export remove --help
    elif [[ ${COMP_WORDS[2]} == import ]]; then
        compopt -o filenames 2>/dev/null
        local word
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
    elif [[ ${COMP_WORDS[2]} =~ ^(show|export|remove)$ ]]; then
        _voice_ai_words "$(timeout 2 "$program" secretary list 2>/dev/null | awk 'NR > 1 {print $2}')"
    fi
}

_voice_ai_provider() {
    local program=$1 word
    if [[ $COMP_CWORD -eq 2 ]]; then
        _voice_ai_words list test --help
    elif [[ ${COMP_WORDS[2]} == test && $prev == --wav ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$cur")
    elif [[ ${COMP_WORDS[2]} == test && $COMP_CWORD -eq 3 ]]; then
        _voice_ai_words "$(timeout 2 "$program" provider list 2>/dev/null | awk 'NR > 1 {print $1}')"
    elif [[ ${COMP_WORDS[2]} == test && $cur == -* ]]; then
        _voice_ai_words --say --wav --language --rate-hz --timeout
    fi
}

_voice_ai() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} program=${COMP_WORDS[0]}
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        _voice_ai_words serve call secretary provider calls messages esl config version --env --help
        return
    fi
    case ${COMP_WORDS[1]} in
        esl) _voice_ai_esl "$program" ;;
        secretary) _voice_ai_secretary "$program" ;;
        provider) _voice_ai_provider "$program" ;;
        calls) [[ $COMP_CWORD -eq 2 ]] && _voice_ai_words show --help ;;
        config) _voice_ai_words --markdown --help ;;
        call)
            case $prev in
                --audio-stream) _voice_ai_words none open commercial; return ;;
                --human) _voice_ai_words answers busy no-answer; return ;;
                --codecs) _voice_ai_words PCMU PCMA G722 OPUS L16; return ;;
            esac
            [[ $cur == -* ]] && _voice_ai_words "$("$program" call --help 2>/dev/null |
                grep -oE -- '--[a-z][a-z-]*' | sort -u)" ;;
        *) _voice_ai_words --help ;;
    esac
}
complete -F _voice_ai voice-ai
