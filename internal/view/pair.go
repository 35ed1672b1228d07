package view

import (
	"time"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// sameLook is how far apart in time two findings may be and still count as found by one look at all sockets.
const sameLook = 2 * time.Millisecond

// finding is what a look found: a socket's state, a listener's queues, or both at once; or a check of it.
type finding struct {
	at     time.Duration
	side   timeline.Side
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
	return clientPort(f.side, f.state)
}

// beside says whether two findings may stand on one row.
func (f *finding) beside(g *finding) bool {
	if g == nil {
		return true
	}
	a, b := f.connection(), g.connection()
	return f.near(g) && (f.check == nil) == (g.check == nil) && (a == b || a == "" || b == "")
}

func (f *finding) isQueue() bool { return f.state == nil && f.queue != nil }

func (f *finding) near(g *finding) bool { return (f.at - g.at).Abs() <= sameLook }

// pair is one row: what a look found of the client, and of the server.
type pair [2]*finding

// lane is where a side stands: the client left, as in the textbook's figure.
func lane(s timeline.Side) int {
	if s == timeline.Server {
		return 1
	}
	return 0
}

// pairs are the findings since the last call. What one look found of the two ends of a connection stands side by side, and so do the
// checks of it; within a lane the order is kept.
type pairs []pair

func (p *pairs) add(f *finding) {
	own, other := lane(f.side), 1-lane(f.side)
	last := -1
	for i := range *p {
		if (*p)[i][own] != nil {
			last = i
		}
	}
	if last >= 0 {
		before := (*p)[last][own]
		if f.belongsTo(before) {
			before.queue = f.queue
			return
		}
		// The connection comes before the queue that it is counted in, so that it stands beside its other end.
		if before.isQueue() && f.state != nil && f.near(before) && f.beside((*p)[last][other]) {
			(*p)[last][own], f = f, before
		}
	}
	for i := last + 1; i < len(*p); i++ {
		if f.beside((*p)[i][other]) {
			(*p)[i][own] = f
			return
		}
	}
	row := pair{}
	row[own] = f
	*p = append(*p, row)
}

// belongsTo says whether f is the queues of the listener that a look has just found.
func (f *finding) belongsTo(listener *finding) bool {
	return f.isQueue() && listener.state != nil && listener.queue == nil && listener.state.To == tcpinfo.Listen &&
		listener.state.Local == f.queue.Local && f.near(listener)
}

// row is what stands side by side: of each lane, one finding or several below each other.
type row [2][]*finding

// rows puts a finding with nothing beside it below the one before it in its lane, where a row of its own would leave a hole.
func (p pairs) rows() (rows []row) {
	for _, pair := range p {
		if n := len(rows); n == 0 || !rows[n-1].takes(pair) {
			rows = append(rows, row{})
		}
		for i, f := range pair {
			if f != nil {
				rows[len(rows)-1][i] = append(rows[len(rows)-1][i], f)
			}
		}
	}
	return rows
}

// takes says whether a pair is a single finding that fits below what this row has in its lane.
func (r row) takes(p pair) bool {
	f := p.first()
	if p[0] != nil && p[1] != nil || len(r[lane(f.side)]) == 0 {
		return false
	}
	top := r[lane(f.side)][0]
	return (f.check == nil) == (top.check == nil) && (f.at-top.at).Abs() < sameMoment
}

// first is the finding that was made first.
func (p pair) first() *finding {
	if p[0] == nil || p[1] != nil && p[1].at < p[0].at {
		return p[1]
	}
	return p[0]
}

// first is the finding that was made first.
func (r row) first() *finding {
	var top pair
	for i, cell := range r {
		if len(cell) > 0 {
			top[i] = cell[0]
		}
	}
	return top.first()
}
