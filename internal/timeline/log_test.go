package timeline

import (
	"encoding/json"
	"net/netip"
	"slices"
	"testing"
	"time"

	"socklife/tcpinfo"
)

type recorder struct{ events []Event }

func (r *recorder) Event(e Event) { r.events = append(r.events, e) }

func (r *recorder) texts() (out []string) {
	for _, e := range r.events {
		switch b := e.Body.(type) {
		case *Enter:
			out = append(out, string(e.Side)+" "+b.Call+" enters")
		case *Call:
			out = append(out, string(e.Side)+" "+b.Call)
		case *Note:
			out = append(out, b.Text)
		case *State:
			out = append(out, string(e.Side)+" "+b.To.String())
		}
	}
	return out
}

func wantTexts(t *testing.T, r *recorder, want ...string) {
	t.Helper()
	got := r.texts()
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// The peer's read() returns end of file before our close() has returned: close() is entered first, and returns last.
func TestAResultNeverStandsBeforeItsCause(t *testing.T) {
	var r recorder
	l := New(&r)
	reading := l.Enter(Server, &Enter{Call: "read"})
	closing := l.Enter(Client, &Enter{Call: "close"})
	reading.Exit(time.Now(), &Call{Call: "read"})
	l.Add(Server, time.Time{}, &State{To: tcpinfo.CloseWait})
	closing.Exit(time.Now(), &Call{Call: "close"})
	wantTexts(t, &r, "server read enters", "client close enters", "server read", "server CLOSE-WAIT", "client close")
	if r.events[0].Body.(*Enter).ID != r.events[2].Body.(*Call).ID || r.events[1].Body.(*Enter).ID != r.events[4].Body.(*Call).ID {
		t.Error("the two events of a call have not the same id")
	}
	if c := r.events[4].Body.(*Call); !c.Split || c.EnteredUS != r.events[1].At.Microseconds() {
		t.Errorf("close was entered at %d us, and that event is at %v; split: %v", c.EnteredUS, r.events[1].At, c.Split)
	}
}

// Nothing has come between: one event. So it is of a call that was entered last of several.
func TestACallAloneIsOneEvent(t *testing.T) {
	var r recorder
	l := New(&r)
	accepting := l.Enter(Server, &Enter{Call: "accept4"})
	connecting := l.Enter(Client, &Enter{Call: "connect"})
	connecting.Exit(time.Now(), &Call{Call: "connect"})
	accepting.Exit(time.Now(), &Call{Call: "accept4"})
	l.Enter(Client, &Enter{Call: "close"}).Exit(time.Now(), &Call{Call: "close"})
	dropped := l.Enter(Client, &Enter{Call: "read"})
	dropped.Drop()
	l.Close()
	wantTexts(t, &r, "server accept4 enters", "client connect", "server accept4", "client close")
	for _, e := range r.events {
		if c, ok := e.Body.(*Call); ok && c.Split != (c.Call == "accept4") {
			t.Errorf("%s: split: %v", c.Call, c.Split)
		}
	}
}

// What a filter leaves out has not come between.
func TestWhatIsLeftOutDoesNotSplitACall(t *testing.T) {
	var r recorder
	l := New(&r)
	l.SetFilter(func(_ Side, b Body) bool { return b.Kind() != "note" })
	closing := l.Enter(Client, &Enter{Call: "close"})
	l.Add(Server, time.Time{}, &Note{Text: "left out"})
	closing.Exit(time.Now(), &Call{Call: "close"})
	wantTexts(t, &r, "client close")
}

func TestACallThatBlocksIsShownAndHoldsNobodyUp(t *testing.T) {
	got := make(chan Event, 10)
	l := New(SinkFunc(func(e Event) { got <- e }))
	connecting := l.Enter(Client, &Enter{Call: "connect"})
	await := func(want Kind) Event {
		t.Helper()
		select {
		case e := <-got:
			if e.Body.Kind() != want {
				t.Fatalf("got %v, want %v", e.Body.Kind(), want)
			}
			return e
		case <-time.After(10 * time.Second):
			t.Fatalf("no %v while connect blocks", want)
		}
		return Event{}
	}
	await("enter")
	l.Add(Client, time.Time{}, &State{To: tcpinfo.SynSent})
	await("state")
	connecting.Exit(time.Now(), &Call{Call: "connect"})
	if e := await("call"); e.At < BlockAfter {
		t.Errorf("a call that blocked stands at %v, not where it returned", e.At)
	}
}

func TestTimeNeverRunsBackwards(t *testing.T) {
	var r recorder
	l := New(&r)
	l.Add(Client, time.Time{}, &Note{Text: "first"})
	l.Add(Client, l.Start(), &Note{Text: "late"})
	l.Close()
	wantTexts(t, &r, "first", "late")
	for i, e := range r.events {
		if e.Seq != int64(i+1) || (i > 0 && e.At < r.events[i-1].At) {
			t.Errorf("event %d: seq %d at %v", i, e.Seq, e.At)
		}
	}
	if late := r.events[1]; late.Late != late.Time.Sub(l.Start()) {
		t.Errorf("it is said to be %v late", late.Late)
	}
}

// As long as a source may report what happened before, nothing later is handed on.
func TestASourceFindsItsPlace(t *testing.T) {
	var r recorder
	l := New(&r)
	trace, look := l.Source(), l.Source()
	now := time.Now()
	l.Add(Client, now.Add(2*time.Microsecond), &Note{Text: "third"})
	l.Add(Client, now.Add(time.Microsecond), &Note{Text: "second"})
	trace.Until(now.Add(time.Minute))
	wantTexts(t, &r)
	l.Add(Client, now, &Note{Text: "first"})
	look.Until(now.Add(time.Microsecond))
	wantTexts(t, &r, "first", "second")
	look.Done()
	wantTexts(t, &r, "first", "second", "third")
	for _, e := range r.events {
		if e.Late != 0 {
			t.Errorf("%s is said to be %v late", e.Body.(*Note).Text, e.Late)
		}
	}
}

// A run's time begins with its client, however long the server has been there.
func TestARunBeginsWithItsFirstEvent(t *testing.T) {
	var r recorder
	l := New(&r)
	l.BeginWith(Server, &Begin{Scenario: "close"}, func(b Body) bool { return b.Kind() == "state" })
	start := l.Start()
	l.Add(Server, start.Add(time.Second), &Note{Text: "listening"})
	l.Add(Server, start.Add(10*time.Second), &State{To: tcpinfo.Established})
	l.Add(Server, start.Add(11*time.Second), &Summary{})
	l.Add(Server, start.Add(20*time.Second), &Note{Text: "again"})
	var at []time.Duration
	for _, e := range r.events {
		at = append(at, e.At)
	}
	if want := []time.Duration{time.Second, 0, 0, time.Second, 9 * time.Second}; !slices.Equal(at, want) {
		t.Errorf("at %v, want %v", at, want)
	}
	if kind := r.events[1].Body.Kind(); kind != "begin" || !r.events[1].Time.Equal(r.events[2].Time) {
		t.Errorf("%v at %v", kind, r.events[1].Time)
	}
}

func TestJSONIsFlatAndInOrder(t *testing.T) {
	expires, retrans, q := int64(59990), 0, uint32(1)
	at := time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC)
	local, remote := netip.MustParseAddrPort("[fe80::1%eth0]:1"), netip.MustParseAddrPort("[::ffff:192.0.2.2]:2")
	for _, c := range []struct {
		body Body
		want string
	}{
		{&Call{Call: "close", Args: []string{"6"}, FD: 6, TookUS: 1.5},
			`"kind":"call","call":"close","args":["6"],"fd":6,"ret":0,"took_us":1.5,"id":0,"entered_us":0}`},
		{&Call{Call: "connect", Args: []string{"6"}, FD: 6, Ret: -1, Errno: "ECONNREFUSED", TookUS: 3},
			`"kind":"call","call":"connect","args":["6"],"fd":6,"ret":-1,"errno":"ECONNREFUSED","took_us":3,"id":0,"entered_us":0}`},
		{&State{Local: local, Remote: remote, From: tcpinfo.FinWait2, To: tcpinfo.TimeWait, Source: "sock_diag", Timer: "timewait", ExpiresMS: &expires, Retrans: &retrans, RecvQ: &q, Shutdown: []string{}},
			`"kind":"state","local":"[fe80::1%eth0]:1","remote":"[::ffff:192.0.2.2]:2","from":"FIN-WAIT-2","to":"TIME-WAIT","source":"sock_diag","timer":"timewait","expires_ms":59990,"retrans":0,"recv_q":1,"shutdown":[]}`},
		{&State{Local: local, To: tcpinfo.Listen, Source: "tcp_info"}, `"kind":"state","local":"[fe80::1%eth0]:1","to":"LISTEN","source":"tcp_info"}`},
		{&State{To: tcpinfo.Closed, Source: "tcp_info"}, `"kind":"state","local":"","to":"CLOSED","source":"tcp_info"}`},
		{&Queue{Local: local, AcceptLimit: 128}, `"kind":"queue","local":"[fe80::1%eth0]:1","accept_queue":0,"accept_limit":128}`},
		{&Begin{Scenario: "close"}, `"kind":"begin","scenario":"close"}`},
		{&Begin{}, `"kind":"begin"}`},
		{&Enter{ID: 7, Call: "close", Args: []string{"6"}, FD: 6}, `"kind":"enter","id":7,"call":"close","args":["6"],"fd":6}`},
		{&Check{Expect: "a > b", Got: "<", OK: false}, `"kind":"check","expect":"a > b","got":"<","ok":false}`},
	} {
		b, err := json.Marshal(Event{Seq: 3, At: 1500 * time.Microsecond, Time: at, Side: Client, Body: c.body})
		if err != nil {
			t.Fatal(err)
		}
		var viaSink = `{"seq":3,"at_us":1500,"time":"2026-01-02T03:04:05.000006789Z","side":"client",` + c.want
		if got, err := (Event{Seq: 3, At: 1500 * time.Microsecond, Time: at, Side: Client, Body: c.body}).MarshalJSON(); err != nil || string(got) != viaSink {
			t.Errorf("got  %s (%v)\nwant %s", got, err, viaSink)
		}
		if !json.Valid(b) {
			t.Errorf("not JSON: %s", b)
		}
	}
}

// What is seen of the sockets after a moment is left out, also if it was reported before that was said.
func TestWhatIsSeenAfterTheEndIsLeftOut(t *testing.T) {
	var r recorder
	l := New(&r)
	slow := l.Source()
	begin := time.Now()
	l.Add(Client, begin.Add(2*time.Millisecond), &State{To: tcpinfo.Closed})
	l.SeenTo(begin.Add(time.Millisecond))
	l.Add(Client, begin, &State{To: tcpinfo.Established})
	l.Add(Client, begin.Add(3*time.Millisecond), &State{To: tcpinfo.TimeWait})
	l.Add(Client, begin.Add(4*time.Millisecond), &Note{Text: "over"})
	l.SeenTo(time.Time{})
	l.Add(Client, begin.Add(5*time.Millisecond), &State{To: tcpinfo.SynSent})
	slow.Done()
	wantTexts(t, &r, "client ESTABLISHED", "over", "client SYN-SENT")
}
