package stage

import (
	"os"
	"strings"
)

// MaxTimeWaits names how many connections a host may have in TIME-WAIT.
const MaxTimeWaits = "tcp_max_tw_buckets"

// Sysctl reads net.ipv4.NAME, as it is on this side's host. It is "" where the kernel has none.
func (s *Side) Sysctl(name string) string {
	return ipv4Sysctl(name)
}

// PeerSysctl is Sysctl of the other side's host, where that can be asked: on the wire.
func (s *Side) PeerSysctl(name string) (value string) {
	s.peerHost.do(func() error { value = ipv4Sysctl(name); return nil })
	return value
}

// ipv4Sysctl is that of the namespace that the thread is in.
func ipv4Sysctl(name string) string {
	text, err := os.ReadFile("/proc/sys/net/ipv4/" + name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
