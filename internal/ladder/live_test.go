package ladder

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// givenBack is what Live gives back of a run, in words.
func givenBack(events []timeline.Event) (words []string) {
	l := NewLive()
	rows := []Row{}
	for _, e := range events {
		rows = append(rows, l.Next(e)...)
	}
	for _, r := range append(rows, l.Flush()...) {
		words = append(words, inWords(r))
	}
	return words
}

func inWords(r Row) string {
	switch b := r.Body.(type) {
	case nil:
		if r.Arrow.Open {
			return string(r.Arrow.From) + " " + r.Arrow.Says + " (open)"
		}
		return string(r.Arrow.From) + " " + r.Arrow.Says
	case *timeline.Enter:
		return b.Call + "("
	case *timeline.Call:
		return b.Call + ")"
	case *timeline.State:
		return b.To.String()
	}
	return string(r.Body.Kind())
}

// While a run goes on, an arrow stands above what shows it, and what has to wait for that waits.
func TestArrowsOfARunThatGoesOn(t *testing.T) {
	c, s := timeline.Client, timeline.Server
	const opened = "socket) LISTEN connect( [client SYN] [server SYN ACK] [client ACK] connect) ESTABLISHED ESTABLISHED"
	for _, test := range []struct {
		name string
		run  *run
		want string
	}{
		{"a handshake", connected(), opened},
		{"a listener that nobody has seen", oneTerminal(), strings.TrimPrefix(opened, "socket) LISTEN ")},
		{"both are seen before connect() returns", (&run{}).enter(c, "connect").state(c, tcpinfo.Closed, tcpinfo.Established, 0, 0).split(c, "connect 0").
			state(s, 0, tcpinfo.Established, 0, 0).call(c, "write 19"), "connect( [client SYN] [server SYN ACK] [client ACK] ESTABLISHED connect) ESTABLISHED write)"},
		{"a server that nobody has seen", (&run{}).call(c, "connect 0").state(c, tcpinfo.Closed, tcpinfo.Established, 0, 0), "connect( connect) ESTABLISHED"},
		{"one that is seen too late", (&run{}).call(c, "connect 0").state(c, tcpinfo.Closed, tcpinfo.Established, 0, 0).call(c, "write 19").state(s, 0, tcpinfo.Established, 0, 0),
			"connect( connect) ESTABLISHED write) ESTABLISHED"},
		{"and what waits for the next is not shown by that", (&run{}).call(c, "connect 0").state(c, tcpinfo.Closed, tcpinfo.Established, 0, 0).call(c, "write 19").state(s, 0, tcpinfo.Established, 0, 0).
			then((&run{}).enter(c, "connect").accepted().state(c, tcpinfo.Closed, tcpinfo.Established, 0, 0).split(c, "connect 0").state(s, 0, tcpinfo.Established, 0, 0)),
			"connect( connect) ESTABLISHED write) ESTABLISHED connect( [client SYN] [server SYN ACK] [client ACK] accept4) ESTABLISHED connect) ESTABLISHED"},
		{"nobody answers", listening().call(c, "connect -1 EINPROGRESS").state(c, tcpinfo.Closed, tcpinfo.SynSent, 0, 1).state(s, 0, tcpinfo.SynReceived, -1, -1),
			"socket) LISTEN connect( connect) [client SYN (open)] SYN-SENT SYN-RECEIVED"},
		{"data goes on", connected().call(c, "write 19").call(s, "read 10").call(s, "read 9").call(s, "write 3").call(c, "read 3").call(c, "write 1").call(s, "read 1"),
			opened + " write) [client data] read) read) write) [server data] read) write) [client data] read)"},
		{"a close", connected().call(c, "close 0").state(s, tcpinfo.Established, tcpinfo.CloseWait, 1, 0), opened + " close) [client FIN] CLOSE-WAIT"},
		{"the last ACK, seen first at the end that closed last", connected().call(c, "close 0").state(s, tcpinfo.Established, tcpinfo.CloseWait, 1, 0).call(s, "close 0").
			state(s, tcpinfo.CloseWait, tcpinfo.Closed, -1, -1).state(c, tcpinfo.FinWait2, tcpinfo.TimeWait, -1, -1),
			opened + " close) [client FIN] CLOSE-WAIT close) [server FIN] [client ACK] CLOSED TIME-WAIT"},
		{"an abort, told of by the end that made it", connected().call(c, "close 0").aborted(c).call(s, "read -1 ECONNRESET"), opened + " close) [client RST] CLOSED read)"},
		{"an abort that nobody hears of", connected().call(c, "close 0").aborted(c), opened + " close) [client RST (open)] CLOSED"},
		{"segments that were seen", listening().add(timeline.Wire, &timeline.Segment{From: c, Flags: []string{"SYN"}}).call(c, "connect 0").
			state(c, tcpinfo.Closed, tcpinfo.Established, 0, 0).state(s, 0, tcpinfo.Established, 0, 0), "socket) LISTEN segment connect) ESTABLISHED ESTABLISHED"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, w := range givenBack(test.run.events) {
				if strings.HasPrefix(w, "client ") || strings.HasPrefix(w, "server ") {
					w = "[" + w + "]"
				}
				got = append(got, w)
			}
			if says := strings.Join(got, " "); says != test.want {
				t.Errorf("\ngot  %s\nwant %s", says, test.want)
			}
		})
	}
}

// enter is a call that enters, and split its return.
func (r *run) enter(side timeline.Side, call string) *run {
	return r.add(side, &timeline.Enter{Call: call, Args: []string{"3"}, Socket: int(side[0]), ID: 77})
}

func (r *run) split(side timeline.Side, says string) *run {
	r.call(side, says)
	c := r.events[len(r.events)-1].Body.(*timeline.Call)
	c.Split, c.ID = true, 77
	return r
}

// accepted is an accept4() whose connection nobody has seen yet.
func (r *run) accepted() *run {
	return r.add(timeline.Server, &timeline.Call{Call: "accept4", Args: []string{"4"}, Ret: 5, Socket: 1, NewSocket: int(timeline.Server[0]), ID: 78, Split: true})
}

// then is another connection, behind the first.
func (r *run) then(other *run) *run {
	const apart = 1000
	for _, e := range other.events {
		switch b := e.Body.(type) {
		case *timeline.Enter:
			b.Socket += apart
		case *timeline.Call:
			if b.NewSocket == 0 {
				b.Socket += apart
			} else {
				b.NewSocket += apart
			}
		case *timeline.State:
			if b.Socket += apart; e.Side == timeline.Client {
				b.Local = netip.AddrPortFrom(b.Local.Addr(), b.Local.Port()+apart)
			} else {
				b.Remote = netip.AddrPortFrom(b.Remote.Addr(), b.Remote.Port()+apart)
			}
		}
		r.add(e.Side, e.Body)
	}
	return r
}

// aborted is an end that close() has ended with RST.
func (r *run) aborted(side timeline.Side) *run {
	r.state(side, tcpinfo.Established, tcpinfo.Closed, -1, -1)
	r.events[len(r.events)-1].Body.(*timeline.State).How = timeline.EndedAbort
	return r
}

// judgeLive holds what is inferred of a run as it goes on against what is inferred of all of it: nothing is drawn that
// is not there, and every arrow stands between what sent it and what shows it. It counts the arrows of both.
func judgeLive(t *testing.T, events []timeline.Event) (live, whole int) {
	t.Helper()
	rest, _ := apart(events)
	with := entries(rest)
	known := map[identity]inferred{}
	for _, a := range infer(with, toldOf(with).calls) {
		known[a.is] = a
		if a.is.kind != kindData {
			whole++
		}
	}
	l := NewLive()
	var rows []Row
	for _, e := range rest {
		rows = append(rows, l.Next(e)...)
	}
	rows = append(rows, l.Flush()...)
	at := 0
	for _, r := range rows {
		if r.Arrow == nil {
			if at >= len(with) || with[at].Seq != r.Seq || with[at].Body.Kind() != r.Body.Kind() {
				t.Fatalf("row %d is %s: out of order", at, inWords(r))
			}
			at++
			continue
		}
		if !slices.ContainsFunc([]inferred{known[r.is]}, func(a inferred) bool { return a.cause < at && at <= a.shown || r.Arrow.Open }) {
			t.Errorf("%s stands above event %d; it was sent by %d and shown by %d", inWords(r), at, known[r.is].cause, known[r.is].shown)
		}
		if _, is := known[r.is]; !is {
			t.Errorf("%s, %s: not there when all is known", inWords(r), r.Arrow.Why)
		}
		if r.is.kind != kindData {
			live++
		}
	}
	if at != len(with) {
		t.Errorf("%d of %d events came back", at, len(with))
	}
	return live, whole
}
