package survey

import (
	"cmp"
	"fmt"
	"slices"

	"socklife/internal/diagnose"
	"socklife/internal/explain"
)

// Entry is a connection, or a listener: both ends where both were asked for and are on this host.
type Entry struct {
	*Socket         // the end with the worse finding
	Peer    *Socket // the other, if it was asked for, too
}

// Group is what has the same the matter with it, of the same processes.
type Group struct {
	diagnose.Finding
	State   string // of all of them; "" if they differ
	Where   string // at 127.0.0.1:8080, to 10.0.0.5:443
	Entries []Entry
}

// Entries are the sockets of a turn, the ends of a connection together.
func (t *Turn) Entries() (list []Entry) {
	by := make(map[*diagnose.Facts]*Socket, len(t.Sockets))
	for _, s := range t.Sockets {
		by[s.Facts] = s
	}
	for _, s := range t.Sockets {
		peer := by[s.Other]
		switch {
		case peer == nil, peer == s, peer.Other != s.Facts: // a third may have the same addresses, in another place
			list = append(list, Entry{Socket: s})
		case worse(s, peer):
			list = append(list, Entry{s, peer})
		}
	}
	return list
}

// worse says which end of a connection it is about; of two that are equal, the server's.
func worse(s, peer *Socket) bool {
	switch {
	case s.Finding.Grade != peer.Finding.Grade:
		return s.Finding.Grade > peer.Finding.Grade
	case s.rank() != peer.rank():
		return s.rank() < peer.rank()
	}
	return s.Server && !peer.Server || s.Server == peer.Server && s.Number < peer.Number
}

// rank orders what is equally bad: first where a process here is to blame, as the other end only shows the effect.
func (s *Socket) rank() int {
	switch {
	case s.Finding.Grade > diagnose.Healthy && s.Finding.By != "":
		return 0
	case s.Finding.Grade > diagnose.Healthy:
		return 1
	case s.Finding.Name == "open" || s.Finding.Name == "closed-first":
		return 3
	}
	return 2
}

// Groups are the entries by what is the matter with them: what is worst comes first.
func Groups(entries []Entry) (list []*Group) {
	type key struct {
		name, state, all, says, where string
		grade                         diagnose.Grade
	}
	by := map[key]*Group{}
	for _, e := range entries {
		f := e.Finding
		k := key{f.Name, e.State.String(), f.All, f.Says, e.Place(), f.Grade}
		g := by[k]
		if g == nil {
			g = &Group{Finding: f, State: k.state, Where: k.where}
			by[k] = g
			list = append(list, g)
		}
		g.Entries = append(g.Entries, e)
	}
	for _, g := range list {
		slices.SortStableFunc(g.Entries, func(a, b Entry) int { return cmp.Compare(b.For, a.For) })
	}
	sortGroups(list)
	return list
}

// rank is a finding's place among all.
func rank(name string) int {
	return slices.IndexFunc(explain.Findings(), func(f explain.Finding) bool { return f.Name == name })
}

func sortGroups(list []*Group) {
	slices.SortStableFunc(list, func(a, b *Group) int {
		return cmp.Or(-cmp.Compare(a.Grade, b.Grade), rank(a.Name)-rank(b.Name), len(b.Entries)-len(a.Entries), cmp.Compare(a.Where, b.Where))
	})
}

// Place is what several connections have in common: the server's address.
func (s *Socket) Place() string {
	switch {
	case s.Server:
		return fmt.Sprintf("at %v", s.Local)
	case s.Remote.Port() != 0:
		return fmt.Sprintf("to %v", s.Remote)
	}
	return fmt.Sprintf("at %v", s.Local)
}

// Fold makes no more than so many groups: those with the same the matter become one, wherever they are and whoever has
// them, from the last to the first.
func Fold(list []*Group, most int) []*Group {
	if len(list) <= most {
		return list
	}
	byName := map[string][]*Group{}
	for _, g := range list {
		k := g.Grade.String() + " " + g.Name
		byName[k] = append(byName[k], g)
	}
	left := len(list)
	folded := map[*Group]bool{}
	var all []*Group
	for i := len(list) - 1; i >= 0; i-- {
		g := list[i]
		if folded[g] {
			continue
		}
		same := byName[g.Grade.String()+" "+g.Name]
		if left <= most || len(same) < 2 {
			all = append(all, g)
			continue
		}
		one := &Group{Finding: g.Finding, State: g.State}
		one.common(same)
		for _, x := range same {
			folded[x] = true
			if one.Entries = append(one.Entries, x.Entries...); x.State != one.State {
				one.State = ""
			}
		}
		left -= len(same) - 1
		all = append(all, one)
	}
	sortGroups(all)
	return all
}

// common keeps of a finding what several groups have in common.
func (g *Group) common(list []*Group) {
	differs := func(of func(*Group) string) bool {
		return slices.ContainsFunc(list, func(x *Group) bool { return of(x) != of(list[0]) })
	}
	says := explain.FindFinding(g.Name)
	if says == nil { // in a newer program's record
		says = &explain.Finding{Means: "this program does not know what that is; --json has what is said of each", Who: "--json says of each"}
	}
	g.By = ""
	if differs(func(x *Group) string { return x.Who }) {
		g.Who = says.Who
	}
	switch {
	case differs(func(x *Group) string { return x.Says }):
		g.All, g.Says = "", says.Means
	case g.All != "" && differs(func(x *Group) string { return x.All }):
		names := map[string]bool{}
		for _, x := range list {
			names[x.All] = true
		}
		g.All = fmt.Sprintf("each of %d processes", len(names))
	}
}

// Tally is how many there are of what.
type Tally struct {
	Sockets                 int
	Stuck, Waiting, Healthy int
	States                  map[string]int
}

// Tally counts a turn's sockets.
func (t *Turn) Tally() Tally {
	c := Tally{Sockets: len(t.Sockets), States: map[string]int{}}
	for _, s := range t.Sockets {
		switch s.Finding.Grade {
		case diagnose.Stuck:
			c.Stuck++
		case diagnose.Waiting:
			c.Waiting++
		default:
			c.Healthy++
		}
		c.States[s.State.String()]++
	}
	return c
}
