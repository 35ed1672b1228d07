// Package scenario holds the lessons. Each is one file with both sides in it: what the server calls, what the client
// calls, and what the kernel must then say, from top to bottom. echod runs the one half, echoc the other, and embedded
// mode both; the sides meet over the connection itself, or by waiting for a state of the kernel, never through memory
// they share, so the same code runs in one process, in two terminals and on two hosts.
//
// The words a lesson is written in are those of [Side] and [Conn]: the calls of the sockets API, which end the run if
// they fail, their Try forms, which hand the error over, and Expect and Check, which say what must be.
package scenario

import (
	"math"
	"strings"
)

// Group is the part of a connection's life that a scenario is about.
type Group string

const (
	Opening   Group = "Opening"
	Closing   Group = "Closing"
	Addresses Group = "Addresses"
	Failure   Group = "Failure"
)

// Groups in the order of a connection's life.
var Groups = []Group{Opening, Closing, Addresses, Failure}

// Scenario is one lesson.
type Scenario struct {
	Name   string
	Group  Group
	Lesson string // what it shows, in one line
	Source string // the RFC section or man page that says so
	Many   bool   // more than one connection: the view says which one a state belongs to

	Server func(*Side) // one run of the server's side
	Client func(*Side) // one run of the client's side

	// On the wire: what is prepared before the sides begin, what the wire does while they play. OnlyWire: there is no
	// other form of it. Injects: the wire delivers segments of its own, which a user's hand cannot.
	Prepare           func(*Wire)
	Wire              func(*Wire)
	OnlyWire, Injects bool
}

// All returns the scenarios, by group and in the order a user meets them.
func All() []*Scenario { return catalogue }

// Find returns the scenario of that name, or nil.
func Find(name string) *Scenario {
	for _, s := range catalogue {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Nearest returns the name that somebody who typed name most likely meant, or "" if nothing is near.
func Nearest(name string) string {
	names := make([]string, 0, len(catalogue))
	for _, s := range catalogue {
		names = append(names, s.Name)
	}
	return NearestOf(name, names)
}

// NearestOf is Nearest among other names, whatever their case.
func NearestOf(name string, names []string) (nearest string) {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "-")) }
	least := math.MaxInt
	for _, n := range names {
		if d := distance(plain(name), plain(n)); d < least && d <= 1+len(n)/3 {
			nearest, least = n, d
		}
	}
	return nearest
}

// distance is how many letters must be added, dropped or changed to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
