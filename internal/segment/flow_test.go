package segment

import (
	"strings"
	"testing"
	"time"
)

// step is one segment, with absolute numbers, and what a flow should make of it.
type step struct {
	after  time.Duration
	server bool // it comes from the server
	s      Segment
	want   string
}

func run(t *testing.T, steps []step) {
	t.Helper()
	var flow Flow
	at := time.Unix(1_700_000_000, 0)
	for i, step := range steps {
		at = at.Add(step.after)
		step.s.Src, step.s.Dst = v4a, v4b
		if step.server {
			step.s.Src, step.s.Dst = v4b, v4a
		}
		if got := flow.Add(at, step.s).String(); got != step.want {
			t.Errorf("segment %d:\n%s, want\n%s", i+1, got, step.want)
		}
	}
}

// seg is a segment with so many octets of data.
func seg(flags Flags, seq, ack uint32, octets int, window uint16, options ...Option) Segment {
	s := Segment{Flags: flags, Seq: seq, Ack: ack, Window: window, Payload: []byte(strings.Repeat("x", octets))}
	s.Options, _ = NewOptions(options...)
	return s
}

const ms = time.Millisecond

// handshake opens a connection: client's numbers from 1000, server's from 5000, windows scaled by 7 and by 2.
func handshake(rest ...step) []step {
	return append([]step{
		{0, false, seg(SYN, 1000, 0, 0, 64000, WindowScale(7)), "SYN seq=0 win=64000 <wscale 7>"},
		{ms, true, seg(SYN|ACK, 5000, 1001, 0, 65000, WindowScale(2)),
			"SYN+ACK seq=0 ack=1 win=65000 <wscale 2>"},
		{ms, false, seg(ACK, 1001, 5001, 0, 500), "ACK seq=1 ack=1 win=64000"},
	}, rest...)
}

func TestFlowHalfClose(t *testing.T) {
	t.Parallel()
	run(t, handshake(
		step{ms, false, seg(PSH|ACK, 1001, 5001, 5, 500), "PSH+ACK seq=1 ack=1 len=5 win=64000"},
		step{ms, true, seg(ACK, 5001, 1006, 0, 1000), "ACK seq=1 ack=6 win=4000"},
		step{ms, false, seg(FIN|ACK, 1006, 5001, 0, 500), "FIN+ACK seq=6 ack=1 win=64000"},
		step{ms, true, seg(PSH|ACK, 5001, 1007, 9, 1000), "PSH+ACK seq=1 ack=7 len=9 win=4000"},
		step{ms, true, seg(FIN|ACK, 5010, 1007, 0, 1000), "FIN+ACK seq=10 ack=7 win=4000"},
		step{ms, false, seg(ACK, 1007, 5011, 0, 500), "ACK seq=7 ack=11 win=64000"},
	))
}

func TestFlowRetransmissions(t *testing.T) {
	t.Parallel()
	data := func(seq uint32) Segment { return seg(ACK, seq, 5001, 100, 500) }
	again := seg(ACK, 5001, 1101, 0, 1000)
	sacked := seg(ACK, 5001, 1101, 0, 1000, NOP(), NOP(), SACK(SACKBlock{1201, 1301}))
	run(t, handshake(
		step{ms, false, data(1001), "ACK seq=1 ack=1 len=100 win=64000"},
		step{ms, false, data(1201), "ACK seq=201 ack=1 len=100 win=64000 [lost_segment]"},
		step{ms, true, again, "ACK seq=1 ack=101 win=4000"},
		step{ms, true, sacked, "ACK seq=1 ack=101 win=4000 <sack {201:301}> [duplicate_ack]"},
		step{ms, true, again, "ACK seq=1 ack=101 win=4000 [duplicate_ack]"},
		step{ms, false, data(1101), "ACK seq=101 ack=1 len=100 win=64000 [retransmission, fast_retransmission]"},
		step{ms, true, seg(ACK, 5001, 1301, 0, 1000), "ACK seq=1 ack=301 win=4000"},
		step{ms, false, data(1201), "ACK seq=201 ack=1 len=100 win=64000 [retransmission, spurious_retransmission]"},
		step{ms, false, data(1301), "ACK seq=301 ack=1 len=100 win=64000"},
		step{200 * ms, false, data(1301), "ACK seq=301 ack=1 len=100 win=64000 [retransmission]"},
		step{ms, false, data(1501), "ACK seq=501 ack=1 len=100 win=64000 [lost_segment]"},
		step{ms, false, data(1401), "ACK seq=401 ack=1 len=100 win=64000 [out_of_order]"},
		step{ms, true, seg(ACK, 5001, 1701, 0, 1000), "ACK seq=1 ack=701 win=4000 [ack_lost_segment]"},
		step{ms, true, seg(ACK, 5001, 1701, 0, 900), "ACK seq=1 ack=701 win=3600 [window_update]"},
	))
}

func TestFlowRetransmittedSYN(t *testing.T) {
	t.Parallel()
	syn := seg(SYN, 1000, 0, 0, 64000)
	run(t, []step{
		{0, false, syn, "SYN seq=0 win=64000"},
		{time.Second, false, syn, "SYN seq=0 win=64000 [retransmission]"},
		// A listener that had forgotten its first answer gives another one, numbered anew.
		{ms, true, seg(SYN|ACK, 5000, 1001, 0, 65000), "SYN+ACK seq=0 ack=1 win=65000"},
		{time.Second, true, seg(SYN|ACK, 5000, 1001, 0, 65000), "SYN+ACK seq=0 ack=1 win=65000 [retransmission]"},
		{time.Second, true, seg(SYN|ACK, 9000, 1001, 0, 65000), "SYN+ACK seq=0 ack=1 win=65000"},
		{ms, false, seg(ACK, 1001, 9001, 0, 500), "ACK seq=1 ack=1 win=500"},
	})
}

func TestFlowWindows(t *testing.T) {
	t.Parallel()
	probe := seg(ACK, 5001+4000-1, 1001, 0, 1000)
	closed := seg(ACK, 1001, 5001+4000, 0, 0)
	run(t, handshake(
		step{ms, false, seg(ACK, 1001, 5001, 0, 31), "ACK seq=1 ack=1 win=3968 [window_update]"},
		step{ms, true, seg(ACK, 5001, 1001, 3968, 1000), "ACK seq=1 ack=1 len=3968 win=4000 [window_full]"},
		step{ms, true, seg(PSH|ACK, 5001+3968, 1001, 32, 1000), "PSH+ACK seq=3969 ack=1 len=32 win=4000"},
		step{ms, false, closed, "ACK seq=1 ack=4001 win=0 [zero_window]"},
		// As Linux probes a closed window: without data, one below what is expected.
		step{200 * ms, true, probe, "ACK seq=4000 ack=1 win=4000 [keep_alive, zero_window_probe]"},
		step{ms, false, closed, "ACK seq=1 ack=4001 win=0 [zero_window, zero_window_probe_ack]"},
		step{ms, false, seg(ACK, 1001, 5001+4000, 0, 31), "ACK seq=1 ack=4001 win=3968 [window_update]"},
	))
}

// As RFC 9293 section 3.8.6.1 has it: with an octet, that is taken here.
func TestFlowProbeWithOctet(t *testing.T) {
	t.Parallel()
	probe := seg(ACK, 1001, 5001, 1, 500)
	run(t, handshake(
		step{ms, true, seg(ACK, 5001, 1001, 0, 0), "ACK seq=1 ack=1 win=0 [zero_window]"},
		step{ms, false, probe, "ACK seq=1 ack=1 len=1 win=64000 [zero_window_probe]"},
		step{ms, true, seg(ACK, 5001, 1001, 0, 0), "ACK seq=1 ack=1 win=0 [zero_window, zero_window_probe_ack]"},
		step{ms, false, probe, "ACK seq=1 ack=1 len=1 win=64000 [zero_window_probe]"},
		step{ms, true, seg(ACK, 5001, 1002, 0, 0), "ACK seq=1 ack=2 win=0 [zero_window, zero_window_probe_ack]"},
		step{ms, false, seg(ACK, 1002, 5001, 1, 500), "ACK seq=2 ack=1 len=1 win=64000 [zero_window_probe]"},
		step{ms, true, seg(ACK, 5001, 1003, 0, 100), "ACK seq=1 ack=3 win=400"},
		step{ms, false, seg(ACK, 1003, 5001, 5, 500), "ACK seq=3 ack=1 len=5 win=64000"},
	))
}

func TestFlowKeepAlive(t *testing.T) {
	t.Parallel()
	answer := seg(ACK, 5001, 1001, 0, 1000)
	run(t, handshake(
		step{ms, true, answer, "ACK seq=1 ack=1 win=4000 [window_update]"},
		step{time.Second, false, seg(ACK, 1000, 5001, 0, 500), "ACK seq=0 ack=1 win=64000 [keep_alive]"},
		step{ms, true, answer, "ACK seq=1 ack=1 win=4000 [keep_alive_ack]"},
		step{time.Second, false, seg(ACK, 1000, 5001, 1, 500), "ACK seq=0 ack=1 len=1 win=64000 [keep_alive]"},
		step{ms, true, answer, "ACK seq=1 ack=1 win=4000 [keep_alive_ack]"},
	))
}

func TestFlowWithoutSYN(t *testing.T) {
	t.Parallel()
	run(t, []step{
		{0, false, seg(PSH|ACK, 1001, 5001, 5, 500),
			"PSH+ACK seq=1 ack=1 len=5 win=500 (scale unknown)"},
		{ms, true, seg(ACK, 5001, 1006, 0, 1000), "ACK seq=1 ack=6 win=1000 (scale unknown)"},
		{ms, true, seg(RST, 5001, 0, 0, 0), "RST seq=1 win=0"},
	})
	run(t, []step{
		{0, true, seg(SYN|ACK, 5000, 1001, 0, 1000), "SYN+ACK seq=0 ack=1 win=1000"},
		{ms, false, seg(ACK, 1001, 5001, 0, 1000), "ACK seq=1 ack=1 win=1000 (scale unknown)"},
	})
}

func TestFlowWindowScaleOnOneSide(t *testing.T) {
	t.Parallel()
	run(t, []step{
		{0, false, seg(SYN, 1000, 0, 0, 64000, WindowScale(7)), "SYN seq=0 win=64000 <wscale 7>"},
		{ms, true, seg(SYN|ACK, 5000, 1001, 0, 65000), "SYN+ACK seq=0 ack=1 win=65000"},
		{ms, false, seg(ACK, 1001, 5001, 0, 500), "ACK seq=1 ack=1 win=500"},
	})
	run(t, []step{ // 14 is the most
		{0, false, seg(SYN, 1000, 0, 0, 64000, WindowScale(200)), "SYN seq=0 win=64000 <wscale 200>"},
		{ms, true, seg(SYN|ACK, 5000, 1001, 0, 65000, WindowScale(0)),
			"SYN+ACK seq=0 ack=1 win=65000 <wscale 0>"},
		{ms, false, seg(ACK, 1001, 5001, 0, 1), "ACK seq=1 ack=1 win=16384"},
	})
}

// RFC 9293 section 3.5.2: a reset that answers a segment without ACK has sequence number 0, not one of the connection.
func TestFlowRefused(t *testing.T) {
	t.Parallel()
	refusal := seg(RST|ACK, 0, 1001, 0, 0)
	run(t, []step{
		{0, false, seg(SYN, 1000, 0, 0, 64000), "SYN seq=0 win=64000"},
		{ms, true, refusal, "RST+ACK seq=0 ack=1 win=0"},
		// Tried again, with another number.
		{ms, false, seg(SYN, 7777, 0, 0, 64000), "SYN seq=0 win=64000 [reused_ports]"},
		{ms, true, seg(RST|ACK, 0, 7778, 0, 0), "RST+ACK seq=0 ack=1 win=0"},
	})
}

// RFC 9293 section 3.5, figure 7.
func TestFlowSimultaneousOpen(t *testing.T) {
	t.Parallel()
	run(t, []step{
		{0, false, seg(SYN, 100, 0, 0, 1000, WindowScale(1)), "SYN seq=0 win=1000 <wscale 1>"},
		{ms, true, seg(SYN, 300, 0, 0, 1000, WindowScale(2)), "SYN seq=0 win=1000 <wscale 2>"},
		{ms, false, seg(SYN|ACK, 100, 301, 0, 1000, WindowScale(1)),
			"SYN+ACK seq=0 ack=1 win=1000 <wscale 1> [retransmission]"},
		{ms, true, seg(SYN|ACK, 300, 101, 0, 1000, WindowScale(2)),
			"SYN+ACK seq=0 ack=1 win=1000 <wscale 2> [retransmission]"},
		{ms, false, seg(ACK, 101, 301, 5, 1000), "ACK seq=1 ack=1 len=5 win=2000"},
		{ms, true, seg(ACK, 301, 106, 0, 1000), "ACK seq=1 ack=6 win=4000"},
	})
}

func TestFlowSelfConnect(t *testing.T) {
	t.Parallel()
	var flow Flow
	at := time.Unix(1_700_000_000, 0)
	for _, step := range []step{
		{0, false, seg(SYN, 100, 0, 0, 1000, WindowScale(1)), "SYN seq=0 win=1000 <wscale 1>"},
		{ms, false, seg(SYN|ACK, 100, 101, 0, 1000, WindowScale(1)),
			"SYN+ACK seq=0 ack=1 win=1000 <wscale 1> [retransmission]"},
		{ms, false, seg(PSH|ACK, 101, 101, 5, 1000), "PSH+ACK seq=1 ack=1 len=5 win=2000"},
		{ms, false, seg(ACK, 106, 106, 0, 1000), "ACK seq=6 ack=6 win=2000"},
	} {
		step.s.Src, step.s.Dst = v4a, v4a
		if got := flow.Add(at.Add(step.after), step.s).String(); got != step.want {
			t.Errorf("%s, want %s", got, step.want)
		}
	}
}

// A new connection over TIME-WAIT, and late segments of the one before it.
func TestFlowReusedPorts(t *testing.T) {
	t.Parallel()
	run(t, handshake(
		step{ms, false, seg(PSH|ACK, 1001, 5001, 5, 500), "PSH+ACK seq=1 ack=1 len=5 win=64000"},
		step{ms, false, seg(FIN|ACK, 1006, 5001, 0, 500), "FIN+ACK seq=6 ack=1 win=64000"},
		step{ms, true, seg(FIN|ACK, 5001, 1007, 0, 1000), "FIN+ACK seq=1 ack=7 win=4000"},
		step{ms, false, seg(ACK, 1007, 5002, 0, 500), "ACK seq=7 ack=2 win=64000"},

		step{time.Second, false, seg(SYN, 70000, 0, 0, 64000), "SYN seq=0 win=64000 [reused_ports]"},
		step{ms, true, seg(SYN|ACK, 90000, 70001, 0, 65000), "SYN+ACK seq=0 ack=1 win=65000"},
		step{ms, false, seg(PSH|ACK, 1001, 5001, 5, 500),
			"PSH+ACK seq=1 ack=1 len=5 win=64000 [retransmission, spurious_retransmission]"},
		step{ms, true, seg(ACK, 90001, 70001, 0, 65000), "ACK seq=1 ack=1 win=65000 [duplicate_ack]"},
		step{ms, false, seg(PSH|ACK, 70001, 90001, 5, 500), "PSH+ACK seq=1 ack=1 len=5 win=500"},
	))
}

// RFC 9293 section 3.5, figure 8: an old duplicate SYN, answered, and the answer reset.
func TestFlowStaleSYN(t *testing.T) {
	t.Parallel()
	run(t, []step{
		{0, false, seg(SYN, 100, 0, 0, 1000), "SYN seq=0 win=1000"},
		{ms, false, seg(SYN, 90, 0, 0, 1000), "SYN seq=0 win=1000 [reused_ports]"},
		{ms, true, seg(SYN|ACK, 300, 91, 0, 1000), "SYN+ACK seq=0 ack=1 win=1000"},
		{ms, false, seg(RST, 91, 0, 0, 0), "RST seq=1 win=0"},
		{ms, true, seg(SYN|ACK, 400, 101, 0, 1000), "SYN+ACK seq=0 ack=1 win=1000"},
		{ms, false, seg(ACK, 101, 401, 0, 1000), "ACK seq=1 ack=1 win=1000"},
	})
}

// RFC 9293 section 3.5.1, figure 9: one side has forgotten the connection, and finds the other one still in it.
func TestFlowHalfOpen(t *testing.T) {
	t.Parallel()
	run(t, handshake(
		step{time.Second, false, seg(SYN, 400000, 0, 0, 64000), "SYN seq=0 win=64000 [reused_ports]"},
		step{ms, true, seg(ACK, 5001, 1001, 0, 1000), "ACK seq=1 ack=1 win=4000 [window_update]"},
		step{ms, false, seg(RST, 1001, 0, 0, 0), "RST seq=1 win=0"},
		step{time.Second, false, seg(SYN, 400000, 0, 0, 64000), "SYN seq=0 win=64000 [retransmission]"},
		step{ms, true, seg(SYN|ACK, 700000, 400001, 0, 65000), "SYN+ACK seq=0 ack=1 win=65000"},
	))
}

// Numbers pass through 2^32 as through any other.
func TestFlowWrapsAround(t *testing.T) {
	t.Parallel()
	run(t, []step{
		{0, false, seg(SYN, 0xffffffff, 0, 0, 1000), "SYN seq=0 win=1000"},
		{ms, true, seg(SYN|ACK, 0xfffffffd, 0, 0, 1000), "SYN+ACK seq=0 ack=1 win=1000"},
		{ms, false, seg(ACK, 0, 0xfffffffe, 5, 1000), "ACK seq=1 ack=1 len=5 win=1000"},
		{ms, true, seg(ACK, 0xfffffffe, 5, 5, 1000), "ACK seq=1 ack=6 len=5 win=1000"},
		{ms, false, seg(ACK, 5, 3, 0, 1000), "ACK seq=6 ack=6 win=1000"},
	})
}

func TestFlows(t *testing.T) {
	t.Parallel()
	var flows Flows
	at := time.Unix(1_700_000_000, 0)
	one, other := seg(SYN, 100, 0, 0, 1), seg(SYN, 200, 0, 0, 1)
	one.Src, one.Dst, other.Src, other.Dst = v4a, v4b, v6a, v6b
	flows.Add(at, one)
	flows.Add(at, other)
	back := seg(SYN|ACK, 300, 101, 0, 1)
	back.Src, back.Dst = v4b, v4a
	if seen := flows.Add(at, back); seen.Seq != 0 || seen.Ack != 1 {
		t.Errorf("%s", seen)
	}
	if flows.Of(v4a, v4b) != flows.Of(v4b, v4a) || flows.Of(v4a, v4b) == flows.Of(v6a, v6b) {
		t.Error("a flow is between two addresses, in either order")
	}
	if seen := flows.Of(v4b, v4a).Relative(back); seen.Seq != 0 || seen.Ack != 1 {
		t.Errorf("relative: %s", seen)
	}
}

func TestAnalysisNames(t *testing.T) {
	t.Parallel()
	if got := (DuplicateAck | WindowFull).String(); got != "duplicate_ack, window_full" {
		t.Error(got)
	}
	if got := Analysis(0).String(); got != "" {
		t.Error(got)
	}
	if ReusedPorts != 1<<(len(analysisNames)-1) {
		t.Error("a name for each, and no more")
	}
}

// One octet that is sent again before it was acknowledged is no keep-alive, which sends one that was.
func TestFlowOneOctetAgain(t *testing.T) {
	t.Parallel()
	octet := seg(PSH|ACK, 1001, 5001, 1, 500)
	run(t, handshake(
		step{ms, false, octet, "PSH+ACK seq=1 ack=1 len=1 win=64000"},
		step{time.Second, false, octet, "PSH+ACK seq=1 ack=1 len=1 win=64000 [retransmission]"},
		step{ms, true, seg(ACK, 5001, 1002, 0, 1000), "ACK seq=1 ack=2 win=4000"},
		step{time.Second, false, seg(ACK, 1001, 5001, 1, 500), "ACK seq=1 ack=1 len=1 win=64000 [keep_alive]"},
	))
}
