package sockapi

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// makeEveryCall makes each call, so that it succeeds and so that it fails, and sets and reads each option.
func makeEveryCall(t Tracer) error {
	for _, f := range []func(Tracer) error{
		func(t Tracer) error { return everyCallOn(t, loopback4) },
		func(t Tracer) error { return everyCallOn(t, loopback6) },
		everyFailure, everyOption, zonedCalls,
	} {
		if err := f(t); err != nil {
			return err
		}
	}
	return nil
}

// attempts collects errors, so that calls can be written one below the other.
type attempts struct{ err error }

// ok is for a call that has to succeed.
func (a *attempts) ok(err error) {
	if a.err == nil {
		a.err = err
	}
}

// fails is for one that has to fail.
func (a *attempts) fails(err error, errno unix.Errno) {
	if !errors.Is(err, errno) {
		a.ok(fmt.Errorf("%v; want %v", err, errno))
	}
}

func last[T any](_ T, err error) error { return err }

func everyCallOn(t Tracer, ip netip.Addr) error {
	l, err := NewSocket(family(ip), unix.SOCK_STREAM, unix.IPPROTO_TCP, t)
	if err != nil {
		return err
	}
	c, err := NewSocket(family(ip), unix.SOCK_STREAM, 0, t)
	if err != nil {
		return err
	}
	var a attempts
	a.ok(l.Bind(netip.AddrPortFrom(ip, 0)))
	a.ok(l.Listen(5))
	at, err := l.Getsockname()
	a.ok(err)
	a.ok(c.Connect(at))
	s, _, err := l.Accept4(unix.SOCK_NONBLOCK)
	if a.ok(err); a.err != nil {
		return a.err
	}
	a.ok(last(s.Getpeername()))
	everyTransfer(&a, c, s)
	d, err := s.Dup()
	if a.ok(err); a.err != nil {
		return a.err
	}
	a.ok(last(s.pollWritable(time.Time{})))
	a.ok(last(s.AtMark()))
	a.ok(last(s.InQ()))
	a.ok(last(s.OutQ()))
	a.ok(s.Shutdown(unix.SHUT_RD))
	a.ok(s.Shutdown(unix.SHUT_WR))
	a.ok(c.Shutdown(unix.SHUT_RDWR))
	for _, s := range []*Socket{d, s, c, l} {
		a.ok(s.Close())
	}
	return a.err
}

// everyTransfer has in it every byte, what strace cuts off, and each flag.
func everyTransfer(a *attempts, c, s *Socket) {
	buf := make([]byte, 512)
	bytes := make([]byte, 256)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	for _, text := range []string{"", "hello\n", "\a\b\t\n\v\f\r\"\\'", "\x001\x002\x009\x00a\x7f8\xff", strings.Repeat("x", 31) + "\x00", strings.Repeat("y", 33), "\x001234567890123456789012345678901\x007"} {
		a.ok(last(c.Write([]byte(text))))
		if text != "" {
			a.ok(last(s.Read(buf)))
		}
	}
	for i := 0; i < len(bytes); i += 16 {
		a.ok(last(c.Write(bytes[i : i+16])))
		a.ok(last(s.Recv(buf, 0)))
	}
	a.ok(last(c.Send([]byte("more"), unix.MSG_MORE|unix.MSG_NOSIGNAL)))
	a.ok(last(c.Send([]byte("!"), unix.MSG_OOB|unix.MSG_DONTWAIT)))
	a.ok(last(s.Recv(buf, unix.MSG_PEEK|unix.MSG_DONTWAIT)))
	a.ok(last(s.Recv(buf[:4], unix.MSG_WAITALL)))
	a.ok(last(s.Recv(buf, unix.MSG_OOB)))
	a.ok(last(s.Recv(nil, unix.MSG_TRUNC)))
}

func everyFailure(t Tracer) error {
	var a attempts
	a.fails(last(NewSocket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_UDP, t)), unix.EPROTONOSUPPORT)
	a.fails(last(NewSocket(77, unix.SOCK_STREAM, 5, t)), unix.EAFNOSUPPORT)
	a.fails(last(NewSocket(unix.AF_INET, 14|unix.SOCK_NONBLOCK|0x100, 999, t)), unix.EINVAL)
	s, err := NewSocket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0, t)
	if err != nil {
		return err
	}
	other, err := NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, t)
	if err != nil {
		return err
	}
	buf := make([]byte, 100)
	a.fails(s.Bind(netip.MustParseAddrPort("192.0.2.77:0")), unix.EADDRNOTAVAIL)
	a.fails(last(s.Getpeername()), unix.ENOTCONN)
	a.fails(last(s.Read(buf)), unix.ENOTCONN)
	a.fails(last(s.Recv(buf, unix.MSG_OOB)), unix.EINVAL)
	a.fails(last(s.Write([]byte("lost"))), unix.EPIPE)
	a.fails(last(s.Send([]byte("lost"), unix.MSG_NOSIGNAL)), unix.EPIPE)
	a.fails(s.Shutdown(unix.SHUT_WR), unix.ENOTCONN)
	a.fails(s.Shutdown(7), unix.EINVAL)
	a.fails(last2(s.Accept4(0)), unix.EINVAL)
	a.fails(last2(s.Accept4(0x1000)), unix.EINVAL)
	a.ok(s.Bind(netip.AddrPortFrom(loopback4, 0)))
	at, err := s.Getsockname()
	a.ok(err)
	a.fails(other.Connect(at), unix.ECONNREFUSED)
	a.ok(other.Connect(netip.AddrPort{})) // AF_UNSPEC
	a.ok(s.Listen(-1))
	a.fails(last2(s.Accept4(unix.SOCK_NONBLOCK)), unix.EAGAIN)
	a.fails(last(s.InQ()), unix.EINVAL)
	a.ok(s.Close())
	a.ok(other.Close())
	return a.err
}

func last2[T, U any](_ T, _ U, err error) error { return err }

// zonedCalls show a scope, if any interface has a link-local address.
func zonedCalls(t Tracer) error {
	s, err := NewSocket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0, t)
	if err != nil {
		return err
	}
	for _, zone := range []string{"1", "99999"} { // lo, and none
		_ = s.Connect(netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(zone), 9))
		_ = s.Bind(netip.AddrPortFrom(netip.MustParseAddr("2001:db8::1").WithZone(zone), 9))
		_ = s.Bind(netip.AddrPortFrom(netip.MustParseAddr("ff02::1").WithZone(zone), 9))
		_ = s.Bind(netip.AddrPortFrom(netip.MustParseAddr("::ffff:192.0.2.1").WithZone(zone), 9))
	}
	return s.Close()
}

// everyOption sets and reads every option, for the comparison with strace.
func everyOption(t Tracer) error {
	s, err := NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, t)
	if err != nil {
		return err
	}
	s6, err := NewSocket(unix.AF_INET6, unix.SOCK_STREAM, 0, t)
	if err != nil {
		return err
	}
	var a attempts
	for _, o := range []Option[bool]{SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE, SO_OOBINLINE, TCP_NODELAY, TCP_QUICKACK, TCP_SAVE_SYN} {
		a.ok(last(o.SetGet(s, true)))
		a.ok(last(o.SetGet(s, false)))
	}
	for _, o := range []Option[int]{SO_RCVBUF, SO_SNDBUF, TCP_MAXSEG, TCP_KEEPCNT, TCP_SYNCNT} {
		a.ok(last(o.SetGet(s, 100)))
	}
	for _, o := range []Option[time.Duration]{SO_RCVTIMEO, SO_SNDTIMEO, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_DEFER_ACCEPT, TCP_LINGER2, TCP_USER_TIMEOUT} {
		a.ok(last(o.SetGet(s, 90*time.Second+5*time.Millisecond)))
		_, _ = o.SetGet(s, 0) // which is EINVAL for some
	}
	for _, l := range []Linger{{true, 0}, {true, 2}, {false, 0}} {
		a.ok(last(SO_LINGER.SetGet(s, l)))
	}
	portRanges(&a, s)
	a.ok(last(IPV6_V6ONLY.SetGet(s6, true)))
	a.ok(last(SO_ERROR.Get(s)))
	a.ok(last(SO_COOKIE.Get(s)))
	a.ok(last(SO_ACCEPTCONN.Get(s)))
	a.fails(TCP_MAXSEG.Set(s, 1), unix.EINVAL)
	a.fails(last(IPV6_V6ONLY.Get(s)), unix.EOPNOTSUPP)
	filters(&a, s)
	savedSYN(&a, t)
	a.ok(s.Close())
	a.ok(s6.Close())
	return a.err
}

// portRanges need Linux 6.3; that it is refused before is as good for strace.
func portRanges(a *attempts, s *Socket) {
	for _, r := range []PortRange{{40000, 40002}, {0, 40002}, {40000, 0}, {0, 0}, {9, 8}} {
		if _, err := IP_LOCAL_PORT_RANGE.SetGet(s, r); err != nil && !errors.Is(err, unix.ENOPROTOOPT) && !errors.Is(err, unix.EINVAL) {
			a.ok(err)
		}
	}
}

// filters may be refused to ordinary users.
func filters(a *attempts, s *Socket) {
	if err := SO_ATTACH_FILTER.Set(s, dropAll); err != nil && !errors.Is(err, unix.EPERM) {
		a.ok(err)
	}
	_ = SO_DETACH_FILTER.Set(s, 0)
	a.fails(SO_DETACH_FILTER.Set(s, 0), unix.ENOENT)
	if err := SO_ATTACH_FILTER.Set(s, nil); err == nil {
		a.ok(errors.New("an empty filter was attached"))
	}
}

// savedSYN reads the handshake of a connection, once.
func savedSYN(a *attempts, t Tracer) {
	for _, save := range []bool{false, true} {
		l, err := NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, t)
		a.ok(err)
		c, err := NewSocket(unix.AF_INET, unix.SOCK_STREAM, 0, t)
		if a.ok(err); a.err != nil {
			return
		}
		a.ok(TCP_SAVE_SYN.Set(l, save))
		a.ok(l.Bind(netip.AddrPortFrom(loopback4, 0)))
		a.ok(l.Listen(1))
		at, err := l.Getsockname()
		a.ok(err)
		a.ok(c.Connect(at))
		s, _, err := l.Accept4(0)
		if a.ok(err); a.err != nil {
			return
		}
		a.ok(last(TCP_SAVED_SYN.Get(s)))
		for _, s := range []*Socket{s, c, l} {
			a.ok(s.Close())
		}
	}
}
