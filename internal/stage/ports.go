package stage

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
)

// What lessons about ports, and about TIME-WAIT that keeps them, stand on.

// TimeWaitLength is TCP_TIMEWAIT_LEN, a constant of the kernel.
const TimeWaitLength = time.Minute

// SharingPort makes a socket whose port others of this user may have too.
func (s *Side) SharingPort(addr netip.AddrPort) *Conn {
	c := s.SocketNonblock()
	Set(c, sockapi.SO_REUSEPORT, true)
	c.Bind(addr)
	return c
}

// SocketFrom makes a socket for which connect() chooses from these ports. Where the kernel has no option for that, the
// ports of the whole host are these, if it is a host of its own.
func (s *Side) SocketFrom(ports sockapi.PortRange, without string) *Conn {
	c := s.Socket()
	err := sockapi.IP_LOCAL_PORT_RANGE.Set(c.sock, ports)
	if errors.Is(err, unix.ENOPROTOOPT) {
		if s.host.lab == nil {
			s.Unsupported("this kernel has no IP_LOCAL_PORT_RANGE, without which "+without, "it came with Linux 6.3; without it: echoc --wire "+s.run.sc.Name)
		}
		err = s.hostPorts(ports)
	}
	c.Must(err)
	c.NoBind()
	c.hasPort = true
	return c
}

// hostPorts narrows what all of this side's host chooses from, once.
func (s *Side) hostPorts(ports sockapi.PortRange) error {
	const name = "ip_local_port_range"
	want := fmt.Sprintf("%d\t%d", ports.Lo, ports.Hi)
	if s.Sysctl(name) == want {
		return nil
	}
	s.Note("this kernel has no IP_LOCAL_PORT_RANGE: net.ipv4.%s of this host is %d %d now", name, ports.Lo, ports.Hi)
	return s.host.lab.Sysctl("net.ipv4."+name, want)
}

// NoBind leaves the port to connect(): --bind is not for this socket.
func (c *Conn) NoBind() { c.bound = true }

// FreePorts finds n neighbouring ports that no socket has.
func (c *Side) FreePorts(n int) sockapi.PortRange {
	var lo, hi int
	if _, err := fmt.Sscan(c.Sysctl("ip_local_port_range"), &lo, &hi); err != nil || hi-lo < 2*n {
		c.Unsupported(fmt.Sprintf("too few ports are there for connections: net.ipv4.ip_local_port_range is %d %d", lo, hi),
			`sysctl -w net.ipv4.ip_local_port_range="32768 60999"`)
	}
	for tries := 1; ; tries++ {
		c.alive()
		if tries > 100 {
			c.Fail(fmt.Errorf("no %d neighbouring ports from %d to %d are free", n, lo, hi))
		}
		first := lo + 2*rand.IntN((hi-lo-n)/2) // even: bind() to port 0 begins with the odd ones
		free := true
		for port := first; port < first+n; port++ {
			free = free && c.isFree(uint16(port))
		}
		if free {
			return sockapi.PortRange{Lo: uint16(first), Hi: uint16(first + n - 1)}
		}
	}
}

// isFree tells whether a port can be bound. That is asked for the lesson's sake, and not a call of it.
func (c *Side) isFree(port uint16) bool {
	probe, err := sockapi.NewSocket(c.Family(), unix.SOCK_STREAM, 0, nil)
	if err != nil {
		c.Fail(err)
	}
	defer probe.Close()
	any := netip.IPv4Unspecified()
	if c.Family() == unix.AF_INET6 {
		any = netip.IPv6Unspecified()
	}
	return probe.Bind(netip.AddrPortFrom(any, port)) == nil
}

// NoReuse says why connect() takes no port out of a TIME-WAIT here, if it takes none: tcp_tw_reuse 1 is always, 2 (the
// default) is on loopback, and neither without timestamps.
func (s *Side) NoReuse() string {
	setting := s.Sysctl("tcp_tw_reuse")
	switch {
	case setting != "1" && (setting != "2" || !s.Addr.Addr().IsLoopback()):
		return "tcp_tw_reuse is " + setting
	case s.Sysctl("tcp_timestamps") == "0":
		return "tcp_timestamps is 0"
	}
	return ""
}

// ReuseDelay is how old a TIME-WAIT has to be; before Linux 6.14 it was a second for all.
func (c *Side) ReuseDelay() time.Duration {
	if ms, err := strconv.Atoi(c.Sysctl("tcp_tw_reuse_delay")); err == nil {
		return time.Duration(ms) * time.Millisecond
	}
	return time.Second
}

// AwaitReusable waits until a connection has been in TIME-WAIT for long enough.
func (c *Conn) AwaitReusable() {
	delay := c.side.ReuseDelay()
	c.side.Await(fmt.Sprintf("a while later: now it is older than tcp_tw_reuse_delay, %v", delay), func() (string, bool) {
		t := c.Diag().Timer
		return fmt.Sprintf("timer %s", t), t.Expires < TimeWaitLength-delay-50*time.Millisecond
	})
}
