package main

import (
	"fmt"
	"io"
	"strings"

	"socklife/docs"
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

// explainer writes what is known of a word.
type explainer struct {
	w io.Writer
	o view.Options
}

func (e *explainer) scenario(name string) { io.WriteString(e.w, view.Page(docs.Scenario(name), e.o)) }

func (e *explainer) state(name string) {
	state, _ := tcpinfo.ParseState(name)
	s := explain.State(state)
	e.head(state.String(), fmt.Sprintf("ss: %s, kernel: %s", state.SS(), state.Kernel()))
	e.rows([]row{
		{"waits for", s.Waits}, {"who must act", s.Who}, {"what ends it", s.Act}, {"how long", s.Lasts},
		{"governed by", strings.Join(s.Governs, ", ")}, {"see it", "echoc --hold 5s " + shownBy[state]},
	})
}

func (e *explainer) counter(name string) {
	_, says := explain.Counter(name)
	e.head(name, "a counter of the whole network namespace")
	e.rows([]row{{"counts", says}, {"see it", "nstat -az '*" + name + "'"}})
}

func (e *explainer) errno(name string) {
	n := explain.FindErrno(name)
	e.head(n.Name, n.Means)
	var rows []row
	for _, why := range n.Calls {
		rows = append(rows, row{why.Calls, why.Why})
	}
	e.rows(append(rows, row{"governed by", strings.Join(n.Governs, ", ")}, row{"see it", commands(n.Seen)}))
}

func (e *explainer) timers(word string) {
	for i, t := range explain.FindTimers(word) {
		if i > 0 {
			fmt.Fprintln(e.w)
		}
		kernel := "ss and the kernel do not show it"
		if t.Kernel != "" {
			kernel = "a timer; in ss and in a run: timer " + t.Kernel
		}
		e.head(t.Name, kernel)
		e.rows([]row{{"does", t.Does}, {"how long", t.Lasts}, {"governed by", strings.Join(t.Governs, ", ")}, {"see it", t.Seen}})
	}
}

func (e *explainer) option(name string) {
	o := explain.FindOption(name)
	e.head(o.Name, "a socket option")
	e.rows([]row{{"does", o.Does}, {"when", o.When}, {"default", o.Default}, {"described in", o.Man}, {"see it", commands([]string{o.Seen})}})
}

func (e *explainer) sysctl(name string) {
	s := explain.FindSysctl(name)
	e.head(s.Name, "a sysctl")
	scope, ask := "each network namespace", "sysctl "+s.Name
	if s.Host {
		scope = "the whole host"
	}
	if s.Gone() {
		scope, ask = "", ""
	}
	e.rows([]row{
		{"changes", s.Does}, {"default", s.Value()}, {"belongs to", scope}, {"Linux", s.Since}, {"here", ask}, {"see it", commands([]string{s.Seen})},
	})
}

func (e *explainer) call(name string) {
	c := explain.FindCall(name)
	e.head(c.Name+"()", strings.Join(append([]string{"a call; " + c.Man}, c.Also...), ", "))
	e.rows([]row{{"does", c.Does}, {"in TCP", c.Sends}, {"returns", c.Returns}, {"may fail with", strings.Join(c.Errors(), ", ")}, {"see it", commands([]string{c.Seen})}})
}

// commands are the runs that show something.
func commands(scenarios []string) string {
	var list []string
	for _, name := range scenarios {
		if sc := scenario.Find(name); sc != nil && sc.OnlyWire {
			list = append(list, "echoc\u00a0--wire\u00a0"+name)
		} else if sc != nil {
			list = append(list, "echoc\u00a0"+name)
		}
	}
	return strings.Join(list, ", ")
}

func (e *explainer) head(name, more string) {
	e.wrapped(name+"  ("+more+")", 2)
	fmt.Fprintln(e.w)
}

// row is what it is that is said, and what is said.
type row struct{ what, says string }

const rowIndent = 16 // where the second column begins

// rows leaves out those that say nothing.
func (e *explainer) rows(rows []row) {
	for _, r := range rows {
		switch {
		case r.says == "":
		case len(r.what) > rowIndent-3:
			e.wrapped("  "+r.what, 4)
			e.wrapped(strings.Repeat(" ", rowIndent)+r.says, rowIndent)
		default:
			e.wrapped(fmt.Sprintf("  %-*s%s", rowIndent-2, r.what, r.says), rowIndent)
		}
	}
}

func (e *explainer) wrapped(line string, hang int) {
	fmt.Fprintln(e.w, strings.Join(view.Wrap(line, max(e.o.Width, 32), hang), "\n"))
}

func (e *explainer) finding(name string) {
	f := explain.FindFinding(name)
	e.head(f.Name, "what echoc watch finds")
	e.rows([]row{
		{"means", f.Means}, {"who must act", f.Who}, {"what to do", f.Do}, {"in ss", f.Sees},
		{"read on", "echoc\u00a0--explain\u00a0" + f.Word}, {"see it", commands([]string{f.Seen})},
	})
}
