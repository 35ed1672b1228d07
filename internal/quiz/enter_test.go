package quiz_test

import (
	"net/netip"
	"testing"

	"socklife/internal/quiz"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// TestACallIsAskedAboutBeforeWhatItCauses: what a close() sends is asked before it is entered, where something came
// between that and its return; what a read() gives, before it has returned.
func TestACallIsAskedAboutBeforeWhatItCauses(t *testing.T) {
	client, server := timeline.Client, timeline.Server
	one, other := netip.MustParseAddrPort("127.0.0.1:1"), netip.MustParseAddrPort("127.0.0.1:2")
	var events []timeline.Event
	for _, e := range []struct {
		side timeline.Side
		body timeline.Body
	}{
		{client, &timeline.Call{ID: 1, Call: "connect", FD: 3}},
		{server, &timeline.Call{ID: 2, Call: "accept4", FD: 4, Ret: 5}},
		{server, &timeline.Enter{ID: 3, Call: "read", FD: 5}},
		{client, &timeline.Enter{ID: 4, Call: "close", FD: 3}},
		{client, &timeline.State{Local: one, Remote: other, From: tcpinfo.Established, To: tcpinfo.FinWait1}},
		{server, &timeline.Call{ID: 3, Call: "read", FD: 5, Ret: 0}},
		{client, &timeline.Call{ID: 4, Call: "close", FD: 3}},
		{server, &timeline.Call{ID: 5, Call: "write", FD: 5, Ret: 1}},
	} {
		events = append(events, timeline.Event{Side: e.side, Body: e.body})
	}
	for seed := range uint64(10) {
		for _, q := range quiz.Make(events, seed) {
			want := map[string]int{"close(3)": 3, "read(5, ...)": 5, "write(5, ...)": 7, "connect(3, ...)": 0}[q.About]
			if q.At != want {
				t.Errorf("%s is asked about at %d, not at %d", q.About, q.At, want)
			}
		}
		if n := len(quiz.Make(events, seed)); n != 3 { // that close() sends a FIN says what read() will give
			t.Errorf("%d questions", n)
		}
	}
}
