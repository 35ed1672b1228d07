package compare

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
)

// An event is a line of the JSON (docs/events.md), as far as it is compared.
type event struct {
	Side, Kind string

	Call  string
	Args  []string
	Fd    int
	Ret   json.Number
	Errno string

	Local, Remote, From, To, Source string
	Timer                           string
	Shutdown                        *[]string
	AcceptLimit                     int `json:"accept_limit"`

	Src, Dst, Fate string
	Flags, Options []string
	SegSeq         int `json:"seg_seq"`
	Len            int

	Name, Text, Expect, Got, Scenario string
	Ok                                bool
	Checks, Failed                    int
}

// events makes lines of the JSON that a process wrote. A side's calls, checks and notes are its script, in which
// order counts.
func events(prefix, out string) (run, error) {
	var all []event
	decoder := json.NewDecoder(strings.NewReader(out))
	for {
		var e event
		if err := decoder.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("not JSON Lines: %w", err)
		}
		e.Side = prefix + e.Side
		all = append(all, e)
	}
	t := teller{ports: names{}, scripts: map[string]*script{}, sockets: map[descriptor]string{}, made: map[string]int{}, calls: map[int]step{}, sent: map[string]bool{}}
	for _, e := range all {
		if _, port, err := net.SplitHostPort(e.Local); err == nil && e.To == "LISTEN" {
			t.ports.listens(port)
		}
	}
	for _, e := range all {
		t.tell(e)
	}
	// The calls' text is known at the end only, when all pieces of their data have come.
	for i, c := range t.calls {
		t.lines[i].text = t.ports.plain(t.scripts[c.side].calls[c.place].String())
	}
	return t.lines, nil
}

type descriptor struct {
	side string
	fd   int
}

// A step is a call's place in its side's script.
type step struct {
	side  string
	place int
}

type teller struct {
	lines   run
	ports   names
	scripts map[string]*script
	calls   map[int]step // by line
	sockets map[descriptor]string
	made    map[string]int // how many descriptors a side got so
	sent    map[string]bool
}

// say adds a line.
func (t *teller) say(lane, format string, args ...any) *line {
	t.lines = append(t.lines, line{lane: lane, text: t.ports.plain(fmt.Sprintf(format, args...))})
	return &t.lines[len(t.lines)-1]
}

func (t *teller) tell(e event) {
	switch e.Kind {
	case "begin", "enter": // where they stand, and whether there is an enter, varies
	case "call":
		t.call(e)
	case "state":
		t.state(e)
	case "queue":
		t.say(e.Side+"'s states", "queue of at most %d", e.AcceptLimit).once = true
	case "segment":
		t.segment(e)
	case "counter":
		t.say(e.Side+"'s counters", "%s", e.Name).once = true
	case "note":
		l := t.say(e.Side, "note: %s", e.Text)
		l.text, l.ordered = loosen(l.text), true
	case "check":
		verdict := "met"
		if !e.Ok {
			verdict = "FAILED"
		}
		t.say(e.Side, "check %s: %s", verdict, e.Expect).ordered = true
		l := t.say(e.Side+"'s checks", "%s: got %s", e.Expect, e.Got)
		l.text = loosen(l.text)
	case "summary":
		t.say("summary", "%s %s: ok %t, %d checks, %d failed", e.Side, e.Scenario, e.Ok, e.Checks, e.Failed)
	default:
		t.say(e.Side, "an event of kind %s", e.Kind)
	}
}

func (t *teller) call(e event) {
	c := call{name: e.Call, args: slices.Clone(e.Args), ret: e.Ret.String(), errno: e.Errno}
	made := e.Errno == "" && (e.Call == "socket" || strings.HasPrefix(e.Call, "accept") || strings.HasPrefix(e.Call, "dup"))
	if e.Call != "socket" {
		c.on = t.socket(e.Side, e.Fd)
		if len(c.args) > 0 && c.args[0] == fmt.Sprint(e.Fd) {
			c.args = c.args[1:]
		}
	}
	n, _ := e.Ret.Int64()
	if made {
		by := e.Side + nameFor(e.Call, 0)
		t.made[by]++
		c.ret = nameFor(e.Call, t.made[by])
		t.sockets[descriptor{e.Side, int(n)}] = c.ret
	} else if c.moves() && n > 0 {
		c.moved = int(n)
	}
	s := t.scripts[e.Side]
	if s == nil {
		s = &script{}
		t.scripts[e.Side] = s
	}
	place, fresh := s.add(c)
	if !fresh {
		return
	}
	t.say(e.Side, "").ordered = true
	t.calls[len(t.lines)-1] = step{e.Side, place}
}

// socket names a descriptor; one that the other side opened may be used too.
func (t *teller) socket(side string, fd int) string {
	if name := t.sockets[descriptor{side, fd}]; name != "" {
		return name
	}
	for d, name := range t.sockets {
		if d.fd == fd {
			return d.side + "'s " + name
		}
	}
	return "fd"
}

// state tells the transitions, and what was said of each state. Which of a socket's states were passed unseen varies:
// so it is also told which were reached.
func (t *teller) state(e event) {
	lane := e.Side + "'s states"
	who := "connection"
	if e.Remote == "" && (e.To == "LISTEN" || e.From == "LISTEN") {
		who = "listener"
	}
	t.say(lane, "told by %s", e.Source).once = true
	if e.Timer != "" {
		t.say(lane, "%s in %s: timer %s", who, e.To, e.Timer).once = true
	}
	if e.Shutdown != nil {
		t.say(lane, "%s in %s: shutdown %v", who, e.To, *e.Shutdown).once = true
	}
	if e.From != e.To {
		from := e.From
		if from == "" {
			from = "(first seen)"
		}
		t.say(lane, "%s from %s to %s", who, from, e.To)
		t.say(lane, "%s reaches %s", who, e.To)
	}
}

// segment tells what was sent, by direction. Bare ACKs and what was sent before are told once, whatever their number.
func (t *teller) segment(e event) {
	host := func(addr string) string {
		h, _, _ := net.SplitHostPort(addr)
		return h
	}
	flags := strings.Join(e.Flags, "+")
	text := fmt.Sprintf("%s len %d %s", flags, e.Len, e.Fate)
	for _, o := range e.Options {
		if word, _, _ := strings.Cut(o, " "); strings.Contains(flags, "SYN") {
			text += " " + word
		}
	}
	lane := "segments " + host(e.Src) + " > " + host(e.Dst)
	sent := fmt.Sprint(e.Src, e.Dst, e.SegSeq, e.Len, flags)
	switch {
	case flags == "ACK" && e.Len == 0:
		t.say(lane, "%s", text).once = true
	case t.sent[sent]:
		t.say(lane, "again %s", text).once = true
	default:
		t.say(lane, "%s", text).ordered = true
	}
	t.sent[sent] = true
}

// complaints are the lines of standard error.
func complaints(who, said string) (all run) {
	for row := range strings.Lines(said) {
		all = append(all, line{lane: who + "'s standard error", text: loosen(names{}.plain(strings.TrimSpace(row))), ordered: true})
	}
	return all
}
