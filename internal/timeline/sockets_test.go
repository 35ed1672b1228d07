package timeline

import (
	"net/netip"
	"testing"
	"time"

	"socklife/tcpinfo"
)

// A life has one number, whoever tells of it and in whatever order.
func TestSocketsHaveOneNumber(t *testing.T) {
	addr := netip.MustParseAddrPort
	server, client := addr("127.0.0.1:7007"), addr("127.0.0.1:40000")
	listener, child, conn := Ends{Local: server}, Ends{server, client}, Ends{client, server}
	unknown := func() uint64 { return 0 }
	now := time.Now()
	next := func() time.Time { now = now.Add(time.Millisecond); return now }
	var s Sockets
	want := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	want("socket()", s.Call(100, Server, netip.AddrPort{}), 1)
	s.Begins(1, Server, listener)
	want("another", s.Call(101, Server, netip.AddrPort{}), 2)
	s.Begins(2, Server, listener)
	want("the first listens", s.Transition(next(), Server, listener, tcpinfo.Closed, tcpinfo.Listen, unknown), 1)
	want("the second, on the same address", s.Transition(next(), Server, listener, tcpinfo.Closed, tcpinfo.Listen, unknown), 2)
	want("seen by cookie", s.Follow(next(), "a", 100, Server, listener, tcpinfo.Listen, false), 1)

	want("the client's", s.Call(200, Client, netip.AddrPort{}), 3)
	s.Begins(3, Client, Ends{Remote: server})
	want("it connects, without a port", s.Transition(next(), Client, Ends{addr("127.0.0.1:0"), server}, tcpinfo.Closed, tcpinfo.SynSent, unknown), 3)
	want("now it has one", s.Transition(next(), Client, conn, tcpinfo.SynSent, tcpinfo.Established, unknown), 3)
	want("as seen", s.Follow(next(), "b", 200, Client, conn, tcpinfo.Established, false), 3)

	want("a half-open entry", s.Follow(next(), "c", 300, Server, child, tcpinfo.SynReceived, false), 4)
	want("accepted under another cookie", s.Call(301, Server, client), 4)
	want("and so seen", s.Follow(next(), "c", 301, Server, child, tcpinfo.Established, false), 4)
	want("its end", s.Follow(next(), "c", 301, Server, child, tcpinfo.Closed, true), 4)
	want("told late", s.Transition(next(), Server, child, tcpinfo.LastAck, tcpinfo.Closed, unknown), 4)
	want("between the same addresses again", s.Follow(next(), "d", 302, Server, child, tcpinfo.SynReceived, false), 5)
	want("accepted", s.Call(302, Server, client), 5)
	same := func() uint64 { return 302 }
	want("heard of late", s.Transition(next(), Server, child, tcpinfo.Listen, tcpinfo.SynReceived, same), 5)
	want("CLOSED, and still open", s.Follow(next(), "d", 302, Server, child, tcpinfo.Closed, false), 5)
	want("and again, by the tracepoint alone", s.Transition(next(), Server, child, tcpinfo.Listen, tcpinfo.SynReceived, unknown), 6)
	made := next()
	want("a half-open entry again", s.Follow(next(), "e", 400, Server, Ends{server, addr("127.0.0.1:40001")}, tcpinfo.SynReceived, false), 7)
	want("open when it was seen next", s.Follow(next(), "e", 400, Server, Ends{server, addr("127.0.0.1:40001")}, tcpinfo.Established, false), 7)
	other := func() uint64 { return 401 } // the connection's cookie, that the entry did not have
	want("how it was made, heard of after that", s.Transition(made, Server, Ends{server, addr("127.0.0.1:40001")}, tcpinfo.Listen, tcpinfo.SynReceived, other), 7)
	want("the next one", s.Transition(next(), Server, Ends{server, addr("127.0.0.1:40001")}, tcpinfo.Listen, tcpinfo.SynReceived, other), 8)
}

// Of very many what is gone is forgotten.
func TestSocketsThatAreGoneAreForgotten(t *testing.T) {
	var s Sockets
	server := netip.MustParseAddrPort("127.0.0.1:7007")
	const many = 30000
	for n := range many {
		ends := Ends{server, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(n >> 8), byte(n)}), 40000)}
		for _, gone := range []bool{false, true} {
			if got := s.Follow(time.Time{}, n, uint64(n+1), Server, ends, tcpinfo.Established, gone); got != n+1 {
				t.Fatalf("socket %d has the number %d", n+1, got)
			}
		}
	}
	if kept := len(s.ends) + len(s.peers) + len(s.cookies) + len(s.followed); kept > many/2 {
		t.Errorf("%d are remembered", kept)
	}
}

// A life that has ended is not the next one with the same addresses, and is forgotten, though nobody follows it.
func TestALifeThatHasEnded(t *testing.T) {
	var s Sockets
	at, nobody := time.Now(), func() uint64 { return 0 }
	ends := Ends{netip.MustParseAddrPort("127.0.0.1:50123"), netip.MustParseAddrPort("127.0.0.1:80")}
	for life := 1; life <= 3; life++ {
		if n := s.Transition(at, Host, ends, tcpinfo.Closed, tcpinfo.SynSent, nobody); n != life {
			t.Errorf("life %d has the number %d", life, n)
		}
		s.Ended(life+1, Host, ends) // another's
		s.Ended(life, Host, ends)
	}
	for n := range 30000 {
		ends.Remote = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(n >> 8), byte(n)}), 80)
		s.Ended(s.Transition(at, Host, ends, tcpinfo.Closed, tcpinfo.SynSent, nobody), Host, ends)
	}
	if kept := len(s.ends) + len(s.peers) + len(s.cookies); kept > 15000 {
		t.Errorf("%d are remembered", kept)
	}
}
