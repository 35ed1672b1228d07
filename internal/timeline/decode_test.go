package timeline

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"socklife/tcpinfo"
)

// What was written is what is read, of every kind, and is written the same again.
func TestWhatWasWrittenIsRead(t *testing.T) {
	at := time.Date(2026, 11, 21, 19, 0, 0, 123456789, time.UTC)
	local, remote := netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("[fe80::1%lo]:7007")
	n, u, ms := 3, uint32(18), int64(204)
	for _, body := range []Body{
		&Record{Format: 1, Program: "echod", Version: "v1", Kernel: "6.12", Machine: "x86_64", Boot: "b", Clock: "CLOCK_REALTIME", Sides: []Side{Server}, Args: []string{"close"},
			Title: "close", Lesson: "l", Ref: "r", ClientLabel: "c", ServerLabel: "s", ClientSource: "sock_diag", ServerSource: "tracepoint", Alone: Server, Many: true},
		&Begin{Scenario: "half-close"},
		&Enter{ID: 7, Call: "read", Args: []string{"9"}, FD: 9, Socket: 2, Label: Label{"control", true}},
		&Call{Call: "write", Args: []string{"9", `"\x1b[2J<&>"`, "4"}, FD: 9, Ret: -1, Errno: "EPIPE", TookUS: 17.5, ID: 8, EnteredUS: -3, Socket: 2, NewSocket: 3},
		&State{Local: local, Remote: remote, From: tcpinfo.Established, To: tcpinfo.FinWait1, Source: "tcp_info", Timer: "on", TimerFor: ForLossProbe,
			ExpiresMS: &ms, Retrans: &n, RecvQ: &u, SendQ: &u, Shutdown: []string{}, Socket: 4, FromSource: "sock_diag", DetailsSource: "sock_diag", Ended: Ended{EndedAbort, "why"}, Info: []byte(`{"rtt_us":17}`)},
		&State{To: tcpinfo.Closed, Source: "tracepoint"},
		&Queue{Local: local, AcceptQueue: 1, AcceptLimit: 128, SynQueue: &n, Socket: 1},
		&Segment{Src: local, Dst: remote, Flags: []string{"SYN", "ACK"}, Seq: 1, Ack: &u, Len: 3, Win: 512, SeqBase: &u, AckBase: &u, Unscaled: true,
			Options: []string{"mss 1460"}, Fate: "dropped", Injected: true, From: Client, Marks: []string{"retransmission"}, Header: "00ff"},
		&Counter{Name: "TCPAbortOnData", Delta: -1},
		&Note{Text: "a sentence", Heading: true},
		&Check{Expect: "a", Got: "b", OK: true, Met: "c"},
		&Table{Title: "t", Head: []string{"a"}, Rows: [][]string{{"b"}, {}}},
		&Coverage{From: tcpinfo.Listen, To: tcpinfo.SynReceived, Seen: true, Scenario: "handshake", Source: "tracepoint", WhyNot: "x"},
		&Summary{Scenario: "tour", OK: false, Checks: 2, Failed: 1, Why: "why", Options: "--linger 0"},
	} {
		e := Event{Seq: 5, At: 1500 * time.Microsecond, Time: at, Late: time.Microsecond, Side: Wire, Body: body}
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var read Event
		if err := json.Unmarshal(line, &read); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !reflect.DeepEqual(read, e) {
			t.Errorf("%s: read as\n%+v, %+v", line, read, read.Body)
		}
		if bodies[body.Kind()] == nil {
			t.Errorf("%s is not read", body.Kind())
		}
	}
}

// What is no UTF-8 is written as it is again when it was read.
func TestWhatIsNoUTF8(t *testing.T) {
	first, err := json.Marshal(Event{Side: Host, Body: &Note{Text: "a\xffb"}})
	if err != nil {
		t.Fatal(err)
	}
	var e Event
	if err := json.Unmarshal(first, &e); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(e); err != nil || string(again) != string(first) {
		t.Errorf("%v: %s, and again %s", err, first, again)
	}
}

// What a newer version writes is kept, as far as it goes; what is none of ours is refused.
func TestWhatOthersWrote(t *testing.T) {
	const head = `{"seq":1,"at_us":2,"time":"2026-11-21T19:00:00Z","side":"client",`
	for line, want := range map[string]string{
		head + `"kind":"note","text":"x","later":[1]}`:  "",
		head + `"kind":"dream","text":"x"}`:             "",
		head + `"text":"x"}`:                            "without a kind",
		head + `"kind":"note","text":7}`:                "note: ",
		head + `"kind":"state","to":"BOUND"}`:           "state: ",
		`{"kind":"note","side":"middle","text":"x"}`:    `side "middle"`,
		`{"time":"yesterday","kind":"note"}`:            "time",
		`[]`:                                            "array",
		head + `"kind":"queue","local":"nowhere"}`:      "queue: ",
		head + `"kind":"segment","seg_seq":4294967296}`: "segment: ",

		`{"at_us":9223372036854776,"time":"2026-11-21T19:00:00Z","side":"host","kind":"note","text":"x"}`:  "at_us 9223372036854776",
		`{"at_us":-9223372036854776,"time":"2026-11-21T19:00:00Z","side":"host","kind":"note","text":"x"}`: "at_us -9223372036854776",
		head + `"kind":"socket","to":"LISTEN","grade":"waiting","for_ms":9223372036854}`:                   "",
		head + `"kind":"socket","to":"LISTEN","grade":"waiting","for_ms":-1}`:                              "socket: for_ms -1 is not from 0 to",
		head + `"kind":"socket","to":"LISTEN","grade":"waiting","syn_queue":-1}`:                           "socket: syn_queue -1 ",
		head + `"kind":"socket","to":"LISTEN","grade":"waiting","shown":{"other":{"retrans":256}}}`:        "socket: retrans 256 is not from 0 to 255",
		head + `"kind":"socket","to":"LISTEN","grade":"fatal"}`:                                            `socket: grade "fatal"`,
		head + `"kind":"socket","grade":"waiting"}`:                                                        "socket: no state in it",
		head + `"kind":"state","from":"LISTEN"}`:                                                           "state: no state in it",
		head + `"kind":"tally","every_us":9223372036854776}`:                                               "tally: every_us ",
	} {
		var e Event
		err := json.Unmarshal([]byte(line), &e)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
	var e Event
	if err := json.Unmarshal([]byte(head+`"kind":"dream","text":"x"}`), &e); err != nil || e.Body.Kind() != "dream" || len(e.Body.(*Foreign).JSON) == 0 {
		t.Errorf("%+v", e.Body)
	}
}

// A call is in two rows if its entry is among what was read, also where the run begins in between: a server's does.
func TestJoin(t *testing.T) {
	var j Joiner
	for i, want := range []struct {
		body  Body
		split bool
	}{{&Enter{ID: 5}, false}, {&Begin{}, false}, {&Call{ID: 5}, true}, {&Call{ID: 6}, false}, {&Call{ID: 5}, false}} {
		j.Join(Event{Body: want.body})
		if c, ok := want.body.(*Call); ok && c.Split != want.split {
			t.Errorf("event %d: split %v", i, c.Split)
		}
	}
}

// No control character gets into a line, in whatever field: a terminal takes some of them for commands.
func TestLinesHaveNoControlCharacters(t *testing.T) {
	line, err := json.Marshal(Event{Side: Client, Body: &Note{Text: "a\x00\x1b]\x7f\u0080\u009b31m\u009f\u00a0é"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range string(line) {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			t.Errorf("%U in %q", r, line)
		}
	}
	var e Event
	if err := json.Unmarshal(line, &e); err != nil || e.Body.(*Note).Text != "a\x00\x1b]\x7f\u0080\u009b31m\u009f\u00a0é" {
		t.Errorf("%v: read as %q", err, e.Body)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"seq":1,"at_us":2,"time":"2026-11-21T19:00:00Z","side":"client","kind":"note","text":"x"}`))
	f.Add([]byte(`{"seq":1,"at_us":2,"time":"2026-11-21T19:00:00Z","side":"client","kind":"state","to":"LISTEN"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var e Event
		if json.Unmarshal(line, &e) != nil {
			return
		}
		if e.Time.Year() > 9999 || e.Time.Year() < 0 {
			return
		}
		if _, err := json.Marshal(e); err != nil {
			t.Errorf("%s was read and cannot be written: %v", line, err)
		}
	})
}
