package explain

import "strings"

// Sysctl is a setting of the kernel that this program or its pages name.
type Sysctl struct {
	Name    string // net.ipv4.tcp_fin_timeout
	Default string // as a fresh network namespace has it, on Linux 6.18
	Varies  string // why Default is an example only; "" if it is the same everywhere
	Unit    string // s; "" of a switch
	Does    string // one sentence
	Since   string // since 6.5, before 5.4: 128, removed in 4.12; "" if it is older than Linux 4.0 and never changed since
	Host    bool   // there is one for the whole host, and a network namespace has none of its own
	Seen    string // the scenario that shows it; "" if none does
	Spoken  string // if so, the scenario whose page speaks of it, or the section of docs/reference.md: #timers
}

// Gone tells a sysctl that Linux has no longer.
func (s *Sysctl) Gone() bool { return s.Default == "" && strings.HasPrefix(s.Since, "removed") }

// Sysctls are all of them, in the order of a connection's life.
func Sysctls() []Sysctl { return sysctls }

// FindSysctl finds one by its name, or by the last part of it, in any case; with / for . as below /proc/sys, too. nil
// if it is not explained.
func FindSysctl(word string) *Sysctl {
	word = strings.ReplaceAll(strings.TrimPrefix(word, "/proc/sys/"), "/", ".")
	for i, s := range sysctls {
		if strings.EqualFold(s.Name, word) || strings.EqualFold(s.Short(), word) {
			return &sysctls[i]
		}
	}
	return nil
}

// Short is the name without net.ipv4 or what else stands before it.
func (s *Sysctl) Short() string { return s.Name[strings.LastIndexByte(s.Name, '.')+1:] }

// Value is the default with its unit.
func (s *Sysctl) Value() string {
	switch {
	case s.Gone():
		return ""
	case s.Default == "":
		return "empty"
	case s.Varies != "":
		return s.Default + " " + s.Unit + " (" + s.Varies + ")"
	}
	return strings.TrimSpace(s.Default + " " + s.Unit)
}

const (
	byMemory = "depends on memory"
	byKernel = "depends on memory and kernel"
)

var sysctls = []Sysctl{
	// addresses and ports

	{Name: "net.ipv4.ip_local_port_range", Default: "32768 60999", Unit: "ports", Seen: "port-exhaustion",
		Does: "From which connect(), and bind() with port 0, choose a port; of IPv6 too."},
	{Name: "net.ipv4.ip_local_reserved_ports", Default: "", Unit: "ports", Seen: "self-connect",
		Does: "Ports of that range that are not chosen; bind() may still name them."},
	{Name: "net.ipv4.ip_unprivileged_port_start", Default: "1024", Unit: "port", Since: "since 4.11", Spoken: "#errors",
		Does: "The first port that bind() gives a user without CAP_NET_BIND_SERVICE."},
	{Name: "net.ipv4.ip_nonlocal_bind", Default: "0", Spoken: "#errors",
		Does: "1: bind() takes an address that this host does not have."},
	{Name: "net.ipv6.bindv6only", Default: "0", Spoken: "#socket-options",
		Does: "1: a socket bound to [::] takes no IPv4 connections (IPV6_V6ONLY)."},

	{Name: "net.ipv6.conf.all.disable_ipv6", Default: "0", Spoken: "#errors",
		Does: "1: no interface has an IPv6 address, and bind() finds none."},

	// to connect

	{Name: "net.ipv4.tcp_syn_retries", Default: "6", Unit: "times", Seen: "connect-timeout",
		Does: "How often connect() sends its SYN again, with doubling waits, beside the linear ones."},
	{Name: "net.ipv4.tcp_syn_linear_timeouts", Default: "4", Unit: "times", Since: "since 6.5", Seen: "connect-timeout",
		Does: "How often a SYN is sent again after 1 s each, before the waits double."},
	{Name: "net.ipv4.tcp_timestamps", Default: "1", Seen: "old-duplicate",
		Does: "0: off; 1: the timestamps option, with a random offset; 2: without one."},
	{Name: "net.ipv4.tcp_window_scaling", Default: "1", Spoken: "#tcp_info",
		Does: "1: SYNs have the window scale option, without which a window ends at 65,535 bytes."},
	{Name: "net.ipv4.tcp_fastopen", Default: "1", Unit: "bits", Spoken: "#tcp_info",
		Does: "A set of bits: 1 lets clients send data in the SYN (TCP Fast Open), 2 lets servers take it."},
	{Name: "net.ipv4.tcp_ecn", Default: "2", Spoken: "#tcp_info",
		Does: "0: no ECN; 1: ask for it and accept it; 2: accept it; 3 to 5 (Linux 6.18): Accurate ECN."},

	// to listen

	{Name: "net.core.somaxconn", Default: "4096", Unit: "connections", Since: "before 5.4: 128", Seen: "backlog",
		Does: "The highest backlog that listen() gives."},
	{Name: "net.ipv4.tcp_max_syn_backlog", Default: "2048", Varies: byMemory, Unit: "connections", Seen: "syn-queue",
		Does: "With tcp_syncookies 0: how many half-open connections a listener has at most."},
	{Name: "net.ipv4.tcp_syncookies", Default: "1", Seen: "syn-queue",
		Does: "0: never; 1: SYN cookies when the SYN queue is full; 2: always."},
	{Name: "net.ipv4.tcp_synack_retries", Default: "5", Unit: "times", Seen: "half-open-expiry",
		Does: "How often a SYN-ACK is sent again before the half-open entry is dropped."},
	{Name: "net.ipv4.tcp_abort_on_overflow", Default: "0", Seen: "abort-on-overflow",
		Does: "1: RST, and not silence, to the third segment where the accept queue is full."},
	{Name: "net.ipv4.tcp_migrate_req", Default: "0", Since: "since 5.14", Seen: "reuseport",
		Does: "1: what waits in a queue goes to another listener of the SO_REUSEPORT group at close()."},

	// while it is there

	{Name: "net.ipv4.tcp_keepalive_time", Default: "7200", Unit: "s", Seen: "dead-peer",
		Does: "With SO_KEEPALIVE: how long nothing must have come before the first probe."},
	{Name: "net.ipv4.tcp_keepalive_intvl", Default: "75", Unit: "s", Seen: "dead-peer",
		Does: "How long to wait between keepalive probes."},
	{Name: "net.ipv4.tcp_keepalive_probes", Default: "9", Unit: "times", Seen: "dead-peer",
		Does: "How many keepalive probes may stay unanswered."},
	{Name: "net.ipv4.tcp_retries2", Default: "15", Unit: "times", Seen: "dead-peer",
		Does: "How often data is sent again before ETIMEDOUT: the time that so many would take."},
	{Name: "net.ipv4.tcp_rto_min_us", Default: "200000", Unit: "µs", Since: "since 6.11", Spoken: "#timers",
		Does: "The shortest retransmission timeout, once a round trip was measured."},
	{Name: "net.ipv4.tcp_rto_max_ms", Default: "120000", Unit: "ms", Since: "since 6.15", Spoken: "#timers",
		Does: "The longest retransmission timeout, at which the doubling ends."},
	{Name: "net.ipv4.tcp_sack", Default: "1", Spoken: "#tcp_info",
		Does: "Whether selective acknowledgements (SACK) are offered, and taken."},
	{Name: "net.ipv4.tcp_early_retrans", Default: "3", Spoken: "#timers",
		Does: "0: no tail loss probes; 3: tail loss probes."},
	{Name: "net.ipv4.tcp_recovery", Default: "1", Unit: "bits", Since: "since 4.4", Spoken: "#timers",
		Does: "1: RACK finds losses by time; 2: with a fixed window; 4: duplicate ACKs are not counted."},
	{Name: "net.ipv4.tcp_reordering", Default: "3", Unit: "segments", Spoken: "#timers",
		Does: "By how many places a segment may be late at first before it counts as lost."},
	{Name: "net.ipv4.tcp_min_rtt_wlen", Default: "300", Unit: "s", Since: "since 4.4", Spoken: "#tcp_info",
		Does: "For how long tcp_info's min_rtt is remembered."},
	{Name: "net.ipv4.tcp_invalid_ratelimit", Default: "500", Unit: "ms", Since: "since 4.0", Spoken: "#counters",
		Does: "How far apart the ACKs are that answer segments outside the window."},
	{Name: "net.ipv4.tcp_stdurg", Default: "0", Seen: "urgent",
		Does: "1: the urgent pointer as RFC 1122 has it, at the urgent byte and not behind it."},

	// memory

	{Name: "net.ipv4.tcp_congestion_control", Default: "cubic", Varies: "what the kernel was built with", Spoken: "#tcp_info",
		Does: "Which congestion control a new socket has."},
	{Name: "net.ipv4.tcp_allowed_congestion_control", Default: "reno cubic", Host: true, Spoken: "#tcp_info",
		Does: "Those that a socket may choose without CAP_NET_ADMIN."},
	{Name: "net.ipv4.tcp_available_congestion_control", Default: "reno cubic", Host: true, Spoken: "#tcp_info",
		Does: "Those that the kernel has, or has loaded; others may be modules."},
	{Name: "net.ipv4.tcp_mtu_probing", Default: "0", Spoken: "#tcp_info",
		Does: "1: after retransmission timeouts smaller segments are tried, since larger ones may be lost silently."},
	{Name: "net.ipv4.tcp_shrink_window", Default: "0", Since: "since 6.5", Spoken: "#tcp_info",
		Does: "1: the window may become smaller than it was announced, where the receive buffer is short of memory."},
	{Name: "net.ipv4.tcp_notsent_lowat", Default: "4294967295", Unit: "bytes", Spoken: "#socket-options",
		Does: "A socket is writable, and write() goes on, only while less than this is unsent."},
	{Name: "net.ipv4.tcp_moderate_rcvbuf", Default: "1", Spoken: "#socket-options",
		Does: "1: the receive buffer grows with what the application reads, up to the most that tcp_rmem allows."},
	{Name: "net.ipv4.tcp_rmem", Default: "4096 131072 33554432", Varies: byKernel, Unit: "bytes", Spoken: "#socket-options",
		Does: "A receive buffer: the least, at first, and the most that adapting gives it."},
	{Name: "net.ipv4.tcp_wmem", Default: "4096 16384 4194304", Varies: byMemory, Unit: "bytes", Spoken: "#socket-options",
		Does: "A send buffer: the least, at first, and the most that adapting gives it."},
	{Name: "net.core.rmem_max", Default: "4194304", Varies: "depends on the kernel", Unit: "bytes", Host: true, Spoken: "#socket-options",
		Does: "The most that SO_RCVBUF takes, before the kernel doubles it."},
	{Name: "net.ipv4.tcp_mem", Default: "287901 383868 575802", Varies: byMemory, Unit: "pages", Host: true, Spoken: "#errors",
		Does: "Memory of all TCP sockets: no pressure below, pressure, and the most."},
	{Name: "fs.file-max", Default: "2466177", Varies: byMemory, Unit: "files", Host: true, Spoken: "#errors",
		Does: "How many files, sockets among them, may be open on the host (ENFILE)."},

	// to close

	{Name: "net.ipv4.tcp_fin_timeout", Default: "60", Unit: "s", Seen: "fin-wait-2-orphan",
		Does: "How long FIN-WAIT-2 lasts after close(); it has nothing to do with TIME-WAIT."},
	{Name: "net.ipv4.tcp_orphan_retries", Default: "0", Unit: "times", Seen: "fin-wait-1",
		Does: "How often data or the FIN is sent again after close(); 0 is 8."},
	{Name: "net.ipv4.tcp_max_orphans", Default: "131072", Varies: byMemory, Unit: "connections", Host: true, Spoken: "fin-wait-2-orphan",
		Does: "Connections without a descriptor beyond this many are reset (TCPAbortOnMemory)."},
	{Name: "net.ipv4.tcp_max_tw_buckets", Default: "131072", Varies: byMemory, Unit: "connections", Spoken: "server-close",
		Does: "Beyond this many, a connection skips TIME-WAIT (TCPTimeWaitOverflow)."},
	{Name: "net.ipv4.tcp_tw_reuse", Default: "2", Since: "before 4.19: 0", Seen: "time-wait-reuse",
		Does: "Whether connect() may take the place of TIME-WAIT; 0: no; 1: yes; 2: on loopback."},
	{Name: "net.ipv4.tcp_tw_reuse_delay", Default: "1000", Unit: "ms", Since: "since 6.14", Seen: "time-wait-reuse",
		Does: "How old that TIME-WAIT must be."},
	{Name: "net.ipv4.tcp_rfc1337", Default: "0", Seen: "time-wait-reset",
		Does: "1: a RST does not end TIME-WAIT."},
	{Name: "net.ipv4.tcp_tw_recycle", Since: "removed in 4.12", Spoken: "time-wait",
		Does: "Ended TIME-WAIT early, and dropped SYNs of clients behind NAT."},
}
