package e2e

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The order of cause and effect, as rules that every timeline keeps. Each says what must stand above an event; where it
// cannot be told of which socket an event is, sockets are counted.

// order reads a timeline from top to bottom.
type order struct {
	both, wire bool // both sides are in it; every segment is
	exempt     string

	last     event
	entered  map[float64]event            // calls in the kernel whose entry is an event
	begun    map[string]int               // by side and call: how often it was entered
	done     map[string]int               // by side and call: how often it has succeeded
	written  map[string]int               // by side: bytes handed to write()
	read     map[string]int               // by side: bytes that read() has given
	states   map[string]map[string]string // by side and socket: its state
	visited  map[string]bool              // by side: the states that the tracepoint has told of
	finished map[string]map[string]bool   // by side: connections whose FIN this side has sent
	flags    map[string]map[string]bool   // by flag and direction: what has been on the wire; "FIN>addr": has arrived there
	broken   []string
}

// disorder is what in a timeline stands above its cause; none if all is in order.
func disorder(all []event) []string {
	o := &order{}
	o.clear()
	sides := map[string]bool{}
	for _, e := range all {
		if e.text("kind") == "call" {
			sides[e.text("side")] = true
		}
		o.wire = o.wire || e.text("fate") == "delivered"
		o.exempt += e.text("scenario")
	}
	o.both = len(sides) == 2
	for _, e := range lesson(all) {
		if e.text("kind") == "begin" && o.both && o.last.text("kind") == "summary" { // of a tour: another run
			*o = order{both: true, wire: o.wire, exempt: e.text("scenario"), last: o.last, broken: o.broken}
			o.clear()
		}
		o.clock(e)
		switch e.text("kind") {
		case "enter":
			o.entered[e.number("id")] = e
			o.enters(e)
		case "call":
			o.returns(e)
		case "state":
			o.state(e)
		case "queue":
			o.queue(e)
		case "segment":
			o.segment(e)
		case "check":
			o.check(e)
		}
		o.last = e
	}
	return o.broken
}

// lesson is a timeline without what came of the end of a run that failed: the calls that clean up are not in it.
func lesson(all []event) []event {
	n := len(all)
	if n == 0 || all[n-1]["ok"] != false {
		return all
	}
	for n > 0 && all[n-1].text("kind") != "call" && all[n-1].text("kind") != "enter" && all[n-1].text("kind") != "check" {
		n--
	}
	return all[:n]
}

func (o *order) clear() {
	o.entered, o.begun, o.done, o.written, o.read = map[float64]event{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	o.visited = map[string]bool{}
	o.states, o.finished, o.flags = map[string]map[string]string{}, map[string]map[string]bool{}, map[string]map[string]bool{}
}

func (o *order) must(ok bool, e event, format string, args ...any) {
	if !ok {
		o.broken = append(o.broken, fmt.Sprintf("event %v (%s's %s): ", e["seq"], e.text("side"), e.text("kind"))+fmt.Sprintf(format, args...))
	}
}

// clock: events are in the order of their times, and none was told too late for its place.
func (o *order) clock(e event) {
	o.must(e.text("kind") == "begin" || o.ranOut() || e.number("at_us") >= o.last.number("at_us"), e, "it is before the event above it")
	_, late := e["late_us"]
	o.must(!late, e, "it was told %v us too late", e["late_us"])
}

// ranOut: a run is over, and what comes now, by the next one's clock, is of a server that goes on.
func (o *order) ranOut() bool { return o.last.text("kind") == "summary" }

// enters counts what a call may bring about, from the moment it is entered.
func (o *order) enters(e event) {
	side, call := e.text("side"), e.text("call")
	if call == "sendto" {
		call = "write"
	}
	o.begun[side+" "+call]++
	if call == "write" {
		o.written[side] += length(e)
	}
}

// ends is how often a side has begun to end something: its FIN or RST may be on the wire.
func (o *order) ends(side string) int {
	return o.begun[side+" close"] + o.begun[side+" shutdown"]
}

// returns: a call that has one event had nothing between its entry and its return; one that has two has the same id.
func (o *order) returns(e event) {
	enter, split := o.entered[e.number("id")]
	if split {
		delete(o.entered, e.number("id"))
		o.must(enter.text("call") == e.text("call") && enter["fd"] == e["fd"] || e.text("call") == "socket", e, "its entry is of another call")
		o.must(enter.number("at_us") == e.number("entered_us") || e.text("side") == "server" && (!o.both || e.number("entered_us") < 0), e, "it was entered at another moment") // before its run began
	} else {
		o.enters(e)
		o.must(e.number("entered_us") >= o.last.number("at_us") || o.last.text("kind") == "begin" || o.ranOut(), e, "something came between its entry and its return, and there is one event")
	}
	o.must(e.number("entered_us") <= e.number("at_us"), e, "it returned before it was entered")
	if _, failed := e["errno"]; failed {
		if e.text("errno") == "ECONNRESET" && e.text("call") == "read" && o.wire {
			o.must(len(o.flags["RST"]) > 0, e, "ECONNRESET, and no RST has arrived")
		}
		return
	}
	side, call := e.text("side"), e.text("call")
	o.done[side+" "+call]++
	switch {
	case call == "accept4" && o.both:
		o.must(o.accepted() <= o.connects(), e, "accept() has more connections than connect() was called for")
		if from := address(e); o.wire && from != "" && !o.is("self-connect") {
			o.must(o.flags["SYN<"][from] && o.flags["ACK<"][from], e, "the handshake of %s is not over", from)
		}
	case call == "connect" && o.wire && !o.is("self-connect"):
		o.must(o.flags["SYN<"][address(e)], e, "connect() has returned, and no SYN has come from %s", address(e))
	case (call == "read" || call == "recvfrom") && o.both && !strings.Contains(fmt.Sprint(e["args"]), "MSG_PEEK"):
		o.read[side] += int(e.number("ret"))
		written := o.written["client"] + o.written["server"]
		o.must(o.read["client"]+o.read["server"] <= written || o.is("crash"), e, "%d bytes were read, and %d written", o.read[side], written)
		if e.number("ret") == 0 && length(e) > 0 && !o.is("crash") && !o.is("abort") {
			o.must(o.ends(side)+o.ends(other(side)) > 0, e, "the end of the stream, and nobody has closed")
		}
	}
}

// state: what a call brings about stands below its entry, and what a segment does below that.
func (o *order) state(e event) {
	side, to, local, remote := e.text("side"), e.text("to"), e.text("local"), e.text("remote")
	key := fmt.Sprint(e["socket"], " ", local, " ", remote)
	put(o.states, side)
	if id, ok := e["socket"]; ok {
		key = fmt.Sprint(id)
		if was := o.states[side][key]; was != "" && e.text("from") != "" && e.text("from") != "LISTEN" { // of the tracepoint, which tells of an entry at its end
			o.must(was == e.text("from"), e, "from %s, and it was in %s", e.text("from"), was)
		}
	}
	if e.text("source") == "tracepoint" {
		o.visited[side+e.text("from")], o.visited[side+to] = true, true
	}
	if was := o.states[side][key]; to != "CLOSED" || was == "" || was == e.text("from") {
		o.states[side][key] = to // and not the end of one that had these addresses before
	}
	known := o.begun[side+" socket"] > 0 || o.begun[side+" accept4"] > 0 // this side's calls are in the timeline
	if e.text("from") == to || !known {
		return
	}
	switch to {
	case "LISTEN":
		o.must(o.begun[side+" listen"] > 0, e, "and listen() was not called")
	case "FIN-WAIT-1", "LAST-ACK":
		put(o.finished, side)
		o.finished[side][local+remote] = true
		o.must(len(o.finished[side]) <= o.ends(side) || o.is("crash"), e, "and this side has closed %d times", o.ends(side))
	case "CLOSE-WAIT", "TIME-WAIT":
		o.must(!o.wire || o.flags["FIN>"][local] || o.is("self-connect"), e, "and no FIN has arrived there")
		o.must(!o.both || o.ends("client")+o.ends("server") > 0 || o.is("crash"), e, "and nobody has closed")
	case "SYN-SENT", "ESTABLISHED":
		if e.text("from") == "CLOSED" && o.begun[side+" connect"] == 0 {
			o.must(false, e, "and connect() was not called")
		}
	}
}

// queue: what accept() has taken is not in the queue any more.
func (o *order) queue(e event) {
	if o.both {
		n := int(e.number("accept_queue"))
		o.must(n <= o.connects()-o.accepted(), e, "%d wait, of %d connect() and %d accept() had", n, o.connects(), o.accepted())
	}
}

func (o *order) connects() int { return o.begun["client connect"] + o.begun["server connect"] }
func (o *order) accepted() int { return o.done["client accept4"] + o.done["server accept4"] }

// segment: what a call sends stands below its entry.
func (o *order) segment(e event) {
	src, dst, flags := e.text("src"), e.text("dst"), fmt.Sprint(e["flags"])
	side := "client"
	if strings.HasPrefix(src, "198.51.100.2:") || strings.HasPrefix(src, "[2001:db8::2]") || strings.HasSuffix(src, ":7007") {
		side = "server"
	}
	arrived := e.text("fate") == "delivered" || e.text("fate") == "duplicated"
	for _, f := range []string{"SYN", "FIN", "RST", "ACK"} {
		if !strings.Contains(flags, f) || f == "ACK" && strings.Contains(flags, "SYN") {
			continue
		}
		for _, key := range []string{f, f + "<", f + ">"} {
			put(o.flags, key)
		}
		if arrived {
			o.flags[f][src] = true
			o.flags[f+"<"][src] = true
			o.flags[f+">"][dst] = true
		}
	}
	if !o.both || o.is("crash") || e["injected"] == true {
		return
	}
	if strings.Contains(flags, "FIN") {
		o.must(o.ends(side) > 0 || o.ends(other(side)) > 0 && o.is("simultaneous-open"), e, "a FIN, and the %s has not closed", side)
	}
	if flags == "[SYN]" {
		o.must(o.connects() > 0, e, "a SYN, and connect() was not called")
	}
}

// check: a state that was expected is the one that a socket of that side is in, there and not some other time.
func (o *order) check(e event) {
	m := stateGot.FindStringSubmatch(e.text("got"))
	if m == nil || e["ok"] != true || m[1] == "CLOSED" { // where a socket begins, too, which no event tells
		return
	}
	for _, state := range o.states[e.text("side")] {
		if state == m[1] {
			return
		}
	}
	if o.visited[e.text("side")+m[1]] { // the kernel tells to the microsecond; who asks may be slow to look at his clock
		return
	}
	o.must(false, e, "%q was got, and no socket of this side is in that state: %v", e.text("got"), o.states[e.text("side")])
}

var (
	stateGot = regexp.MustCompile(`^([A-Z0-9-]+) \([a-z_]+\)$`)
	portIn   = regexp.MustCompile(`sin6?_port=htons\((\d+)\)`)
	hostIn   = regexp.MustCompile(`inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"`)
)

// address is the one among a call's arguments.
func address(e event) string {
	args := fmt.Sprint(e["args"])
	port, host := portIn.FindStringSubmatch(args), hostIn.FindStringSubmatch(args)
	switch {
	case port == nil || host == nil:
		return ""
	case host[2] != "":
		return "[" + host[2] + "]:" + port[1]
	}
	return host[1] + ":" + port[1]
}

// length is how many bytes a read or a write is about.
func length(e event) int {
	args, _ := e["args"].([]any)
	if len(args) < 3 {
		return 0
	}
	n, _ := strconv.Atoi(fmt.Sprint(args[2]))
	return n
}

func other(side string) string {
	if side == "client" {
		return "server"
	}
	return "client"
}

func put[V any](m map[string]map[string]V, key string) map[string]V {
	if m[key] == nil {
		m[key] = map[string]V{}
	}
	return m[key]
}

func (o *order) is(scenario string) bool {
	return o.exempt == scenario || strings.Contains(o.exempt, scenario)
}

// The rules find a timeline that breaks them: whatever changes places with what it follows.
func TestDisorderIsFound(t *testing.T) {
	t.Parallel()
	status, out, errs := run(t, "echoc", "--json", "half-close")
	if status != 0 {
		t.Fatal(errs)
	}
	all := events(t, out)
	find := func(kind, field, value string) int {
		return slices.IndexFunc(all, func(e event) bool { return e.text("kind") == kind && e.text(field) == value })
	}
	for name, seeded := range map[string][2]int{
		"accept() before connect()":    {find("call", "call", "accept4"), 1},
		"LISTEN before listen()":       {find("state", "to", "LISTEN"), 1},
		"FIN-WAIT-1 before shutdown()": {find("state", "to", "FIN-WAIT-1"), find("call", "call", "connect")},
		"a check before its state":     {find("check", "ok", ""), 1},
		"CLOSE-WAIT before shutdown()": {find("state", "to", "CLOSE-WAIT"), 2},
	} {
		from, to := seeded[0], seeded[1]
		if name == "a check before its state" {
			from = slices.IndexFunc(all, func(e event) bool { return stateGot.MatchString(e.text("got")) })
		}
		if from < 0 {
			continue // passed unseen in this run
		}
		wrong := slices.Clone(all)
		e := event{}
		for k, v := range wrong[from] {
			e[k] = v
		}
		e["at_us"] = wrong[to]["at_us"]
		wrong = slices.Insert(slices.Delete(wrong, from, from+1), to, e)
		if len(disorder(wrong)) == 0 {
			t.Errorf("%s: not found", name)
		}
	}
}
