# Completion of echod for bash, made from its flags: echod --completion bash
_echod() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words= first= i
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    case $prev in
    --completion) words='bash zsh fish' ;;
    --color) words='auto always never' ;;
    --clock) words='run wall' ;;
    --svg)
        compopt -o filenames
        COMPREPLY=($(compgen -f -- "$cur"))
        return
        ;;
    --pcap)
        compopt -o filenames
        COMPREPLY=($(compgen -f -- "$cur"))
        return
        ;;
    --html)
        compopt -o filenames
        COMPREPLY=($(compgen -f -- "$cur"))
        return
        ;;
    --record)
        compopt -o filenames
        COMPREPLY=($(compgen -f -- "$cur"))
        return
        ;;
    esac
    if [[ -z $words ]]; then
        for ((i = 1; i < COMP_CWORD; i++)); do
            case ${COMP_WORDS[i]} in
            --completion | --color | --clock | --svg | --pcap | --html | --record | --pace | --hold | --runs | --max-conns | --idle-timeout | --max-unread | --drain-timeout | --listen | --backlog | --linger | --keepidle | --keepintvl | --keepcnt | --rcvbuf | --sndbuf | --rcvtimeo | --sndtimeo | --maxseg | --syncnt | --user-timeout | --defer-accept | --linger2 | --local-port-range)
                [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
                ((++i >= COMP_CWORD)) && return
                ;;
            -*) ;;
            *) first=${first:-${COMP_WORDS[i]}} ;;
            esac
        done
        case $cur,$first in
        -*) words='--list -l --help -h --version --man --completion --color --clock --json --all --quiet -q --mermaid --svg --trace --capture --pcap --absolute-seq --html --record --overwrite --pace --step --hold --full --runs --max-conns --idle-timeout --max-unread --drain-timeout --ipv6 -6 --listen --backlog --reuseaddr --reuseport --v6only --linger --keepalive --keepidle --keepintvl --keepcnt --rcvbuf --sndbuf --rcvtimeo --sndtimeo --nodelay --quickack --maxseg --syncnt --user-timeout --defer-accept --linger2 --save-syn --local-port-range' ;;
        *,) words='handshake syn-queue backlog refused connect-timeout simultaneous-open self-connect accept-reset half-close close server-close simultaneous-close fin-wait-1 last-ack time-wait time-wait-reuse close-wait-leak fin-wait-2-orphan linger-off linger-reset linger-wait unread-data-reset lost-response write-after-close shutdown-read shutdown-vs-close shutdown-listener urgent resets reuseaddr reuseport port-exhaustion crash abort stale-syn half-open-expiry abort-on-overflow lost-last-ack old-duplicate time-wait-reset syn-loss syn-ack-loss ack-loss dead-peer' ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    ((${#COMPREPLY[@]})) || COMPREPLY=($(compgen -W "$words" -- "${cur^^}"))
}
complete -F _echod echod
