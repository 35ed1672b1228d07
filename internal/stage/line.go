package stage

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"socklife/sockapi"
	"socklife/tcpinfo"
)

// A lesson's server has one client at a time, and what is in the queues of its listener is often the lesson itself. So
// clients do not wait there. Each asks for a place in the line first, in datagrams to the same address and port number
// of UDP, which no socket of the lesson sees, and connects when it is told that it is its turn. Until its run is over
// it goes on saying that it is there, and from which ports it connects: then nobody is waited for who has gone, and a
// connection of somebody else is known for one. Where no datagrams pass, a client connects and is served as it comes.

const (
	lineBegins   = "echod line 1"         // of every datagram: the protocol and its version
	lineRequest  = 128                    // bytes of a request at least: no answer is longer
	lineAgain    = 250 * time.Millisecond // a client says what it wants, or that it is there, so often
	linePatience = 10 * time.Second       // a client gives up a server that said something and then no more
	lineSilence  = 5 * time.Second        // a server takes a client that says no more for gone
	lineConnects = 5 * time.Second        // who does not connect in its turn loses it
	lineStranger = 5 * time.Second        // who came without asking is let go so long after another one has asked
	lineTurn     = time.Minute            // and a turn lasts, if others wait, and nobody steps or holds
	lineTries    = 10                     // a client asks so often whether there is a line at all
	lineEnds     = 4 * time.Second        // a client has so long to end, after a run that failed at the server
	lineLength   = 256                    // places
	lineReruns   = 10                     // of a run that a stranger spoiled
	aboveLessons = 64                     // descriptors of a line: those of a lesson are the same with and without it
)

// ErrStranger: a connection that is not this client's has come, and what it changes is what the lesson looks at.
var ErrStranger = errors.New("another client's connection came in between")

// datagrams is a UDP socket.
type datagrams struct{ fd int }

// newDatagrams makes one as use says, which binds or connects it.
func newDatagrams(addr netip.AddrPort, use func(*sockapi.Socket) error) (*datagrams, error) {
	family := unix.AF_INET6
	if addr.Addr().Is4() {
		family = unix.AF_INET
	}
	s, err := sockapi.NewSocket(family, unix.SOCK_DGRAM, 0, nil)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := use(s); err != nil {
		return nil, err
	}
	d := &datagrams{-1}
	s.Control(func(fd uintptr) {
		d.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, aboveLessons)
		if errors.Is(err, unix.EINVAL) { // ulimit -n is below
			d.fd, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
		}
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// comes waits for a datagram, or for the end of the socket.
func (d *datagrams) comes(atMost time.Duration) {
	unix.Poll([]unix.PollFd{{Fd: int32(d.fd), Events: unix.POLLIN}}, int(atMost.Milliseconds()))
}

// wake ends comes. (Of a UDP socket that is not connected shutdown() says ENOTCONN, and does it.)
func (d *datagrams) wake() { unix.Shutdown(d.fd, unix.SHUT_RDWR) }

func (d *datagrams) close() { unix.Close(d.fd) }

// said splits what one end of a line has said into words: its client's nonce first. It is not ok if it is another's.
func said(datagram []byte) (words []string, ok bool) {
	rest, ok := strings.CutPrefix(string(datagram), lineBegins+" ")
	words = strings.Fields(rest)
	return words, ok && len(words) >= 2
}

// before says how many are to be served first.
func before(n int) string {
	switch n {
	case 0:
		return "waiting: the server is busy, and this client is the next"
	case 1:
		return "waiting: 1 client is before this one"
	}
	return fmt.Sprintf("waiting: %d clients are before this one", n)
}

// addrOf is a socket address as netip has it; the zone is of no interest here.
func addrOf(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return tcpinfo.Canonical(netip.AddrPortFrom(netip.AddrFrom16(sa.Addr), uint16(sa.Port)))
	}
	return netip.AddrPort{}
}
