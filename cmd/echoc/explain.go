package main

import (
	"fmt"
	"io"
	"strings"

	"socklife/internal/cli"
	"socklife/internal/explain"
	"socklife/internal/scenario"
	"socklife/internal/view"
	"socklife/tcpinfo"
)

// shownBy is the scenario to see each state in, held still.
var shownBy = map[tcpinfo.State]string{
	tcpinfo.Closed: "shutdown-listener", tcpinfo.Listen: "handshake", tcpinfo.SynSent: "backlog", tcpinfo.SynReceived: "syn-queue",
	tcpinfo.Established: "handshake", tcpinfo.FinWait1: "fin-wait-1", tcpinfo.FinWait2: "half-close",
	tcpinfo.CloseWait: "half-close", tcpinfo.Closing: "simultaneous-close", tcpinfo.LastAck: "last-ack",
	tcpinfo.TimeWait: "time-wait",
}

// explainWord says what a state waits for, who must act, how long, and what governs it; or what makes a counter rise.
func explainWord(w io.Writer, word string) error {
	if state, err := tcpinfo.ParseState(word); err == nil {
		state, _ = tcpinfo.ParseState(state.String()) // the RFC's, of those that only the kernel tells apart
		explainState(w, state)
		return nil
	}
	if name, says := explain.Counter(word); name != "" {
		fmt.Fprintf(w, "%s  (a counter of the whole network namespace)\n\n", name)
		explainRows(w, [][2]string{{"counts", says}, {"see it", "nstat -az '*" + name + "'"}})
		return nil
	}
	states := stateNames()
	if near := scenario.NearestOf(word, append(states, explain.Counters()...)); near != "" {
		return cli.Usagef("--explain %s: did you mean %s?", word, near)
	}
	return cli.Usagef("--explain %s: not a state, nor a counter that is explained; want one of %s, or a name that nstat -az shows",
		word, strings.Join(states, " "))
}

func explainState(w io.Writer, state tcpinfo.State) {
	e := explain.State(state)
	fmt.Fprintf(w, "%s  (ss: %s, kernel: %s)\n\n", state, state.SS(), state.Kernel())
	explainRows(w, [][2]string{
		{"waits for", e.Waits}, {"who must act", e.Who}, {"what ends it", e.Act}, {"how long", e.Lasts},
		{"governed by", strings.Join(e.Governs, ", ")}, {"see it", "echoc --hold 5s " + shownBy[state]},
	})
}

func explainRows(w io.Writer, rows [][2]string) {
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(view.Wrap(fmt.Sprintf("  %-13s %s", row[0], row[1]), view.DefaultWidth, 16), "\n"))
	}
}

func stateNames() (names []string) {
	for s := tcpinfo.Established; s <= tcpinfo.Closing; s++ {
		names = append(names, s.String())
	}
	return names
}
