package stage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Whoever sends what is no request, or has no cookie, gets no place, and no answer that is longer than the question.
func TestDatagramsOfStrangers(t *testing.T) {
	l, err := newLine(netip.MustParseAddrPort("127.0.0.1:0"), "close", false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	sa, err := unix.Getsockname(l.d.fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := addrOf(sa)
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	random := rand.New(rand.NewPCG(3, 4))
	nonce := strings.Repeat("ab", lineNonce)
	asked := 0
	for i := range 3000 {
		var b []byte
		switch i % 5 {
		case 0:
			b = make([]byte, random.IntN(1400))
			for j := range b {
				b[j] = byte(random.Uint32())
			}
		case 1:
			b = fmt.Appendf(nil, "%s %s - wait close prompt 127.0.0.1", lineBegins, nonce) // too short
		case 2:
			b = fmt.Appendf(nil, "%-*s", lineRequest, strings.Join([]string{lineBegins, nonce, "0123456789abcdef", "wait close prompt 127.0.0.1"}, " "))
			asked++ // it is told its cookie
		case 3:
			verb := []string{"here", "mine 1 yes", "failed 1", "leave", "wait", "\x00", "mine -1 yes"}[random.IntN(7)]
			b = fmt.Appendf(nil, "%-*s", lineRequest, strings.Join([]string{lineBegins, nonce, "x", verb}, " "))
			asked++
		case 4:
			b = fmt.Appendf(nil, "%-*s", lineRequest, lineBegins+strings.Repeat(" ", random.IntN(90))+"x")
		}
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
		if i%5 != 2 && i%5 != 3 {
			continue
		}
		answer := make([]byte, 2048)
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, err := conn.Read(answer)
		if err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		if asked--; n > len(b) || !strings.Contains(string(answer[:n]), " cookie ") {
			t.Errorf("%q is answered with %q", b, answer[:n])
		}
	}
	l.mu.Lock()
	if len(l.known)+len(l.waiting) > 0 || asked != 0 {
		t.Errorf("%d have a place; %d were not answered", len(l.known)+len(l.waiting), asked)
	}
	l.mu.Unlock()
	p, err := enterLine(t.Context(), addr, "close", false)
	if err != nil || p.name != "close" {
		t.Fatalf("a client is not heard any more: %v", err)
	}
	p.d.close()
}

// A server that says less than it should does a client no harm: it goes on asking.
func TestShortAnswersInTheLine(t *testing.T) {
	server, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		answers := []string{"", "cookie", "cookie c close 1", "", "go", "before", "full", "cookie c", "go 7"}
		for b := make([]byte, 512); ; {
			n, from, err := server.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			nonce, rest := strings.Fields(strings.TrimPrefix(string(b[:n]), lineBegins))[0], ""
			if len(answers) > 0 {
				rest, answers = answers[0], answers[1:]
			}
			server.WriteToUDPAddrPort([]byte(strings.TrimSuffix(lineBegins+" "+nonce+" "+rest, " ")), from)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	p, err := enterLine(ctx, server.LocalAddr().(*net.UDPAddr).AddrPort(), "close", false)
	if err != nil {
		t.Fatal(err)
	}
	defer p.d.close()
	if err := p.await(ctx, func(string) {}); err != nil || p.turn != "7" {
		t.Errorf("%v, turn %q", err, p.turn)
	}
}
