package explain

import "strings"

// Counter says in one sentence what makes a counter of [tcpinfo.Counters] rise, for those that explain how connections
// open, are dropped, reset, retransmitted, aborted and closed. name may be in any case, and with nstat(8)'s prefix, Tcp
// or TcpExt; known is the kernel's spelling, and "" if nothing is said of that name. The sentences describe what
// net/ipv4 of Linux 6.18 does, which is not always what the RFC, or a counter's name, suggests.
func Counter(name string) (known, sentence string) {
	for _, n := range counterNotes {
		for _, prefix := range []string{"", "TcpExt", "Tcp"} {
			if strings.EqualFold(name, prefix+n.name) {
				return n.name, n.says
			}
		}
	}
	return "", ""
}

// Counters lists the names that [Counter] knows, in the order of a connection's life: opening, listening, resets and
// aborts, retransmission, windows and acknowledgements, TIME-WAIT, segments.
func Counters() []string {
	names := make([]string, len(counterNotes))
	for i, n := range counterNotes {
		names[i] = n.name
	}
	return names
}

// counterNote is one counter and what makes it rise.
type counterNote struct{ name, says string }

// counterNotes are all of them. The function named in a comment is where net/ipv4 counts.
var counterNotes = []counterNote{
	// opening

	// tcp_connect
	{"ActiveOpens", "A connect() sent its first SYN and entered SYN-SENT."},
	// tcp_create_openreq_child: at the third segment, though RFC 4022 counts the move to SYN-RECEIVED
	{"PassiveOpens", "A listener completed a handshake and made the connection's socket; on Linux this counts at the third segment, not at the SYN."},
	// tcp_done, tcp_check_req
	{"AttemptFails", "A connection ended before it was established: a socket went from SYN-SENT or SYN-RECEIVED to CLOSED (refused or timed out), or a half-open entry got a RST or a wrong SYN."},
	// tcp_set_state
	{"CurrEstab", "Not a counter: how many connections are in ESTABLISHED or CLOSE-WAIT now."},
	// __tcp_retransmit_skb, tcp_rtx_synack
	{"TCPSynRetrans", "A SYN or SYN-ACK was sent again because no answer came."},

	// listening

	// tcp_conn_request, tcp_v4_syn_recv_sock, tcp_get_syncookie_mss
	{"ListenOverflows", "A SYN, or the last segment of a handshake, came while the accept queue was full and was dropped: accept() is too slow or the backlog too small."},
	// tcp_listendrop
	{"ListenDrops", "A listener dropped a SYN or the last segment of a handshake for any reason; each ListenOverflows counts here too."},
	// tcp_check_req
	{"TCPDeferAcceptDrop", "The bare ACK of a handshake was ignored because the listener has TCP_DEFER_ACCEPT and waits for data: the entry stays SYN-RECEIVED."},
	// tcp_check_req
	{"EmbryonicRsts", "A half-open (SYN-RECEIVED) entry was removed by a reset: a RST or wrong SYN came for it, or its accept queue was full with tcp_abort_on_overflow set."},
	// tcp_syn_flood_action
	{"TCPReqQFullDoCookies", "The SYN queue was full (or tcp_syncookies is 2) and a SYN was answered with a cookie instead of an entry; the kernel log says \"Possible SYN flooding\" once a listener."},
	// tcp_syn_flood_action
	{"TCPReqQFullDrop", "The SYN queue was full, SYN cookies are off, and a SYN was dropped."},
	// cookie_init_sequence
	{"SyncookiesSent", "A SYN-ACK went out whose sequence number is a SYN cookie: nothing is kept for that client."},
	// cookie_v4_check
	{"SyncookiesRecv", "An ACK brought back a valid SYN cookie and became a connection."},
	// cookie_v4_check
	{"SyncookiesFailed", "An ACK for no known connection, at a listener that sent cookies lately, carried no valid one."},

	// resets and aborts

	// tcp_set_state
	{"EstabResets", "A connection went from ESTABLISHED or CLOSE-WAIT straight to CLOSED: a RST came, or this side sent one, or it timed out."},
	// tcp_v4_send_reset, tcp_send_active_reset
	{"OutRsts", "A RST was sent (or tried to be): to a port where nobody listens, for a connection that is gone, or to abort one."},
	// __tcp_close
	{"TCPAbortOnClose", "A close() with unread data in the receive buffer sent a RST instead of a FIN."},
	// __tcp_close, tcp_rcv_state_process
	{"TCPAbortOnData", "A connection was aborted by close() with SO_LINGER {1, 0}, because data came after its socket was closed, or because an orphan reached FIN-WAIT-2 with a negative TCP_LINGER2."},
	// __tcp_close; tcp_rcv_state_process counts TCPAbortOnData instead
	{"TCPAbortOnLinger", "A close() in FIN-WAIT-2 sent a RST at once because TCP_LINGER2 is negative; SO_LINGER counts as TCPAbortOnData."},
	// tcp_write_err
	{"TCPAbortOnTimeout", "A connection, or an attempt at one, was given up: retransmissions, keepalive probes or window probes went unanswered too often or longer than TCP_USER_TIMEOUT."},
	// tcp_out_of_resources, __tcp_close
	{"TCPAbortOnMemory", "A closed socket's connection was dropped because there are too many orphans (tcp_max_orphans) or too little TCP memory (tcp_mem)."},
	// tcp_send_active_reset
	{"TCPAbortFailed", "A RST that was to abort a connection could not be sent."},
	// tcp_send_challenge_ack
	{"TCPChallengeACK", "A RST or SYN that fits the connection only roughly was answered with a challenge ACK instead of being obeyed (RFC 5961)."},
	// tcp_validate_incoming
	{"TCPSYNChallenge", "A SYN came for an established connection and was challenged (RFC 5961), which happens when a client reuses its port while the server still has the old connection, or when the handshake's last ACK was lost and the SYN-ACK comes again."},

	// retransmission

	// __tcp_retransmit_skb, tcp_rtx_synack
	{"RetransSegs", "A segment was sent again, for whatever reason: SYN, data, FIN or a loss probe."},
	// tcp_retransmit_timer, tcp_syn_ack_timeout
	{"TCPTimeouts", "A retransmission timer ran out, SYN and SYN-ACK timers included."},
	// tcp_send_loss_probe
	{"TCPLossProbes", "The last segment of a flight was sent again early, as a tail loss probe (RFC 8985), because its ACK was late."},
	// tcp_process_tlp_ack
	{"TCPLossProbeRecovery", "A tail loss probe repaired a real loss."},
	// tcp_xmit_retransmit_queue
	{"TCPFastRetrans", "A segment was sent again because later ones were acknowledged (fast retransmit), without waiting for the timer."},
	// tcp_xmit_retransmit_queue
	{"TCPSlowStartRetrans", "A segment was sent again in the recovery that follows a retransmission timeout."},
	// tcp_mark_skb_lost
	{"TCPLostRetransmit", "A segment that had been sent again was found to be lost once more."},
	// tcp_try_undo_loss
	{"TCPSpuriousRTOs", "A retransmission timeout turned out to be needless: the ACK was only late (F-RTO)."},
	// __tcp_retransmit_skb
	{"TCPRetransFail", "A retransmission could not be handed down, for lack of memory or of a route."},
	// tcp_rcv_spurious_retrans, tcp_send_dupack
	{"DelayedACKLost", "The peer sent again what was already here: our ACK was lost or came too late."},

	// windows and acknowledgements

	// tcp_delack_timer_handler
	{"DelayedACKs", "An ACK was sent by the delayed-ACK timer, 40 to 200 ms late, because there was nothing to send it with."},
	// tcp_send_probe0 through tcp_write_wakeup
	{"TCPWinProbe", "A probe was sent into the peer's full receive window: the persist timer, as of a FIN-WAIT-1 whose FIN waits behind data."},
	// tcp_keepalive_timer through tcp_write_wakeup
	{"TCPKeepAlive", "A keepalive probe was sent on an idle connection."},
	// tcp_select_window
	{"TCPToZeroWindowAdv", "This side told its peer that the receive window is now 0: the application does not read."},
	// tcp_select_window
	{"TCPFromZeroWindowAdv", "This side opened its receive window again after it was 0."},
	// tcp_data_queue
	{"TCPZeroWindowDrop", "Data that came while this side's receive window was 0 was dropped; the peer will send it again."},
	// tcp_data_queue, tcp_send_rcvq
	{"TCPRcvQDrop", "Data in the window was dropped because the receive buffer or TCP memory is used up."},
	// tcp_add_backlog
	{"TCPBacklogDrop", "A segment was dropped because too many already waited for a socket that a system call was holding."},

	// TIME-WAIT

	// __inet_twsk_schedule
	{"TW", "A small time-wait entry was made, to last more than 4 seconds: for TIME-WAIT (60 s), or for an orphan in FIN-WAIT-2 (tcp_fin_timeout), whose later TIME-WAIT is not counted again; before Linux 5.18 it was counted when it ended."},
	// __inet_twsk_schedule
	{"TWKilled", "A time-wait entry was made to last 4 seconds or less: an orphan in FIN-WAIT-2 with a short TCP_LINGER2 or tcp_fin_timeout; before Linux 5.18 it was counted when it ended."},
	// __inet_check_established
	{"TWRecycled", "A connect() took over the socket pair of a connection of its own in TIME-WAIT (tcp_tw_reuse)."},
	// tcp_time_wait
	{"TCPTimeWaitOverflow", "A connection skipped TIME-WAIT, or its wait in FIN-WAIT-2, because tcp_max_tw_buckets entries exist already or memory ran out."},
	// tcp_timewait_state_process
	{"PAWSTimewait", "A segment for a connection in TIME-WAIT was rejected because its timestamp is old (RFC 7323)."},
	// tcp_timewait_state_process
	{"TCPACKSkippedTimeWait", "A segment outside the window met TIME-WAIT, and the ACK it would get was held back by the rate limit (tcp_invalid_ratelimit)."},
	// tcp_timewait_state_process
	{"TCPACKSkippedFinWait2", "A segment outside the window met an orphan in FIN-WAIT-2, and the ACK it would get was held back by the rate limit (tcp_invalid_ratelimit)."},
	// tcp_validate_incoming, tcp_check_req
	{"PAWSEstab", "A segment for a connection was dropped because its timestamp is old (RFC 7323): a duplicate from the past."},

	// segments

	{"InSegs", "A segment was received, good or bad."},
	// __tcp_transmit_skb, tcp_v4_send_reset, tcp_make_synack
	{"OutSegs", "A segment was sent; SYN, ACK and RST count, retransmissions are in RetransSegs instead."},
	// tcp_event_new_data_sent, tcp_send_syn_data
	{"TCPOrigDataSent", "A segment with data, or the FIN, was sent for the first time."},
	{"InErrs", "A bad segment was received: wrong checksum, bad header, or a SYN for an established connection."},
	{"InCsumErrors", "A segment was received with a wrong checksum."},
}
