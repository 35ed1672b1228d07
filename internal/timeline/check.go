package timeline

import (
	"strings"

	"socklife/tcpinfo"
)

// Joined are the names of some states.
func Joined(states []tcpinfo.State, sep string) string {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = s.String()
	}
	return strings.Join(names, sep)
}

// Expecting is what a check of a state expects: one of these, and why.
func Expecting(why string, states ...tcpinfo.State) string {
	return Joined(states, " or ") + ": " + why
}

// States are those of which a check expects one, and why; none of a check of something else.
func (b *Check) States() (states []tcpinfo.State, why string) {
	names, why, _ := strings.Cut(b.Expect, ": ")
	for name := range strings.SplitSeq(names, " or ") {
		state, _ := tcpinfo.ParseState(name)
		states = append(states, state)
	}
	if b.Expect != Expecting(why, states...) {
		return nil, ""
	}
	return states, why
}
