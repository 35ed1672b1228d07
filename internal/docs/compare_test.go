package docs

import (
	"fmt"
	"maps"
	"slices"

	"socklife/internal/rfc9293"
	"socklife/tcpinfo"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// difference is what is in one transcript and not in the other, in words; "" if they tell the same.
func (tr *transcript) difference(other *transcript) string {
	for _, side := range union(tr.calls, other.calls) {
		if d := listDifference(tr.calls[side], other.calls[side]); d != "" {
			return fmt.Sprintf("%s's calls: %s", side, d)
		}
	}
	for _, side := range union(tr.checks, other.checks) {
		if d := setDifference(tr.checks[side], other.checks[side]); d != "" {
			return fmt.Sprintf("%s's checks: %s", side, d)
		}
	}
	for _, side := range union(tr.sockets, other.sockets) {
		a, b := tr.sockets[side], other.sockets[side]
		for _, key := range union(a, b) {
			if !sameLife(a[key], b[key]) {
				return fmt.Sprintf("%s's %s: the block has %v, the run %v", side, key, a[key], b[key])
			}
		}
	}
	for _, side := range union(tr.segments, other.segments) {
		if d := listDifference(tr.segments[side], other.segments[side]); d != "" {
			return fmt.Sprintf("%s's segments: %s", side, d)
		}
	}
	if tr.end != other.end {
		return fmt.Sprintf("the block ends with %q, the run with %q", tr.end, other.end)
	}
	return listDifference(tr.plain, other.plain)
}

// notIn is what is in the transcript of a part and not, in that order, in the run's; "" if all of it is.
func (tr *transcript) notIn(run *transcript) string {
	for _, side := range sortedKeys(tr.calls) {
		if !inOrder(tr.calls[side], run.calls[side]) {
			return fmt.Sprintf("%s's calls: the run does not have these in this order: %v", side, tr.calls[side])
		}
	}
	for _, side := range sortedKeys(tr.checks) {
		for _, c := range tr.checks[side] {
			if !slices.Contains(run.checks[side], c) {
				return fmt.Sprintf("%s's checks: not in the run: %s", side, c)
			}
		}
	}
	for _, side := range sortedKeys(tr.sockets) {
		for _, key := range sortedKeys(tr.sockets[side]) {
			if chain := tr.sockets[side][key]; !partOfALife(chain, run.sockets[side]) {
				return fmt.Sprintf("%s's %s: no socket of the run went through %v", side, key, chain)
			}
		}
	}
	for _, side := range sortedKeys(tr.segments) {
		if !inOrder(tr.segments[side], run.segments[side]) {
			return fmt.Sprintf("%s's segments: the run does not have these in this order: %v", side, tr.segments[side])
		}
	}
	if tr.end != "" && tr.end != run.end {
		return fmt.Sprintf("the block ends with %q, the run with %q", tr.end, run.end)
	}
	return ""
}

// partOfALife tells whether one of the sockets went through these states.
func partOfALife(part []string, sockets map[string][]string) bool {
	for _, life := range sockets {
		for i := range life {
			for j := i + 1; j <= len(life); j++ {
				if sameLife(part, life[i:j]) {
					return true
				}
			}
		}
	}
	return false
}

func union[V any](a, b map[string]V) []string {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	return sortedKeys(keys)
}

// setDifference compares what may come in any order; both lists are sorted.
func setDifference(block, run []string) string {
	for len(block) > 0 || len(run) > 0 {
		switch {
		case len(run) == 0 || len(block) > 0 && block[0] < run[0]:
			return "not in the run: " + block[0]
		case len(block) == 0 || run[0] < block[0]:
			return "not in the block: " + run[0]
		}
		block, run = block[1:], run[1:]
	}
	return ""
}

func listDifference(block, run []string) string {
	for i := range max(len(block), len(run)) {
		switch {
		case i >= len(block):
			return fmt.Sprintf("the block lacks no. %d, %s", i+1, run[i])
		case i >= len(run):
			return fmt.Sprintf("the run lacks no. %d, %s", i+1, block[i])
		case block[i] != run[i]:
			return fmt.Sprintf("no. %d is %s in the block and %s in the run", i+1, block[i], run[i])
		}
	}
	return ""
}

// sameLife tells whether two lists of states can be of the same life, seen with more or less luck: what the one has and
// the other does not must be what was passed on the way.
func sameLife(a, b []string) bool {
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			i, j = i+1, j+1
		case i > 0 && passes(a[i-1], b[j:], a[i]) > 0:
			j += passes(a[i-1], b[j:], a[i])
		case j > 0 && passes(b[j-1], a[i:], b[j]) > 0:
			i += passes(b[j-1], a[i:], b[j])
		default:
			return false
		}
	}
	return i == len(a) && j == len(b)
}

// passes is how many of the states lie on a way from one state to another, before that is reached.
func passes(from string, states []string, to string) int {
	n := slices.Index(states, to)
	if n <= 0 {
		return 0
	}
	// An abort is not an orderly end, though that may have been passed unseen. Of CLOSE-WAIT it mostly was.
	if rfc9293.MayAbort(state(from), state(to)) && state(from) != tcpinfo.CloseWait {
		return 0
	}
	for _, way := range ways(from, to) {
		if inOrder(states[:n], way) {
			return n
		}
	}
	return 0
}

// name is "" for none.
func name(s tcpinfo.State) string {
	if s == 0 {
		return ""
	}
	return s.String()
}

func state(name string) tcpinfo.State { s, _ := tcpinfo.ParseState(name); return s }

// ways are rfc9293's, by name.
func ways(from, to string) (named [][]string) {
	for _, way := range rfc9293.Ways(state(from), state(to)) {
		names := []string{}
		for _, s := range way {
			names = append(names, s.String())
		}
		named = append(named, names)
	}
	return named
}

// inOrder tells whether all of some are in the list, in that order.
func inOrder(some, list []string) bool {
	for _, s := range some {
		i := slices.Index(list, s)
		if i < 0 {
			return false
		}
		list = list[i+1:]
	}
	return true
}
