package stage

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"socklife/internal/unsupported"
	"socklife/sockapi"
)

// A call may fail for what this host has no more of, or has switched off, and not for anything that the lesson is
// about.

// descriptors is more than any lesson opens, on the wire too.
const descriptors = 32

// enough tells whether this process may have the descriptors that a run takes. With too few, not only the lesson's
// calls would fail, but those that watch it.
func enoughDescriptors() error {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil && limit.Cur < descriptors {
		return unsupported.New(fmt.Sprintf("this process may have %d descriptors, and a run takes up to %d", limit.Cur, descriptors), "ulimit -n 1024", nil)
	}
	return nil
}

// loopbackUp tells whether the interface is up that a lesson on this host goes over. (Where that cannot be asked, the
// lesson will see.)
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, lo)
	}
	if err == nil && lo.Uint16()&unix.IFF_UP == 0 {
		return unsupported.New("the interface lo is down here, and nothing goes over it", "ip link set lo up", nil)
	}
	return nil
}

// limited ends the run if a call failed for want of something that the host, or this process, has no more of.
func (s *Side) limited(err error) {
	var call *sockapi.Error
	if !errors.As(err, &call) {
		return
	}
	switch noIPv6 := unsupported.In(err); {
	case noIPv6 != nil && (call.Errno == unix.EADDRNOTAVAIL || call.Errno == unix.EAFNOSUPPORT): // on this thread's host
		s.run.fail(noIPv6)
	case call.Errno == unix.EMFILE:
		s.Unsupported(call.Error(), "ulimit -n says how many descriptors this process may have")
	case call.Call == "bind" && call.Errno == unix.EADDRINUSE && call.Addr.Port() == 0,
		call.Call == "connect" && call.Errno == unix.EADDRNOTAVAIL:
		s.run.fail(s.noPort(call))
	}
}

// noPort says of what bind() to port 0, or connect() from no port in particular, found none free.
func (s *Side) noPort(call *sockapi.Error) error {
	what := fmt.Sprintf("%v: no port is free for it: net.ipv4.ip_local_port_range is %s", call, s.Sysctl("ip_local_port_range"))
	reserved := s.Sysctl("ip_local_reserved_ports")
	if reserved != "" {
		what += ", without " + reserved + " (net.ipv4.ip_local_reserved_ports)"
	}
	how := `sysctl -w net.ipv4.ip_local_port_range="32768 60999"`
	switch {
	case s.OnWire():
		how = "without this --sysctl there are enough"
	case reserved != "":
		how += ` net.ipv4.ip_local_reserved_ports=""`
	}
	return unsupported.New(strings.ReplaceAll(what, "\t", " "), how, nil)
}
