package view

import (
	"slices"
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// sameLook is how far apart in time two findings may be and still count as found by one look at all sockets.
const sameLook = 2 * time.Millisecond

// finding is what a look found: a socket's state, a listener's queues, or both at once; or a check of it.
type finding struct {
	timeline.Event
	state  *timeline.State
	before *timeline.State // what was known of the same socket
	queue  *timeline.Queue
	check  *timeline.Check
}

// connection is which one it is about; "" goes with any.
func (f *finding) connection() string {
	if f.state == nil {
		return ""
	}
	return port(f.state.Ends().Client(f.Side))
}

// beside says whether a finding may stand on one row with what the other lane has there, if anything.
func (f *finding) beside(others []*finding) bool {
	if others == nil {
		return true
	}
	g := others[0]
	a, b := f.connection(), g.connection()
	return f.near(g) && (f.check == nil) == (g.check == nil) && (a == b || a == "" || b == "")
}

func (f *finding) isQueue() bool { return f.state == nil && f.queue != nil }

func (f *finding) near(g *finding) bool { return (f.At - g.At).Abs() <= sameLook }

// lane is where a side stands: the client left, as in the textbook's figure.
func lane(s timeline.Side) int {
	if s == timeline.Server {
		return 1
	}
	return 0
}

// row is what stands side by side: of each lane, one finding or several below each other.
type row [2][]*finding

// pairs are the findings since the last call, one of each lane in a row. What one look found of the two ends of a
// connection stands side by side, and so do the checks of it; within a lane the order is kept.
type pairs []row

func (p *pairs) add(f *finding) {
	own, other := lane(f.Side), 1-lane(f.Side)
	last := -1
	for i, r := range *p {
		if r[own] != nil {
			last = i
		}
	}
	if last >= 0 {
		before := (*p)[last][own]
		if f.belongsTo(before[0]) {
			before[0].queue = f.queue
			return
		}
		// The connection comes before the queue that it is counted in, so that it stands beside its other end.
		if before[0].isQueue() && f.state != nil && f.near(before[0]) && f.beside((*p)[last][other]) {
			before[0], f = f, before[0]
		}
	}
	for i := last + 1; i < len(*p); i++ {
		if f.beside((*p)[i][other]) {
			(*p)[i][own] = []*finding{f}
			return
		}
	}
	var r row
	r[own] = []*finding{f}
	*p = append(*p, r)
}

// belongsTo says whether f is the queues of the listener that a look has just found.
func (f *finding) belongsTo(listener *finding) bool {
	return f.isQueue() && listener.state != nil && listener.queue == nil && listener.state.To == tcpinfo.Listen &&
		listener.state.Local == f.queue.Local && f.near(listener)
}

// rows puts a finding with nothing beside it below the one before it in its lane, where a row of its own would leave a
// hole.
func (p pairs) rows() (rows []row) {
	for _, r := range p.inTime() {
		if n := len(rows); n > 0 && rows[n-1].takes(r) {
			i := lane(r.first().Side)
			rows[n-1][i] = append(rows[n-1][i], r[i]...)
		} else {
			rows = append(rows, r)
		}
	}
	return rows
}

// inTime has rows change places where the lower one was found first, and has nothing in the lane of the other.
func (p pairs) inTime() pairs {
	p = slices.Clone(p)
	for i := range p {
		for j := i; j > 0 && p[j].first().At < p[j-1].first().At && p[j].apart(p[j-1]); j-- {
			p[j], p[j-1] = p[j-1], p[j]
		}
	}
	return p
}

// apart says whether two rows have no lane in common.
func (r row) apart(s row) bool { return (r[0] == nil || s[0] == nil) && (r[1] == nil || s[1] == nil) }

// takes says whether another row is a single finding that fits below what this one has in its lane.
func (r row) takes(other row) bool {
	f := other.first()
	if other[0] != nil && other[1] != nil || r[lane(f.Side)] == nil {
		return false
	}
	top := r[lane(f.Side)][0]
	return (f.check == nil) == (top.check == nil) && (f.At-top.At).Abs() < sameMoment
}

// first is the finding that was made first.
func (r row) first() *finding {
	if r[0] == nil || r[1] != nil && r[1][0].At < r[0][0].At {
		return r[1][0]
	}
	return r[0][0]
}
