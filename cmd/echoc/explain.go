package main

import (
	"fmt"
	"io"
	"strings"

	"socklife/internal/cli"
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

// explain says what a state waits for, who must act, how long, and what governs it.
func explain(w io.Writer, name string) error {
	state, err := tcpinfo.ParseState(strings.ToUpper(name))
	if err != nil {
		return cli.Usagef("--explain %s: not a state; want one of %s", name, strings.Join(stateNames(), " "))
	}
	e := state.Explain()
	fmt.Fprintf(w, "%s  (ss: %s, kernel: %s)\n\n", e.State, e.State.SS(), e.State.Kernel())
	for _, row := range [][2]string{
		{"waits for", e.Waits}, {"who must act", e.Who.String()}, {"what ends it", e.Act}, {"how long", e.Lasts},
		{"governed by", strings.Join(e.Governs, ", ")},
	} {
		fmt.Fprintln(w, strings.Join(view.Wrap(fmt.Sprintf("  %-13s %s", row[0], row[1]), view.DefaultWidth, 16), "\n"))
	}
	if sc := shownBy[e.State]; sc != "" {
		fmt.Fprintf(w, "  %-13s echoc --hold 5s %s\n", "see it", sc)
	}
	return nil
}

func stateNames() (names []string) {
	for s := tcpinfo.Established; s <= tcpinfo.Closing; s++ {
		names = append(names, s.String())
	}
	return names
}
