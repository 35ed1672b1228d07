# Completion of echoc for bash, made from its flags: echoc --completion bash
_echoc() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words= first= i
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    case $prev in
    --completion) words='bash zsh fish' ;;
    --explain) words='handshake syn-queue backlog refused connect-timeout simultaneous-open self-connect accept-reset half-close close server-close simultaneous-close fin-wait-1 last-ack time-wait time-wait-reuse close-wait-leak fin-wait-2-orphan linger-off linger-reset linger-wait unread-data-reset lost-response write-after-close shutdown-read shutdown-vs-close shutdown-listener urgent resets reuseaddr reuseport port-exhaustion crash abort stale-syn half-open-expiry abort-on-overflow lost-last-ack old-duplicate time-wait-reset syn-loss syn-ack-loss ack-loss dead-peer ESTABLISHED SYN-SENT SYN-RECEIVED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED CLOSE-WAIT LAST-ACK LISTEN CLOSING EADDRINUSE EADDRNOTAVAIL EACCES EPERM EAFNOSUPPORT ECONNREFUSED EINPROGRESS EALREADY EISCONN EHOSTUNREACH ENETUNREACH ECONNABORTED EMFILE ENFILE EPROTO ECONNRESET EPIPE ETIMEDOUT EAGAIN ENOTCONN EINVAL EINTR ENOBUFS EBADF ENOTSOCK EOPNOTSUPP ENOPROTOOPT retransmission on reordering persist keepalive tcp_fin_timeout timewait 2MSL SO_REUSEADDR SO_REUSEPORT SO_ATTACH_REUSEPORT_EBPF IPV6_V6ONLY IP_LOCAL_PORT_RANGE IP_BIND_ADDRESS_NO_PORT TCP_DEFER_ACCEPT TCP_SAVE_SYN TCP_SYNCNT SO_RCVBUF SO_SNDBUF SO_RCVTIMEO SO_SNDTIMEO TCP_NODELAY TCP_QUICKACK TCP_MAXSEG TCP_USER_TIMEOUT SO_KEEPALIVE TCP_KEEPIDLE TCP_KEEPINTVL TCP_KEEPCNT SO_MAX_PACING_RATE SO_OOBINLINE SO_ATTACH_FILTER SO_DETACH_FILTER SO_LINGER TCP_LINGER2 SO_ERROR SO_ACCEPTCONN SO_COOKIE SO_TYPE SO_PROTOCOL TCP_INFO TCP_SAVED_SYN socket bind listen accept connect read write shutdown getsockname getpeername getsockopt setsockopt dup poll ioctl ActiveOpens PassiveOpens AttemptFails CurrEstab TCPSynRetrans ListenOverflows ListenDrops TCPDeferAcceptDrop EmbryonicRsts TCPReqQFullDoCookies TCPReqQFullDrop SyncookiesSent SyncookiesRecv SyncookiesFailed EstabResets OutRsts TCPAbortOnClose TCPAbortOnData TCPAbortOnLinger TCPAbortOnTimeout TCPAbortOnMemory TCPAbortFailed TCPChallengeACK TCPSYNChallenge RetransSegs TCPTimeouts TCPLossProbes TCPLossProbeRecovery TCPFastRetrans TCPSlowStartRetrans TCPLostRetransmit TCPSpuriousRTOs TCPRetransFail DelayedACKLost DelayedACKs TCPWinProbe TCPKeepAlive TCPToZeroWindowAdv TCPFromZeroWindowAdv TCPZeroWindowDrop TCPRcvQDrop TCPBacklogDrop TW TWKilled TWRecycled TCPTimeWaitOverflow PAWSTimewait TCPACKSkippedTimeWait TCPACKSkippedFinWait2 PAWSEstab InSegs OutSegs TCPOrigDataSent InErrs InCsumErrors accept-queue-full accept-queue-waits not-accepted syn-unanswered handshake-unfinished not-read peer-window-full unacknowledged keepalive-unanswered not-closed fin-unacknowledged fin-behind-data peer-not-closed orphaned ports-used-up buckets-used-up connecting fin-in-flight half-closed in-flight open listening closed-first bound net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports net.ipv4.ip_unprivileged_port_start net.ipv4.ip_nonlocal_bind net.ipv6.bindv6only net.ipv6.conf.all.disable_ipv6 net.ipv4.tcp_syn_retries net.ipv4.tcp_syn_linear_timeouts net.ipv4.tcp_timestamps net.ipv4.tcp_window_scaling net.ipv4.tcp_fastopen net.ipv4.tcp_ecn net.core.somaxconn net.ipv4.tcp_max_syn_backlog net.ipv4.tcp_syncookies net.ipv4.tcp_synack_retries net.ipv4.tcp_abort_on_overflow net.ipv4.tcp_migrate_req net.ipv4.tcp_keepalive_time net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes net.ipv4.tcp_retries2 net.ipv4.tcp_rto_min_us net.ipv4.tcp_rto_max_ms net.ipv4.tcp_sack net.ipv4.tcp_early_retrans net.ipv4.tcp_recovery net.ipv4.tcp_reordering net.ipv4.tcp_min_rtt_wlen net.ipv4.tcp_invalid_ratelimit net.ipv4.tcp_stdurg net.ipv4.tcp_congestion_control net.ipv4.tcp_allowed_congestion_control net.ipv4.tcp_available_congestion_control net.ipv4.tcp_mtu_probing net.ipv4.tcp_shrink_window net.ipv4.tcp_notsent_lowat net.ipv4.tcp_moderate_rcvbuf net.ipv4.tcp_rmem net.ipv4.tcp_wmem net.core.rmem_max net.ipv4.tcp_mem fs.file-max net.ipv4.tcp_fin_timeout net.ipv4.tcp_orphan_retries net.ipv4.tcp_max_orphans net.ipv4.tcp_max_tw_buckets net.ipv4.tcp_tw_reuse net.ipv4.tcp_tw_reuse_delay net.ipv4.tcp_rfc1337 net.ipv4.tcp_tw_recycle' ;;
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
    --state) words='established syn-sent syn-received fin-wait-1 fin-wait-2 time-wait closed close-wait last-ack listen closing' ;;
    esac
    if [[ -z $words ]]; then
        for ((i = 1; i < COMP_CWORD; i++)); do
            case ${COMP_WORDS[i]} in
            --completion | --explain | --color | --clock | --svg | --pcap | --html | --record | --pace | --hold | --pid | --state | --netns | --for | --every | --delay | --loss | --seed | --drop | --dup | --reorder | --sysctl | --bind | --backlog | --linger | --keepidle | --keepintvl | --keepcnt | --rcvbuf | --sndbuf | --rcvtimeo | --sndtimeo | --maxseg | --syncnt | --user-timeout | --defer-accept | --linger2 | --local-port-range)
                [[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))
                ((++i >= COMP_CWORD)) && return
                ;;
            -*) ;;
            *) first=${first:-${COMP_WORDS[i]}} ;;
            esac
        done
        case $cur,$first in
        -*) words='--list -l --help -h --version --man --completion --explain --color --clock --json --all --quiet -q --mermaid --svg --trace --capture --pcap --absolute-seq --html --record --overwrite --pace --step --hold --full --pid --state --netns --once --for --every --wire --delay --loss --seed --drop --dup --reorder --sysctl --pcap-both --ipv6 -6 --bind --backlog --reuseaddr --reuseport --v6only --linger --keepalive --keepidle --keepintvl --keepcnt --rcvbuf --sndbuf --rcvtimeo --sndtimeo --nodelay --quickack --maxseg --syncnt --user-timeout --defer-accept --linger2 --save-syn --local-port-range' ;;
        *,) words='tour learn quiz compare diagram replay watch handshake syn-queue backlog refused connect-timeout simultaneous-open self-connect accept-reset half-close close server-close simultaneous-close fin-wait-1 last-ack time-wait time-wait-reuse close-wait-leak fin-wait-2-orphan linger-off linger-reset linger-wait unread-data-reset lost-response write-after-close shutdown-read shutdown-vs-close shutdown-listener urgent resets reuseaddr reuseport port-exhaustion crash abort stale-syn half-open-expiry abort-on-overflow lost-last-ack old-duplicate time-wait-reset syn-loss syn-ack-loss ack-loss dead-peer' ;;
        *,quiz | *,compare) words='handshake syn-queue backlog refused connect-timeout simultaneous-open self-connect accept-reset half-close close server-close simultaneous-close fin-wait-1 last-ack time-wait time-wait-reuse close-wait-leak fin-wait-2-orphan linger-off linger-reset linger-wait unread-data-reset lost-response write-after-close shutdown-read shutdown-vs-close shutdown-listener urgent resets reuseaddr reuseport port-exhaustion crash abort stale-syn half-open-expiry abort-on-overflow lost-last-ack old-duplicate time-wait-reset syn-loss syn-ack-loss ack-loss dead-peer' ;;
        *,replay)
            compopt -o filenames
            COMPREPLY=($(compgen -f -- "$cur"))
            return
            ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    ((${#COMPREPLY[@]})) || COMPREPLY=($(compgen -W "$words" -- "${cur^^}"))
}
complete -F _echoc echoc
