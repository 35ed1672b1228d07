package scenario

import (
	"net/netip"
	"slices"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

func TestWhose(t *testing.T) {
	r := &run{addrs: map[netip.AddrPort]timeline.Side{}}
	addr := netip.MustParseAddrPort
	r.belongs(addr("127.0.0.1:7007"), timeline.Server)
	r.belongs(addr("127.0.0.1:7007"), timeline.Client) // too late
	r.belongs(addr("127.0.0.1:40000"), timeline.Client)
	r.belongs(addr("[::]:8008"), timeline.Server)
	for _, c := range []struct {
		local, remote string
		side          timeline.Side
		ours          bool
	}{
		{"127.0.0.1:7007", "0.0.0.0:0", timeline.Server, true},
		{"127.0.0.1:7007", "127.0.0.1:40000", timeline.Server, true},
		{"127.0.0.1:40000", "127.0.0.1:7007", timeline.Client, true},
		{"127.0.0.1:0", "127.0.0.1:7007", timeline.Client, true},
		{"[::ffff:127.0.0.1]:7007", "[::ffff:127.0.0.1]:50000", timeline.Server, true},
		{"192.0.2.7:8008", "192.0.2.9:50000", timeline.Server, true}, // it listens on all addresses
		{"[fe80::1%eth0]:50000", "[fe80::2%eth0]:8008", timeline.Client, true},
		{"127.0.0.2:7007", "127.0.0.1:50000", "", false}, // a stranger's, at the same port of another address
		{"127.0.0.1:50000", "127.0.0.2:7007", "", false},
	} {
		side, ours := r.whose(addr(c.local), addr(c.remote))
		if ours != c.ours || ours && side != c.side {
			t.Errorf("%s to %s: %s, %v", c.local, c.remote, side, ours)
		}
	}
}

// What the tracepoint told is not told again by who sampled it. The end of a connection that had the same addresses before is
// not taken for the end of the new one.
func TestEachTransitionIsToldOnce(t *testing.T) {
	addr := netip.MustParseAddrPort
	a, b, nameless := addr("127.0.0.1:40000"), addr("127.0.0.1:7007"), addr("127.0.0.1:0")
	traced := &traced{states: map[timeline.Ends]*past{}}
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
		if traced.dedupe(timeline.Client, &s) {
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
