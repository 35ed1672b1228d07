package timeline

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"socklife/tcpinfo"
)

type recorder struct{ events []Event }

func (r *recorder) Event(e Event) { r.events = append(r.events, e) }

func (r *recorder) texts() (out []string) {
	for _, e := range r.events {
		switch b := e.Body.(type) {
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

// The peer's read() returns end of file before our close() has returned: close() comes first all the same.
func TestAnEffectNeverStandsBeforeItsCause(t *testing.T) {
	var r recorder
	l := New(&r)
	now := time.Now()
	reading := l.Enter(Server, false, now, "read(7)")
	closing := l.Enter(Client, true, now.Add(time.Microsecond), "close(6)")
	reading.Exit(5*time.Microsecond, &Call{Call: "read"})
	l.Add(Server, now.Add(6*time.Microsecond), &State{To: tcpinfo.CloseWait})
	if len(r.events) != 0 {
		t.Fatalf("%q came out while close() was under way", r.texts())
	}
	closing.Exit(20*time.Microsecond, &Call{Call: "close"})
	wantTexts(t, &r, "client close", "server read", "server CLOSE-WAIT")
}

func TestACallThatBlocksIsAnnouncedAndHoldsNobodyUp(t *testing.T) {
	got := make(chan Event, 10)
	l := New(SinkFunc(func(e Event) { got <- e }))
	connecting := l.Enter(Client, true, time.Now(), "connect(6)")
	l.Add(Client, time.Time{}, &State{To: tcpinfo.SynSent})
	for _, want := range []Kind{"note", "state"} {
		select {
		case e := <-got:
			if e.Body.Kind() != want {
				t.Fatalf("got %v, want %v", e.Body.Kind(), want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("no %v while connect blocks", want)
		}
	}
	connecting.Exit(BlockAfter+time.Second, &Call{Call: "connect"})
	l.Close()
	if e := <-got; e.At < BlockAfter {
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
}

func TestALateSourceFindsItsPlace(t *testing.T) {
	got := make(chan string, 10)
	l := New(SinkFunc(func(e Event) { got <- e.Body.(*Note).Text }))
	l.SetLag(50 * time.Millisecond)
	now := time.Now()
	l.Add(Client, now.Add(time.Millisecond), &Note{Text: "second"})
	l.Add(Client, now, &Note{Text: "first"})
	for _, want := range []string{"first", "second"} {
		if g := <-got; g != want {
			t.Fatalf("got %s, want %s", g, want)
		}
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
			`"kind":"call","call":"close","args":["6"],"fd":6,"ret":0,"took_us":1.5}`},
		{&Call{Call: "connect", Args: []string{"6"}, FD: 6, Ret: -1, Errno: "ECONNREFUSED", TookUS: 3},
			`"kind":"call","call":"connect","args":["6"],"fd":6,"ret":-1,"errno":"ECONNREFUSED","took_us":3}`},
		{&State{Local: local, Remote: remote, From: tcpinfo.FinWait2, To: tcpinfo.TimeWait, Source: "sock_diag", Timer: "timewait", ExpiresMS: &expires, Retrans: &retrans, RecvQ: &q, Shutdown: []string{}},
			`"kind":"state","local":"[fe80::1%eth0]:1","remote":"[::ffff:192.0.2.2]:2","from":"FIN-WAIT-2","to":"TIME-WAIT","source":"sock_diag","timer":"timewait","expires_ms":59990,"retrans":0,"recv_q":1,"shutdown":[]}`},
		{&State{Local: local, To: tcpinfo.Listen, Source: "tcp_info"}, `"kind":"state","local":"[fe80::1%eth0]:1","to":"LISTEN","source":"tcp_info"}`},
		{&State{To: tcpinfo.Closed, Source: "tcp_info"}, `"kind":"state","local":"","to":"CLOSED","source":"tcp_info"}`},
		{&Queue{Local: local, AcceptLimit: 128}, `"kind":"queue","local":"[fe80::1%eth0]:1","accept_queue":0,"accept_limit":128}`},
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
