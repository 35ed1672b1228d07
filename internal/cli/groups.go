package cli

import (
	"io"

	"github.com/spf13/pflag"
)

// Group is a heading of the help, with flags below it.
type Group string

const (
	GroupModes     Group = "Modes"
	GroupOutput    Group = "Output"
	GroupPace      Group = "Pace"
	GroupServing   Group = "Serving"
	GroupWatch     Group = "Watch"
	GroupWire      Group = "Wire"
	GroupAddresses Group = "Addresses"
	GroupSockets   Group = "Socket options (set with setsockopt(2) before bind, listen or connect)"
)

// groups are all of them, in the order of the help.
var groups = []Group{GroupModes, GroupOutput, GroupPace, GroupServing, GroupWatch, GroupWire, GroupAddresses, GroupSockets}

func newSet(name string) *pflag.FlagSet {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return fs
}

// In is where the flags of a group are declared. (A flag that is declared in Set belongs to none, which a test finds.)
func (f *Flags) In(g Group) *pflag.FlagSet {
	if f.groups[g] == nil {
		f.groups[g] = newSet(string(g))
	}
	return f.groups[g]
}

// join makes all groups one set.
func (f *Flags) join() {
	for _, g := range groups {
		f.In(g).VisitAll(f.Set.AddFlag)
	}
}
