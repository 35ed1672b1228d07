package contrast

import (
	"net/netip"
	"slices"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// run numbers events as a log does.
func run(list ...timeline.Event) []timeline.Event {
	for i := range list {
		list[i].Seq = int64(i + 1)
	}
	return list
}

func of(side timeline.Side, b timeline.Body) timeline.Event {
	return timeline.Event{Side: side, Body: b}
}

func call(side timeline.Side, name string, ret int, errno string, args ...string) timeline.Event {
	return of(side, &timeline.Call{Call: name, Args: args, Ret: ret, Errno: errno})
}

func state(side timeline.Side, from, to tcpinfo.State, how timeline.How) timeline.Event {
	return of(side, &timeline.State{From: from, To: to, Ended: timeline.Ended{How: how}})
}

const (
	c = timeline.Client
	s = timeline.Server
)

var address = netip.MustParseAddrPort("127.0.0.1:7")

// What differs from run to run is no difference; another result, call, state or segment is one.
func TestWhatDiffers(t *testing.T) {
	for _, test := range []struct {
		name     string
		a, b     []timeline.Event
		inA, inB []int64
	}{
		{"descriptors, addresses and data of the kernel's",
			run(call(c, "connect", 0, "", "9", "{sa_family=AF_INET, sin_port=htons(1)}", "16"), call(c, "socket", 9, "", "AF_INET"), call(s, "getsockopt", 0, "", "9", "SOL_TCP", "TCP_SAVED_SYN", `"E\0"`, "[512 => 60]")),
			run(call(c, "connect", 0, "", "7", "{sa_family=AF_INET, sin_port=htons(2)}", "16"), call(c, "socket", 7, "", "AF_INET"), call(s, "getsockopt", 0, "", "7", "SOL_TCP", "TCP_SAVED_SYN", `"F\0"`, "[512 => 60]")), nil, nil},
		{"an argument", run(call(c, "shutdown", 0, "", "9", "SHUT_WR")), run(call(c, "shutdown", 0, "", "9", "SHUT_RD")), []int64{1}, []int64{1}},
		{"a result", run(call(c, "read", 5, "", "9", `"hello"`)), run(call(c, "read", -1, "ECONNRESET", "9", "0x7ffd11223344")), []int64{1}, []int64{1}},
		{"pieces of the data", run(call(c, "read", 4096, "", "9"), call(c, "read", 4096, "", "9")), run(call(c, "read", 8192, "", "9")), nil, nil},
		{"one more call, in the middle", run(call(c, "a", 0, ""), call(c, "b", 0, ""), call(c, "c", 0, "")), run(call(c, "a", 0, ""), call(c, "c", 0, "")), []int64{2}, nil},
		{"the same, by the other side", run(call(c, "close", 0, "")), run(call(s, "close", 0, "")), []int64{1}, []int64{1}},
		{"which of two was faster", run(call(c, "a", 0, ""), call(c, "b", 0, "")), run(call(c, "b", 0, ""), call(c, "a", 0, "")), nil, nil},
		{"passed unseen", run(state(c, tcpinfo.Established, tcpinfo.FinWait1, ""), state(c, tcpinfo.FinWait1, tcpinfo.FinWait2, "")), run(state(c, tcpinfo.Established, tcpinfo.FinWait2, "")), nil, nil},
		{"another state", run(state(c, tcpinfo.Established, tcpinfo.FinWait1, "")), run(state(c, tcpinfo.Established, tcpinfo.CloseWait, "")), []int64{1}, []int64{1}},
		{"another end", run(state(c, tcpinfo.CloseWait, tcpinfo.Closed, timeline.EndedSecond)), run(state(c, tcpinfo.CloseWait, tcpinfo.Closed, timeline.EndedTold)), []int64{1}, []int64{1}},
		{"a check", run(of(c, &timeline.Check{Expect: "FIN after 204 ms", OK: true})), run(of(c, &timeline.Check{Expect: "FIN after 210 ms"})), []int64{1}, []int64{1}},
		{"a segment", run(of(timeline.Wire, &timeline.Segment{Flags: []string{"RST"}}), of(timeline.Wire, &timeline.Segment{Flags: []string{"ACK"}})), nil, []int64{1}, nil},
		{"how the sides agree", run(of(c, &timeline.Call{Call: "write", Label: timeline.Label{Aside: true}})), nil, nil, nil},
		{"where a call entered", run(of(c, &timeline.Enter{ID: 7, Call: "read"}), of(c, &timeline.Call{ID: 7, Call: "read", Errno: "EPIPE"})), nil, []int64{1, 2}, nil},
	} {
		inA, inB := Of(test.a, test.b)
		if got := marked(inA); !slices.Equal(got, test.inA) {
			t.Errorf("%s: marked in the first %v, want %v", test.name, got, test.inA)
		}
		if got := marked(inB); !slices.Equal(got, test.inB) {
			t.Errorf("%s: marked in the second %v, want %v", test.name, got, test.inB)
		}
	}
}

func marked(d Differs) (list []int64) {
	for seq := range d {
		list = append(list, seq)
	}
	slices.Sort(list)
	return list
}

// A run does not differ from itself, however long, and one of two that are too long to compare has its middle marked.
func TestLongRuns(t *testing.T) {
	var long []timeline.Event
	for i := range 6000 {
		long = append(long, call(c, "a", i, ""))
	}
	long = run(long...)
	if a, b := Of(long, long); len(a)+len(b) > 0 {
		t.Errorf("%d and %d events differ from themselves", len(a), len(b))
	}
	other := slices.Clone(long)
	other[0], other[5999] = call(c, "b", 0, ""), call(c, "b", 1, "")
	if a, b := Of(long, run(other...)); len(a) != 2 || len(b) != 2 {
		t.Errorf("%d and %d events differ, want 2 and 2", len(a), len(b))
	}
}

// The outcome names where the connections ended, and the calls that failed; the table has the rows that differ alone.
func TestWhatItCameTo(t *testing.T) {
	end := func(how timeline.How, to tcpinfo.State) timeline.Event {
		e := state(c, tcpinfo.Established, to, how)
		e.Body.(*timeline.State).Remote = address
		return e
	}
	a := run(end("", tcpinfo.TimeWait), call(c, "write", 9, ""))
	b := run(end(timeline.EndedTold, tcpinfo.Closed), call(c, "write", -1, "EPIPE"), of(c, &timeline.Check{}), of(c, &timeline.Counter{Name: "X", Delta: 2}))
	if got := Outcome(a); got != "client TIME-WAIT" {
		t.Errorf("%q", got)
	}
	if got := Outcome(b); got != "client CLOSED, aborted (write() EPIPE)" {
		t.Errorf("%q", got)
	}
	table := Table("one", "two", a, b, func([]timeline.Event, timeline.Side) []string { return nil })
	want := [][]string{{"client's bytes", "write() 9", "none"}, {"client's calls that fail", "none", "write() EPIPE"}, {"counters", "none", "X +2"}, {"checks not met", "none", "1 of 1"}}
	if !slices.EqualFunc(table.Rows, want, slices.Equal[[]string]) {
		t.Errorf("%q", table.Rows)
	}
}
