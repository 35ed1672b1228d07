package observe

import (
	"net/netip"
	"slices"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// What the tracepoint told is not told again by who sampled it. The end of a connection that had the same addresses
// before is not taken for the end of the new one.
func TestEachTransitionIsToldOnce(t *testing.T) {
	addr := netip.MustParseAddrPort
	a, b, nameless := addr("127.0.0.1:40000"), addr("127.0.0.1:7007"), addr("127.0.0.1:0")
	var d dedupe
	told := []string{}
	for _, s := range []timeline.State{
		{Local: nameless, Remote: b, From: tcpinfo.Closed, To: tcpinfo.SynSent, Source: "tracepoint"},
		{Local: a, Remote: b, From: tcpinfo.Closed, To: tcpinfo.SynSent, Source: "sock_diag"}, // the same: connect() has chosen a port
		{Local: a, Remote: b, From: tcpinfo.SynSent, To: tcpinfo.Established, Source: "tracepoint"},
		{Local: a, Remote: b, From: tcpinfo.SynSent, To: tcpinfo.Established, Source: "sock_diag"},
		{Local: a, Remote: b, From: tcpinfo.Established, To: tcpinfo.FinWait1, Source: "tracepoint"},
		{Local: a, Remote: b, From: tcpinfo.FinWait1, To: tcpinfo.FinWait2, Source: "tracepoint"},
		{Local: a, Remote: b, From: tcpinfo.FinWait1, To: tcpinfo.TimeWait, Source: "sock_diag"}, // its way to FIN-WAIT-2 is known
		{Local: nameless, Remote: b, From: tcpinfo.Closed, To: tcpinfo.SynSent, Source: "tracepoint"},
		{Local: a, Remote: b, From: tcpinfo.SynSent, To: tcpinfo.Established, Source: "tracepoint"}, // over that TIME-WAIT
		{Local: a, Remote: b, From: tcpinfo.TimeWait, To: tcpinfo.Closed, Source: "sock_diag"},
		{Local: a, Remote: b, From: tcpinfo.Established, To: tcpinfo.FinWait1, Source: "tracepoint"},
		{Local: a, Remote: b, From: tcpinfo.FinWait1, To: tcpinfo.FinWait2, Source: "tracepoint"},
		{Local: a, Remote: b, From: tcpinfo.FinWait2, To: tcpinfo.TimeWait, Source: "sock_diag"},
		{Local: b, From: tcpinfo.Closed, To: tcpinfo.Listen, Source: "tracepoint"},
		{Local: b, From: tcpinfo.Listen, To: tcpinfo.Closed, Source: "tracepoint"},
		{Local: b, From: tcpinfo.Listen, To: tcpinfo.Closed, Source: "sock_diag"},
	} {
		if d.keep(timeline.Client, &s) {
			told = append(told, s.From.String()+" "+s.To.String())
		}
	}
	want := []string{
		"CLOSED SYN-SENT", "SYN-SENT ESTABLISHED", "ESTABLISHED FIN-WAIT-1", "FIN-WAIT-1 FIN-WAIT-2", "FIN-WAIT-2 TIME-WAIT",
		"CLOSED SYN-SENT", "SYN-SENT ESTABLISHED", "TIME-WAIT CLOSED", "ESTABLISHED FIN-WAIT-1", "FIN-WAIT-1 FIN-WAIT-2", "FIN-WAIT-2 TIME-WAIT",
		"CLOSED LISTEN", "LISTEN CLOSED",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told:\n%q\nwant:\n%q", told, want)
	}
}

// Of a server with very many connections what is over is forgotten, and nothing else.
func TestWhatIsOverIsForgotten(t *testing.T) {
	var d dedupe
	server := netip.MustParseAddrPort("127.0.0.1:7007")
	client := func(n int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(n >> 16), 1}), uint16(n))
	}
	tell := func(n int, from, to tcpinfo.State, source string) bool {
		return d.keep(timeline.Server, &timeline.State{Local: server, Remote: client(n), From: from, To: to, Source: source})
	}
	const lives = 3 * fewest
	for n := 1; n <= lives; n++ {
		tell(n, tcpinfo.Listen, tcpinfo.SynReceived, "tracepoint")
		tell(n, tcpinfo.SynReceived, tcpinfo.Established, "tracepoint")
		if n == 1 {
			continue // stays open
		}
		tell(n, tcpinfo.Established, tcpinfo.Closed, "tracepoint")
		if tell(n, tcpinfo.Established, tcpinfo.Closed, "sock_diag") {
			t.Fatalf("the end of connection %d is told twice", n)
		}
	}
	if len(d.states) > fewest {
		t.Errorf("%d connections are remembered", len(d.states))
	}
	if tell(1, tcpinfo.SynReceived, tcpinfo.Established, "sock_diag") {
		t.Error("the one that is still open was forgotten")
	}
}

// So is what a look has found to be gone, after a TIME-WAIT of which the tracepoint does not tell the end.
func TestWhatALookFindsGoneIsForgotten(t *testing.T) {
	var d dedupe
	server := netip.MustParseAddrPort("127.0.0.1:7007")
	for n := range 3 * fewest {
		client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 1, byte(n >> 16), 1}), uint16(n))
		d.keep(timeline.Host, &timeline.State{Local: server, Remote: client, From: tcpinfo.Listen, To: tcpinfo.SynReceived, Source: "tracepoint"})
		for _, what := range []string{"new", "gone"} {
			d.keep(timeline.Host, &timeline.Watched{Local: server, Remote: client, What: what, To: tcpinfo.TimeWait})
		}
	}
	if len(d.states) > fewest {
		t.Errorf("%d connections are remembered", len(d.states))
	}
}

// A connection between addresses that had one before is told from its first sight on, though the one before went
// through the same state.
func TestANewLifeIsTold(t *testing.T) {
	var d dedupe
	a, b := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:7007")
	for _, s := range []struct {
		from, to tcpinfo.State
		source   string
		kept     bool
	}{
		{0, tcpinfo.SynReceived, "sock_diag", true},
		{tcpinfo.Listen, tcpinfo.SynReceived, "tracepoint", true},
		{tcpinfo.SynReceived, tcpinfo.Established, "tracepoint", true},
		{tcpinfo.Established, tcpinfo.FinWait1, "tracepoint", true},
		{tcpinfo.FinWait1, tcpinfo.FinWait2, "tracepoint", true},
		{tcpinfo.FinWait2, tcpinfo.TimeWait, "sock_diag", true},
		{0, tcpinfo.SynReceived, "sock_diag", true},
		{tcpinfo.TimeWait, tcpinfo.Closed, "sock_diag", true},
	} {
		if got := d.keep(timeline.Server, &timeline.State{Local: b, Remote: a, From: s.from, To: s.to, Source: s.source}); got != s.kept {
			t.Errorf("%v > %v (%s): kept: %v", s.from, s.to, s.source, got)
		}
	}
}

// A late look at the life before is not of the one that has its addresses now, and does not end it.
func TestALateLookAtTheLifeBefore(t *testing.T) {
	var d dedupe
	keep := func(socket int, from, to tcpinfo.State, source string) bool {
		return d.keep(timeline.Server, &timeline.State{Local: netip.MustParseAddrPort("127.0.0.1:7007"), Remote: netip.MustParseAddrPort("127.0.0.1:41234"),
			Socket: socket, From: from, To: to, Source: source})
	}
	for socket := 3; socket <= 5; socket += 2 {
		keep(socket, tcpinfo.Listen, tcpinfo.SynReceived, "tracepoint")
		keep(socket, tcpinfo.SynReceived, tcpinfo.Established, "tracepoint")
		if socket == 3 {
			keep(socket, tcpinfo.Established, tcpinfo.Closed, "tracepoint")
		}
	}
	if keep(3, tcpinfo.Established, tcpinfo.Closed, "tcp_info") {
		t.Error("the end of the life before is told twice")
	}
	if keep(5, 0, tcpinfo.Established, "tcp_info") {
		t.Error("what the tracepoint has told of the new one is told twice")
	}
}
