// Package contrast lays two runs beside each other and says which events of one the other does not have: another call,
// another result, another state, another segment. What differs from run to run anyway, ports, descriptors, times and
// what was passed between two looks, is no difference.
package contrast

import (
	"slices"

	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// Differs has the numbers (Seq) of the events that the other run does not have.
type Differs map[int64]bool

// Of compares two runs, the events of each in their order. Each side's events are compared with the same side's: which
// of two ends was a microsecond faster is no difference.
func Of(a, b []timeline.Event) (inA, inB Differs) {
	inA, inB = Differs{}, Differs{}
	for _, side := range []timeline.Side{timeline.Client, timeline.Server, timeline.Wire} {
		ofA, ofB := keysOf(a, side), keysOf(b, side)
		onlyA, onlyB := elsewhere(missing(ofA, ofB))
		inA.add(onlyA, b, side)
		inB.add(onlyB, a, side)
	}
	inA.entries(a)
	inB.entries(b)
	return inA, inB
}

// keyed is an event and what it is compared by.
type keyed struct {
	timeline.Event
	key string
}

func keysOf(events []timeline.Event, side timeline.Side) (list []keyed) {
	for _, e := range events {
		if l := timeline.LabelOf(e.Body); e.Side != side || l != nil && l.Aside {
			continue
		}
		if k := key(e.Body); k != "" {
			list = append(list, keyed{e, k})
		}
	}
	return list
}

// add marks those events that are really different: not a state that the other run passed unseen.
func (d Differs) add(only []keyed, other []timeline.Event, side timeline.Side) {
	for _, e := range only {
		if s, ok := e.Body.(*timeline.State); !ok || !passedUnseen(s, other, side) {
			d[e.Seq] = true
		}
	}
}

// passedUnseen says whether a socket of that side may have been in the state of s between two looks.
func passedUnseen(s *timeline.State, other []timeline.Event, side timeline.Side) bool {
	return slices.ContainsFunc(other, func(e timeline.Event) bool {
		o, ok := e.Body.(*timeline.State)
		if !ok || e.Side != side || o.How.Aborted() {
			return false
		}
		from := o.From
		if from == 0 {
			from = tcpinfo.Listen
		}
		return slices.ContainsFunc(rfc9293.Ways(from, o.To), func(way []tcpinfo.State) bool { return slices.Contains(way, s.To) })
	})
}

// entries marks where a call entered the kernel whose return is marked.
func (d Differs) entries(events []timeline.Event) {
	calls := map[int64]int64{}
	for _, e := range slices.Backward(events) {
		switch b := e.Body.(type) {
		case *timeline.Call:
			calls[b.ID] = e.Seq
		case *timeline.Enter:
			if seq, returned := calls[b.ID]; returned && d[seq] {
				d[e.Seq] = true
			}
			delete(calls, b.ID)
		}
	}
}

// elsewhere leaves out what both runs have, one a little earlier than the other: a call and what another socket does
// meanwhile come in any order.
func elsewhere(a, b []keyed) (onlyA, onlyB []keyed) {
	n := map[string]int{}
	for _, e := range b {
		n[e.key]++
	}
	for _, e := range a {
		if n[e.key] > 0 {
			n[e.key]--
		} else {
			onlyA = append(onlyA, e)
		}
	}
	for _, e := range slices.Backward(b) {
		if n[e.key] > 0 {
			n[e.key]--
			onlyB = append(onlyB, e)
		}
	}
	return onlyA, onlyB
}

// most is how many pairs of events are compared at most: of longer runs all is marked that is not at the beginning or
// the end of both.
const most = 25_000_000

// missing are the events of each that are not in the longest sequence that both have in common.
func missing(a, b []keyed) (onlyA, onlyB []keyed) {
	for len(a) > 0 && len(b) > 0 && a[0].key == b[0].key {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1].key == b[len(b)-1].key {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a)*len(b) > most {
		return a, b
	}
	longest := make([][]int32, len(a)+1) // of a[i:] and b[j:]
	for i := range longest {
		longest[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if longest[i][j] = max(longest[i+1][j], longest[i][j+1]); a[i].key == b[j].key {
				longest[i][j] = longest[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i].key == b[j].key:
			i, j = i+1, j+1
		case longest[i+1][j] >= longest[i][j+1]:
			onlyA = append(onlyA, a[i])
			i++
		default:
			onlyB = append(onlyB, b[j])
			j++
		}
	}
	return append(onlyA, a[i:]...), append(onlyB, b[j:]...)
}
