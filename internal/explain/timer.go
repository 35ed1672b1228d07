package explain

import "strings"

// Timer is one of the clocks that run for a connection in the kernel.
type Timer struct {
	Name    string   // retransmission
	Also    []string // other names; sysctls and the like
	Kernel  string   // the word that ss(8) and this program's events have for it: on, persist, …; "" if they do not show it
	Does    string   // one sentence: what happens when it runs out
	Lasts   string   // one sentence: how long it runs
	Governs []string // the sysctls and options that decide about it
	Seen    string   // the command that shows it
}

// Timers are all of them, in the order of a connection's life.
func Timers() []Timer { return timers }

// FindTimers finds them by their names, in any case. A word of the kernel's may stand for several.
func FindTimers(word string) (found []Timer) {
	for _, t := range timers {
		named := strings.EqualFold(t.Name, word) || strings.EqualFold(t.Kernel, word)
		for _, name := range t.Also {
			named = named || strings.EqualFold(name, word)
		}
		if named && word != "" {
			found = append(found, t)
		}
	}
	return found
}

var timers = []Timer{
	{Name: "retransmission", Also: []string{"RTO"}, Kernel: "on",
		Does:  "A SYN, SYN-ACK, FIN or data that was not acknowledged in time is sent again; after too many times the connection is given up (ETIMEDOUT).",
		Lasts: "1 s at first; then after the round trip as it was measured, at least 200 ms; twice as long each time, up to 120 s.",
		Governs: []string{"net.ipv4.tcp_syn_retries, TCP_SYNCNT: SYN, about 131 s in all", "net.ipv4.tcp_synack_retries: SYN-ACK, 63 s", "net.ipv4.tcp_retries2: data, about 15 minutes",
			"net.ipv4.tcp_orphan_retries: after close()", "TCP_USER_TIMEOUT"},
		Seen: "echoc --wire syn-loss"},
	{Name: "tail loss probe", Also: []string{"TLP"}, Kernel: "on",
		Does:    "The last segment of a flight is sent again early, since its acknowledgement is late and nothing follows it that could show a loss (RFC 8985).",
		Lasts:   "About two round trips, and not longer than the retransmission timer would take.",
		Governs: []string{"net.ipv4.tcp_early_retrans: 0 is off, 3 (the default) on"},
		Seen:    "echoc --wire lost-last-ack"},
	{Name: "reordering", Also: []string{"RACK"}, Kernel: "on",
		Does:    "A segment that later ones have overtaken is taken for lost, and sent again (RFC 8985).",
		Lasts:   "A part of the round trip, a quarter at first.",
		Governs: []string{"net.ipv4.tcp_recovery", "net.ipv4.tcp_reordering"},
	},
	{Name: "persist", Also: []string{"zero window probe"}, Kernel: "persist",
		Does:  "The peer's receive window is full, and a segment without data asks whether there is room now.",
		Lasts: "200 ms at first, twice as long each time, up to 120 s; without end while a descriptor is open and the peer answers.",
		Governs: []string{"TCP_USER_TIMEOUT", "net.ipv4.tcp_orphan_retries: after close()",
			"net.ipv4.tcp_retries2: a peer that does not answer"},
		Seen: "echoc fin-wait-1"},
	{Name: "keepalive", Kernel: "keepalive",
		Does:    "Nothing has come for long, and a segment without data asks whether the peer is still there; after too many without an answer: ETIMEDOUT.",
		Lasts:   "2 hours of silence, then 9 probes at 75 s, by default; and it runs only if SO_KEEPALIVE is set.",
		Governs: []string{"SO_KEEPALIVE", "TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT", "net.ipv4.tcp_keepalive_time, tcp_keepalive_intvl, tcp_keepalive_probes"},
		Seen:    "echoc --wire dead-peer"},
	{Name: "delayed ACK", Also: []string{"delack"},
		Does:    "An acknowledgement that waited for data to go along with is sent alone.",
		Lasts:   "40 ms, and up to 200 ms where the peer sends seldom; ss does not show it.",
		Governs: []string{"TCP_QUICKACK: for now"},
		Seen:    "echoc close"},
	{Name: "tcp_fin_timeout", Also: []string{"orphan", "orphan's FIN-WAIT-2"}, Kernel: "timewait",
		Does:    "A connection in FIN-WAIT-2 that no descriptor leads to any more is forgotten: the peer has not closed in time.",
		Lasts:   "60 s after close(), sometimes on the keepalive timer of the socket (ss shows it); without close() FIN-WAIT-2 has no timer.",
		Governs: []string{"net.ipv4.tcp_fin_timeout", "TCP_LINGER2: for one socket"},
		Seen:    "echoc fin-wait-2-orphan"},
	{Name: "2MSL", Also: []string{"TCP_TIMEWAIT_LEN"}, Kernel: "timewait",
		Does:    "TIME-WAIT ends, and its addresses and ports are free for any connection.",
		Lasts:   "60 s, a constant of Linux, begun anew when the peer's FIN comes again.",
		Governs: []string{"no sysctl changes it; net.ipv4.tcp_tw_reuse lets connect() take its place earlier"},
		Seen:    "echoc --full time-wait"},
}
