package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The JSON Lines contract, field by field, in the order in which they stand. A question mark: may be absent.
var contract = map[string][]string{
	"begin":    {"scenario?"},
	"enter":    {"id", "call", "args", "fd", "socket?", "name?", "aside?"},
	"call":     {"call", "args", "fd", "ret", "errno?", "took_us", "name?", "aside?", "id", "entered_us", "socket?", "new_socket?"},
	"state":    {"local", "remote?", "from?", "to", "source", "timer?", "timer_for?", "expires_ms?", "retrans?", "recv_q?", "send_q?", "shutdown?", "socket", "from_source?", "details_source?", "ended?", "ended_why?", "name?", "aside?", "info?"},
	"queue":    {"local", "accept_queue", "accept_limit", "syn_queue?", "socket", "name?", "aside?"},
	"segment":  {"src", "dst", "flags", "seg_seq", "ack?", "len", "win", "seq_base?", "ack_base?", "win_unscaled?", "options?", "fate?", "name?", "aside?", "injected?", "sender?", "marks?", "header?"},
	"counter":  {"name", "delta"},
	"note":     {"text", "heading?"},
	"check":    {"expect", "got", "ok", "met?"},
	"table":    {"title", "head", "rows"},
	"coverage": {"state?", "from?", "to?", "seen", "scenario?", "source?", "why_not?", "causes?"},
	"summary":  {"scenario", "ok", "checks", "failed", "why?", "options?"},
	"record": {"format", "program", "version", "kernel", "machine", "boot", "clock", "sides", "args", "title?", "lesson?", "ref?", "client_label?", "server_label?",
		"client_source?", "server_source?", "alone?", "many?", "segments?"},
	"socket": {"socket", "what", "local", "remote?", "from?", "to", "for_ms", "exact?", "told?", "unaccepted_ms?", "timer?", "expires_ms?", "retrans?", "recv_q?", "send_q?", "shutdown?",
		"snd_wnd?", "rcv_wnd?", "rtt_us?", "total_retrans?", "accept_queue?", "accept_limit?", "syn_queue?", "inode?", "uid?", "owners?", "server?", "other_socket?", "other_state?", "other_owners?", "grade", "finding", "says", "detail?", "who", "shown?"},
	"look": {"look", "sockets", "stuck", "waiting", "healthy", "states"},
	"tally": {"looks", "sockets", "stuck", "waiting", "healthy", "states", "came", "went", "every_us?",
		"transitions?", "lost_transitions?", "unplaced?", "segments?", "lost_segments?"},
}

var header = []string{"seq", "at_us", "time", "late_us?", "side", "kind"}

var (
	sides   = []string{"client", "server", "wire", "host"}
	sources = []string{"tcp_info", "sock_diag", "tracepoint"}
	timers  = []string{"on", "keepalive", "timewait", "persist", "delack"}
	states  = []string{"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2",
		"CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT"}
)

// event is one line of --json.
type event map[string]any

func (e event) text(field string) string { s, _ := e[field].(string); return s }

func (e event) number(field string) float64 { n, _ := e[field].(float64); return n }

// keys are the fields in the order in which they stand in the line.
func keys(line string) (names []string, err error) {
	d := json.NewDecoder(strings.NewReader(line))
	depth, expectKey := 0, false
	for {
		token, err := d.Token()
		if err != nil {
			return names, nil
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			expectKey = depth == 1
		default:
			if depth == 1 && expectKey {
				names = append(names, fmt.Sprint(v))
			}
			expectKey = depth == 1 && !expectKey
		}
	}
}

// events parses what --json wrote of a scenario and holds it to the contract.
func events(t *testing.T, out string) (all []event) {
	t.Helper()
	all = narrated(t, out)
	if n := len(all); n == 0 || all[n-1].text("kind") != "summary" {
		t.Fatalf("%d events, and the last is not the summary", n)
	}
	if broken := disorder(all); len(broken) > 0 {
		t.Errorf("not in the order of cause and effect:\n%s\n%s", strings.Join(broken, "\n"), out)
	}
	return all
}

// narrated is events of the plain server or client, which have no summary.
func narrated(t *testing.T, out string) []event {
	t.Helper()
	all, err := parsed(out)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// parsed holds each line to the contract.
func parsed(out string) (all []event, err error) {
	last := event{}
	for line := range strings.Lines(out) {
		e := event{}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return all, fmt.Errorf("%v: %s", err, line)
		}
		if err := holds(line, e, last, len(all)); err != nil {
			return all, fmt.Errorf("%v: %s", err, line)
		}
		all, last = append(all, e), e
	}
	return all, nil
}

func holds(line string, e, last event, n int) error {
	names, err := keys(line)
	if err != nil {
		return err
	}
	fields, known := contract[e.text("kind")]
	if !known || !slices.Contains(sides, e.text("side")) {
		return fmt.Errorf("an unknown kind or side")
	}
	if err := inOrder(names, slices.Concat(header, fields)); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339Nano, e.text("time"))
	if err != nil || at.Nanosecond() < 0 {
		return fmt.Errorf("time: %v", err)
	}
	if e.number("seq") != float64(n+1) || e.number("at_us") < last.number("at_us") && e.text("kind") != "begin" && last.text("kind") != "summary" {
		return fmt.Errorf("out of order")
	}
	return values(e)
}

// values holds names to the vocabularies of the field.
func values(e event) error {
	switch e.text("kind") {
	case "state":
		if !slices.Contains(states, e.text("to")) || !slices.Contains(sources, e.text("source")) {
			return fmt.Errorf("not a state or a source")
		}
		if from, ok := e["from"]; ok && !slices.Contains(states, fmt.Sprint(from)) {
			return fmt.Errorf("from is not a state")
		}
		if timer, ok := e["timer"]; ok && !slices.Contains(timers, fmt.Sprint(timer)) {
			return fmt.Errorf("not a timer")
		}
	case "call":
		if _, failed := e["errno"]; failed != (e.number("ret") == -1) {
			return fmt.Errorf("errno and ret disagree")
		}
		for _, a := range e["args"].([]any) {
			if _, ok := a.(string); !ok {
				return fmt.Errorf("an argument that is no string")
			}
		}
	}
	return nil
}

func inOrder(got, want []string) error {
	for _, w := range want {
		name, optional := strings.CutSuffix(w, "?")
		if len(got) > 0 && got[0] == name {
			got = got[1:]
		} else if !optional {
			return fmt.Errorf("no %s where it should be", name)
		}
	}
	if len(got) > 0 {
		return fmt.Errorf("fields that are not in the contract: %v", got)
	}
	return nil
}

func TestEveryScenarioKeepsTheContract(t *testing.T) {
	t.Parallel()
	for _, name := range some(scenarios(t)) {
		t.Run(name, func(t *testing.T) {
			beside(t)
			status, out, errs := run(t, "echoc", "--json", name)
			if status == 3 {
				t.Skip(errs)
			}
			all := events(t, out)
			failed(t, all)
			identified(t, all)
			if status != 0 || errs != "" {
				t.Errorf("status %d, on standard error %q", status, errs)
			}
		})
	}
}

// identified holds the numbers of the sockets to what a socket is: it is one side's, it is in the state that it was in
// before, it has one socket pair when it is connected, and a call is about the socket that its descriptor is of.
func identified(t *testing.T, all []event) {
	t.Helper()
	sides, states, fds := map[float64]string{}, map[float64]string{}, map[string]float64{}
	for _, e := range all {
		n := e.number("socket")
		switch e.text("kind") {
		case "call":
			fd := func(n float64) string { return fmt.Sprint(e.text("side"), n) }
			if e.text("call") == "socket" {
				fds[fd(e.number("ret"))] = n
			} else if known := fds[fd(e.number("fd"))]; known != n {
				t.Errorf("a call is about socket %v, and its descriptor is of %v: %v", n, known, e)
			}
			if made, ok := e["new_socket"]; ok {
				fds[fd(e.number("ret"))], _ = made.(float64)
			}
		case "state":
			if was := states[n]; was != "" && e.text("from") != was {
				t.Errorf("socket %v was %s before: %v", n, was, e)
			}
			if states[n] = e.text("to"); sides[n] == "" {
				sides[n] = e.text("side")
			}
			fallthrough
		case "queue":
			if n == 0 || sides[n] != "" && sides[n] != e.text("side") {
				t.Errorf("no socket, or the other side's: %v", e)
			}
		}
	}
}

// failed reports the checks that were not met.
func failed(t *testing.T, all []event) {
	t.Helper()
	checks := 0
	for _, e := range all {
		if e.text("kind") != "check" {
			continue
		}
		checks++
		if e["ok"] != true {
			t.Errorf("%s: expected %s: got %s", e.text("side"), e.text("expect"), e.text("got"))
		}
	}
	sum := all[len(all)-1]
	if sum.number("checks") != float64(checks) || checks == 0 {
		t.Errorf("the summary counts %v checks, there were %d", sum["checks"], checks)
	}
}
