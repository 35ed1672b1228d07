package contrast

import (
	"fmt"
	"slices"
	"strings"

	"socklife/internal/timeline"
)

// Failed are the calls of one side that failed, each once, as "read() ECONNRESET", in their order.
func Failed(events []timeline.Event, side timeline.Side) (list []string) {
	for _, e := range events {
		if b, ok := e.Body.(*timeline.Call); ok && e.Side == side && !b.Aside && b.Errno != "" && b.Errno != "EINTR" {
			list = once(list, b.Call+"() "+b.Errno)
		}
	}
	return list
}

// Unmet is how many checks were not met, of how many.
func Unmet(events []timeline.Event) []string {
	unmet, all := 0, 0
	for _, e := range events {
		if b, ok := e.Body.(*timeline.Check); ok {
			if all++; !b.OK {
				unmet++
			}
		}
	}
	if unmet == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d", unmet, all)}
}

// Moved is how many bytes one side's calls have written and read.
func Moved(events []timeline.Event, side timeline.Side) []string {
	sum := map[string]int{}
	for _, e := range events {
		if b, ok := e.Body.(*timeline.Call); ok && e.Side == side && !b.Aside && b.Ret > 0 && slices.Contains(moves, b.Call) {
			sum[b.Call] += b.Ret
		}
	}
	var list []string
	for _, call := range moves {
		if sum[call] > 0 {
			list = append(list, fmt.Sprintf("%s() %d", call, sum[call]))
		}
	}
	return list
}

// Counted are the counters that rose, with by how much in all.
func Counted(events []timeline.Event) (list []string) {
	sum := map[string]int64{}
	for _, e := range events {
		if b, ok := e.Body.(*timeline.Counter); ok {
			sum[b.Name] += b.Delta
		}
	}
	for name, n := range sum {
		list = append(list, fmt.Sprintf("%s %+d", name, n))
	}
	slices.Sort(list)
	return list
}

func once(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// Table is what two runs came to, in rows: those in which they differ. ways are the paths of states of one side.
func Table(nameA, nameB string, a, b []timeline.Event, ways func([]timeline.Event, timeline.Side) []string) *timeline.Table {
	t := &timeline.Table{Title: "what differs in the end", Head: []string{"", nameA, nameB}}
	row := func(what string, of func([]timeline.Event) []string) {
		if inA, inB := of(a), of(b); !slices.Equal(inA, inB) {
			t.Rows = append(t.Rows, []string{what, said(inA), said(inB)})
		}
	}
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		row(string(side)+"'s states", func(e []timeline.Event) []string { return ways(e, side) })
		row(string(side)+"'s bytes", func(e []timeline.Event) []string { return Moved(e, side) })
		row(string(side)+"'s calls that fail", func(e []timeline.Event) []string { return Failed(e, side) })
	}
	row("counters", Counted)
	row("checks not met", Unmet)
	return t
}

// Outcome is what a run came to, in one line: where each side's connections ended, and which calls failed.
func Outcome(events []timeline.Event) string {
	var sides []string
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		ends := ends(events, side)
		if len(ends) == 0 {
			continue
		}
		says := string(side) + " " + strings.Join(ends, " and ")
		if failed := Failed(events, side); len(failed) > 0 {
			says += " (" + strings.Join(failed, ", ") + ")"
		}
		sides = append(sides, says)
	}
	return strings.Join(sides, "; ")
}

// ends are the states in which a side's connections were seen last, each once.
func ends(events []timeline.Event, side timeline.Side) (list []string) {
	last, order := map[int]*timeline.State{}, []int(nil)
	for _, e := range events {
		b, ok := e.Body.(*timeline.State)
		if !ok || e.Side != side || b.Aside || !b.Remote.IsValid() {
			continue
		}
		if last[b.Socket] == nil {
			order = append(order, b.Socket)
		}
		last[b.Socket] = b
	}
	for _, n := range order {
		says := last[n].To.String()
		if last[n].How.Aborted() {
			says += ", aborted"
		}
		list = once(list, says)
	}
	return list
}

func said(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, "; ")
}
