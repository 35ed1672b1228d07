// Package merge makes one timeline of two records of the same run: the client's terminal's and the server's.
//
// The two are known to belong together by the addresses of a connection. What each side did and saw is taken from its
// own record. Where both were made by one kernel they have one clock; else the difference of the clocks lies between
// what every cause and its effect allow.
package merge

import (
	"errors"
	"fmt"
	"io"
	"time"

	"socklife/internal/record"
	"socklife/internal/timeline"
)

// Merged is a timeline of both sides.
type Merged struct {
	About  *timeline.Record
	events []timeline.Event
	after  error // what was wrong with the records, said when all was shown
}

// Next is the next event.
func (m *Merged) Next() (e timeline.Event, err error) {
	if len(m.events) > 0 {
		e, m.events = m.events[0], m.events[1:]
		return e, nil
	}
	if m.after != nil {
		return e, m.after
	}
	return e, io.EOF
}

// half is one terminal's record.
type half struct {
	side   timeline.Side
	name   string
	about  *timeline.Record
	events []timeline.Event
}

// most is how many events a record may have: both are held in memory.
const most = 1_000_000

// Merge reads two records, in either order.
func Merge(a, b *record.Reader) (*Merged, error) {
	client, server, err := roles(a, b)
	if err != nil {
		return nil, err
	}
	m := &Merged{}
	c, err := m.load(client, timeline.Client)
	if err != nil {
		return nil, err
	}
	s, err := m.load(server, timeline.Server)
	if err != nil {
		return nil, err
	}
	found, err := match(c, s)
	if err != nil {
		return nil, err
	}
	m.join(c, s, found)
	return m, nil
}

// roles tells whose record is whose.
func roles(a, b *record.Reader) (client, server *record.Reader, err error) {
	for _, r := range []*record.Reader{a, b} {
		switch {
		case r.About.Format == 0:
			return nil, nil, fmt.Errorf("%s: it does not say whose it is: only what --record has written becomes one timeline with another", r.Name)
		case r.About.Has(timeline.Host):
			return nil, nil, fmt.Errorf("%s: it is of a watch, which has all that was seen: echoc replay %[1]s", r.Name)
		case r.About.Both():
			return nil, nil, fmt.Errorf("%s: it has both sides already: echoc replay %[1]s", r.Name)
		}
	}
	if a.About.Has(timeline.Server) {
		a, b = b, a
	}
	switch {
	case a.About.Has(timeline.Server):
		return nil, nil, fmt.Errorf("%s and %s are both the server's: want one of the client's terminal and one of the server's", b.Name, a.Name)
	case b.About.Has(timeline.Client):
		return nil, nil, fmt.Errorf("%s and %s are both the client's: want one of the client's terminal and one of the server's", a.Name, b.Name)
	case a.About.Title != b.About.Title:
		return nil, nil, fmt.Errorf("%s and %s do not belong together: one is of %s, the other of %s", a.Name, b.Name, what(a), what(b))
	}
	return a, b, nil
}

// what a record is of.
func what(r *record.Reader) string {
	if r.About.Title == "" {
		return "no scenario"
	}
	return r.About.Title
}

// load reads a record. What is wrong at its end is said later: what came before is good.
func (m *Merged) load(r *record.Reader, side timeline.Side) (*half, error) {
	h := &half{side: side, name: r.Name, about: r.About}
	for {
		e, err := r.Next()
		if err == io.EOF {
			return h, nil
		}
		if err != nil {
			m.after = errors.Join(m.after, err)
			return h, nil
		}
		if len(h.events) == most {
			return nil, fmt.Errorf("%s: it has more than %d events, too many to become one timeline with others", r.Name, most)
		}
		h.events = append(h.events, e)
	}
}

// join puts both in one order, and says above it how that was found.
func (m *Merged) join(c, s *half, found *matched) {
	client, server := newLane(c.side, own(c, c.events)), newLane(s.side, own(s, found.run))
	needs := causes(client, server)
	segmentsOnce(client, server)
	says := "same kernel: one clock"
	if sameBoot(c, s) {
		needs = plausible(needs)
	} else {
		var ahead time.Duration
		ahead, says = offset(needs)
		server.shift(-ahead)
	}
	all := weave(client, server, needs)
	summary := together(c.events, found.run)
	if summary != nil {
		summary.Checks, summary.Failed = checks(all)
	}
	m.events = number(found.says(c, s)+"; "+says, all, summary)
	about := *c.about
	about.Sides = []timeline.Side{timeline.Client, timeline.Server}
	about.Segments = c.about.Segments || s.about.Segments
	about.ClientLabel, about.Alone, about.ServerSource = "", "", s.about.ServerSource
	if about.ServerLabel = "server"; found.server.IsValid() {
		about.ServerLabel += " " + found.server.String()
	}
	m.About = &about
}

func sameBoot(c, s *half) bool { return c.about.Boot != "" && c.about.Boot == s.about.Boot }

// together is the end of both sides' runs; nil if neither came to it.
func together(client, server []timeline.Event) *timeline.Summary {
	c, s := last(client), last(server)
	whose := "client: "
	switch {
	case c == nil && s == nil:
		return nil
	case c == nil:
		c, whose = s, "server: "
	case s == nil:
		s = c
	}
	sum := *c
	sum.OK = c.OK && s.OK
	if sum.Why == "" && s.Why != "" {
		sum.Why = "server: " + s.Why
	} else if sum.Why != "" && sum.Why != timeline.Interrupted {
		sum.Why = whose + c.Why
	}
	if sum.Options == "" {
		sum.Options = s.Options
	}
	return &sum
}

// checks counts them.
func checks(all []*item) (n, failed int) {
	for _, it := range all {
		if b, ok := it.Body.(*timeline.Check); ok {
			if n++; !b.OK {
				failed++
			}
		}
	}
	return n, failed
}

func last(events []timeline.Event) (sum *timeline.Summary) {
	for _, e := range events {
		if b, ok := e.Body.(*timeline.Summary); ok {
			sum = b
		}
	}
	return sum
}
