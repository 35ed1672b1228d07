package e2e

import (
	"fmt"
	"slices"
	"strings"
)

// setup is a way that a host may be set up, other than as Linux comes.
type setup struct {
	name  string
	sets  []string // sysctls, NAME=VALUE
	shell string   // or what a shell is told
	args  string   // or what the commands are told
	names string   // what is named where a lesson does not hold; "": the sysctls
}

// onlyHere tells of one that is no setting of a wire's hosts.
func (s setup) onlyHere() bool { return strings.HasPrefix(s.shell, "ip ") }

// script makes the host so, if its kernel takes it, and becomes the command that follows.
func (s setup) script() string {
	var b strings.Builder
	for _, set := range s.sets {
		name, value, _ := strings.Cut(set, "=")
		fmt.Fprintf(&b, "echo '%s' 2>&- >/proc/sys/%s || exit %d\n", value, strings.ReplaceAll(name, ".", "/"), notTaken)
	}
	if s.shell != "" {
		fmt.Fprintf(&b, "%s || exit %d\n", s.shell, notTaken)
	}
	return b.String() + `exec "$@"`
}

// notTaken is the exit status where this kernel has no such setting, or does not take the value.
const notTaken = 77

// flags are those of the commands; of the wire, whose hosts are that side's, "" for both, the sysctls too.
func (s setup) flags(wire bool, side string) []string {
	args := strings.Fields(s.args)
	if wire {
		args = append(args, "--wire")
		for _, set := range s.sets {
			args = append(args, "--sysctl", side+set)
		}
	}
	return args
}

// named tells whether a message names what was set.
func (s setup) named(message string) bool {
	if s.names != "" {
		return strings.Contains(message, s.names)
	}
	return slices.ContainsFunc(s.sets, func(set string) bool {
		name, _, _ := strings.Cut(set, "=")
		return strings.Contains(message, name)
	})
}

// setups are all that are tried.
func setups() (list []setup) {
	for _, of := range []struct{ prefix, sets string }{
		{"net.ipv4.", "tcp_timestamps=0 tcp_sack=0 tcp_window_scaling=0 tcp_ecn=0 tcp_ecn=1 tcp_ecn=3 tcp_fastopen=0x403"},
		{"net.ipv4.", "tcp_congestion_control=reno tcp_congestion_control=cubic tcp_congestion_control=bbr"},
		{"net.ipv4.", "tcp_max_tw_buckets=0 tcp_max_tw_buckets=1 tcp_tw_reuse=0 tcp_tw_reuse=1 tcp_tw_reuse=2 tcp_tw_reuse_delay=1 tcp_rfc1337=1"},
		{"net.ipv4.", "tcp_fin_timeout=5 tcp_orphan_retries=1 tcp_retries2=1 tcp_keepalive_time=1"},
		{"net.ipv4.", "tcp_syncookies=0 tcp_syncookies=2 tcp_max_syn_backlog=1 tcp_abort_on_overflow=1 tcp_migrate_req=1"},
		{"net.core.", "somaxconn=0 somaxconn=1"},
		{"net.ipv4.", "tcp_syn_retries=1 tcp_syn_linear_timeouts=0 tcp_synack_retries=0 tcp_synack_retries=1"},
		{"net.ipv4.", "tcp_rto_min_us=5000 tcp_rto_min_us=1000000 tcp_rto_max_ms=1000 tcp_early_retrans=0 tcp_recovery=0"},
		{"net.ipv4.", "tcp_notsent_lowat=1 tcp_notsent_lowat=16384 tcp_moderate_rcvbuf=0 tcp_shrink_window=1 tcp_mtu_probing=2"},
		{"net.ipv4.", "tcp_stdurg=1"},
		{"net.ipv6.", "bindv6only=1"},
	} {
		for set := range strings.FieldsSeq(of.sets) {
			list = append(list, setup{name: set, sets: []string{of.prefix + set}})
		}
	}
	for _, sizes := range []string{"4096 4096 4096", "4096 16384 16384", "4096 16777216 16777216"} {
		list = append(list, setup{name: "tcp_rmem and tcp_wmem " + sizes, sets: []string{"net.ipv4.tcp_rmem=" + sizes, "net.ipv4.tcp_wmem=" + sizes}})
	}
	for _, n := range []int{1, 2, 4, 16} {
		ports := fmt.Sprintf("40000 %d", 40000+n-1)
		list = append(list, setup{name: fmt.Sprintf("ip_local_port_range of %d", n), sets: []string{"net.ipv4.ip_local_port_range=" + ports}})
	}
	return append(list,
		setup{name: "all ports in ip_local_reserved_ports", sets: []string{"net.ipv4.ip_local_reserved_ports=32768-60999"}},
		setup{name: "tcp_syncookies=0, tcp_max_syn_backlog=1", sets: []string{"net.ipv4.tcp_syncookies=0", "net.ipv4.tcp_max_syn_backlog=1"}},
		setup{name: "tcp_retries2=1, tcp_orphan_retries=1", sets: []string{"net.ipv4.tcp_retries2=1", "net.ipv4.tcp_orphan_retries=1"}},
		setup{name: "disable_ipv6=1", sets: []string{"net.ipv6.conf.all.disable_ipv6=1"}},
		setup{name: "disable_ipv6=1, -6", sets: []string{"net.ipv6.conf.all.disable_ipv6=1"}, args: "-6"},
		setup{name: "lo: mtu 1280", shell: "ip link set lo mtu 1280"},
		setup{name: "lo: mtu 1280, -6", shell: "ip link set lo mtu 1280", args: "-6"},
		setup{name: "lo: mtu 576", shell: "ip link set lo mtu 576"},
		setup{name: "lo: down", shell: "ip link set lo down", names: "lo is down"},
		setup{name: "ulimit -n 8", shell: "ulimit -n 8", names: "ulimit -n"},
		setup{name: "ulimit -n 16", shell: "ulimit -n 16", names: "ulimit -n"},
		setup{name: "ulimit -n 32", shell: "ulimit -n 32", names: "ulimit -n"},
		setup{name: "--nodelay", args: "--nodelay"},
	)
}
