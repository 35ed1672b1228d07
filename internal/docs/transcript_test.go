package docs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"socklife/internal/rfc9293"
)

// transcript is what a run's output says, without what differs from one run to the next: each side's calls in their
// order, what was checked, the states that each socket went through, and the segments that mean something. Output that
// is none of a run, such as --help's, is its lines.
type transcript struct {
	calls    map[string][]string            // by side
	checks   map[string][]string            // by side, sorted: two sides' waits may end in either order
	sockets  map[string]map[string][]string // by side, then by connection: the states
	segments map[string][]string            // by the side that sent them
	end      string                         // the summary
	plain    []string

	entered map[string]string // by side and call: calls that have not returned yet
	ports   []string          // of the connections, in the order they are met
}

func newTranscript() *transcript {
	return &transcript{calls: map[string][]string{}, checks: map[string][]string{},
		sockets: map[string]map[string][]string{}, segments: map[string][]string{}, entered: map[string]string{}}
}

// sideNames are the lanes, from left to right.
var sideNames = [2]string{"client", "server"}

func (tr *transcript) call(side, text string) {
	text = normalCall(text)
	list := tr.calls[side]
	if n := len(list); n > 0 && list[n-1] == text && repeats(text) {
		return
	}
	tr.calls[side] = append(list, text)
}

func (tr *transcript) check(side, text string) {
	tr.checks[side] = append(tr.checks[side], closedFirst.ReplaceAllString(normal(text), "CLOSEDFIRST:"))
	slices.Sort(tr.checks[side])
}

// closedFirst are the states of who has closed first. How far that end has come when somebody looks is chance, and
// the check names the state that it was.
var closedFirst = regexp.MustCompile(`^(FIN-WAIT-1|FIN-WAIT-2|CLOSING|TIME-WAIT)(or(FIN-WAIT-1|FIN-WAIT-2|CLOSING|TIME-WAIT))*:`)

// state adds what a look found of a socket. The socket is named by the client's port where there are several
// connections.
func (tr *transcript) state(side, port, from, to string) {
	if from == to {
		return
	}
	key := "connection" + tr.number(port)
	if port == "" && (to == "LISTEN" || from == "LISTEN" && to == "CLOSED") {
		key = "listener"
	}
	if tr.sockets[side] == nil {
		tr.sockets[side] = map[string][]string{}
	}
	key = tr.incarnation(side, key, from)
	chain := tr.sockets[side][key]
	switch {
	case from != "" && len(chain) > 0 && chain[len(chain)-1] == from:
	case from != "":
		chain = append(chain, from)
	case to == "LISTEN":
	case side == "server": // an entry of a listener
		from = "LISTEN"
	default:
		from = "CLOSED"
	}
	if ways := ways(from, to); len(ways) == 1 && !rfc9293.MayAbort(state(from), state(to)) {
		chain = append(chain, ways[0]...)
	}
	tr.sockets[side][key] = append(chain, to)
}

// incarnation tells apart connections that have the same ports one after the other: a new one is seen for the first
// time while the old one is in TIME-WAIT, and ends it.
func (tr *transcript) incarnation(side, key, from string) string {
	for {
		chain := tr.sockets[side][key]
		again := key + " again"
		switch {
		case len(chain) == 0:
			return key
		case from != "" && (chain[len(chain)-1] == from || len(tr.sockets[side][again]) == 0):
			return key
		}
		key = again
	}
}

// number names a connection by when it is met and not by its port, which is another one in each run.
func (tr *transcript) number(port string) string {
	if port == "" {
		return ""
	}
	if !slices.Contains(tr.ports, port) {
		tr.ports = append(tr.ports, port)
	}
	return fmt.Sprintf(" %d", slices.Index(tr.ports, port)+1)
}

// parse reads a terminal's lanes, a narrator's lines, or anything.
func parse(text string) *transcript {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "       ms client") {
			return parseLanes(lines[i+1:])
		}
		if clockTime.MatchString(line) {
			return parseNarration(lines)
		}
	}
	tr := newTranscript()
	for _, line := range lines {
		if line = plainLine(line); line != "" {
			tr.plain = append(tr.plain, line)
		}
	}
	return tr
}

var (
	clockTime = regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3}  `)
	callLine  = regexp.MustCompile(`^[a-z][a-z0-9_]*\(.*\) = `)
	entryLine = regexp.MustCompile(`^[a-z][a-z0-9_]*\([0-9A].*\)$`)
)

// enter remembers where a call was entered.
func (tr *transcript) enter(side, text string) { tr.entered[side+" "+which(text)] = text }

// whole gives a call that returned what stands where it was entered.
func (tr *transcript) whole(side, text string) string {
	key := side + " " + which(text)
	entry, ok := tr.entered[key]
	delete(tr.entered, key)
	call, result, _ := strings.Cut(text, ") = ")
	if !ok || len(call)+1 >= len(entry) {
		return text
	}
	return entry + " = " + result
}

// which call it is: "connect(9" of "connect(9, 127.0.0.1:7007)", "socket(".
func which(text string) string {
	if strings.HasPrefix(text, "socket(") {
		return "socket("
	}
	return text[:strings.IndexAny(text, ",)")]
}

// parseNarration reads the plain client's and server's lines: one for each event.
func parseNarration(lines []string) *transcript {
	tr, began := newTranscript(), map[string]int{} // where in the list a call stands that has not returned yet
	for _, line := range unwrapped(lines) {
		if !clockTime.MatchString(line) {
			tr.plain = append(tr.plain, plainLine(line))
			continue
		}
		line = strings.TrimSpace(line[len("15:04:05.000"):])
		port := ""
		if m := portTag.FindString(line); m != "" {
			port, line = strings.TrimSpace(m), line[len(m):]
		}
		side := "own"
		for _, name := range sideNames {
			if rest, ok := strings.CutPrefix(line, name+": "); ok {
				side, line = name, rest
			}
		}
		state, _, _ := strings.Cut(line, "  ")
		if m := stateLine.FindStringSubmatch(state); m != nil {
			if m[2] != "" || strings.HasPrefix(state, "first seen ") {
				tr.state(side, port, m[2], m[3])
			}
		} else if callLine.MatchString(line) {
			// Two of the client's threads make calls: what they return may come in either order.
			key := side + tr.number(port)
			if i, ok := began[key+which(line)]; ok {
				delete(began, key+which(line))
				tr.calls[key][i] = normalCall(tr.whole(side+port, line))
				continue
			}
			tr.call(key, tr.whole(side+port, line))
		} else if entryLine.MatchString(line) {
			tr.enter(side+port, line)
			key := side + tr.number(port)
			began[key+which(line)] = len(tr.calls[key])
			tr.calls[key] = append(tr.calls[key], "")
		} else {
			tr.check(side, line) // a note: what is told
		}
	}
	for key, calls := range tr.calls {
		tr.calls[key] = slices.DeleteFunc(calls, func(c string) bool { return c == "" })
	}
	return tr
}

var portTag = regexp.MustCompile(`^:\d+ +`)

// unwrapped are the plain client's and server's lines, one for each event, with what went on below on a terminal.
func unwrapped(lines []string) (whole []string) {
	below := strings.Repeat(" ", len("15:04:05.000  "))
	for _, line := range lines {
		if last := len(whole) - 1; last >= 0 && strings.HasPrefix(line, below) && clockTime.MatchString(whole[last]) {
			whole[last] += "  " + strings.TrimSpace(line)
		} else {
			whole = append(whole, line)
		}
	}
	return whole
}
