package docs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// happening is what a ladder shows of one event of a run, and at which row.
type happening struct {
	at   int64  // µs
	side string // "client" or "server"; of a segment, who sent it
	lane string // "call", "state", or "segment"
	says string
	row  int
	long bool  // a call that took its time: it returned in the row until
	till int64 // when it returned, or a segment came
	last int   // the row of that
	many bool  // a stretch of data, and not one segment
}

// aRun is a run as a ladder shows it.
type aRun struct {
	list []*happening
	rows int
}

// event is a line of --json.
type event struct {
	At       int64    `json:"at_us"`
	Side     string   `json:"side"`
	Kind     string   `json:"kind"`
	Call     string   `json:"call"`
	Args     []string `json:"args"`
	Errno    string   `json:"errno"`
	Ret      *int     `json:"ret"`
	FD       int      `json:"fd"`
	ID       int      `json:"id"`
	From, To string
	Socket   int      `json:"socket"`
	Source   string   `json:"src"`
	Dest     string   `json:"dst"`
	Local    string   `json:"local"`
	Remote   string   `json:"remote"`
	Sender   string   `json:"sender"`
	Fate     string   `json:"fate"`
	Header   string   `json:"header"`
	Flags    []string `json:"flags"`
	Seq      uint32   `json:"seg_seq"`
	Ack      uint32   `json:"ack"`
	Len      uint32   `json:"len"`
}

// drawnCalls are those that a ladder has: what a connection's end does to it.
var drawnCalls = []string{"listen", "connect", "accept4", "read", "write", "shutdown", "close"}

// laddered reads what --json printed. Data of more than four segments becomes one stretch, and so do the calls and the
// ACKs that belong to it. What comes after both ends are in the state until is left out.
func laddered(t *testing.T, lines []byte, until string) *aRun {
	t.Helper()
	r := &aRun{}
	listeners, calls, onTheWay := map[int]bool{}, map[int]*happening{}, map[string]*happening{}
	bulk := bulkOf(t, lines)
	for _, e := range eventsOf(t, lines) {
		switch e.Kind {
		case "enter", "call":
			r.call(e, listeners, calls, bulk)
		case "state":
			if e.From != e.To && (e.Remote != "" || e.To == "LISTEN") {
				r.list = append(r.list, &happening{at: e.At, till: e.At, side: e.Side, lane: "state", says: e.To})
			}
		case "segment":
			r.segment(e, onTheWay, bulk)
		}
	}
	r.list = slices.DeleteFunc(r.list, func(h *happening) bool { return h.till == 0 }) // still on its way when the run ended
	r.upTo(until)
	r.place()
	return r
}

// upTo leaves out what came after both ends had reached a state.
func (r *aRun) upTo(state string) {
	var reached []string
	end := int64(math.MaxInt64)
	for _, h := range r.list {
		if h.lane == "state" && h.says == state && !slices.Contains(reached, h.side) {
			reached = append(reached, h.side)
			end = h.at
		}
	}
	if len(reached) == len(sideNames) {
		r.list = slices.DeleteFunc(r.list, func(h *happening) bool {
			return h.at > end || h.till > end || strings.HasPrefix(h.says, "write()") // which is quick at one end
		})
	}
}

func eventsOf(t *testing.T, lines []byte) (list []event) {
	t.Helper()
	scan := bufio.NewScanner(bytes.NewReader(lines))
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var e event
		if err := json.Unmarshal(scan.Bytes(), &e); err != nil {
			t.Fatalf("%v: %s", err, scan.Text())
		}
		list = append(list, e)
	}
	return list
}

// bulk is a side's data that is too much to be drawn segment by segment.
type bulk struct {
	side     string
	from, to uint32     // sequence numbers
	drawn    *happening // once it has begun
	read     *happening
	bytes    int
}

func bulkOf(t *testing.T, lines []byte) *bulk {
	t.Helper()
	for _, side := range sideNames {
		b, n := &bulk{side: side}, 0
		for _, e := range eventsOf(t, lines) {
			if e.Kind != "segment" || e.Sender != side || e.Len == 0 {
				continue
			}
			if n == 0 {
				b.from = e.Seq
			}
			n, b.to = n+1, max(b.to, e.Seq+e.Len-1)
		}
		if n > 8 { // each is seen to leave and to come
			return b
		}
	}
	return nil
}

func (r *aRun) call(e event, listeners map[int]bool, calls map[int]*happening, bulk *bulk) {
	if e.Call == "listen" {
		listeners[e.FD] = true
	}
	if !slices.Contains(drawnCalls, e.Call) || e.Call == "close" && listeners[e.FD] {
		return
	}
	name := strings.TrimSuffix(e.Call, "4") + "()"
	if e.Call == "shutdown" {
		name = "shutdown(SHUT_WR)"
	}
	if e.Kind == "enter" {
		h := &happening{at: e.At, till: e.At, side: e.Side, lane: "call", says: name}
		calls[e.ID] = h
		r.list = append(r.list, h)
		return
	}
	h := calls[e.ID]
	if h == nil {
		h = &happening{at: e.At, side: e.Side, lane: "call", says: name}
		r.list = append(r.list, h)
	}
	h.till, h.long = e.At, e.At-h.at > 5000
	switch {
	case e.Errno == "EINPROGRESS": // it goes on
	case e.Errno != "":
		h.says += " " + e.Errno
	case e.Call == "read" && *e.Ret == 0:
		h.says += " = 0"
	case bulk != nil && e.Call == "read" && e.Side != bulk.side:
		r.readMuch(h, *e.Ret, bulk)
	case e.Call == "read" || e.Call == "write":
		h.says += fmt.Sprintf(" = %d", *e.Ret)
	}
}

// readMuch makes one of all that read the stretch of data.
func (r *aRun) readMuch(h *happening, n int, bulk *bulk) {
	bulk.bytes += n
	if bulk.read == nil {
		bulk.read = h
	} else {
		r.list = slices.DeleteFunc(r.list, func(o *happening) bool { return o == h })
	}
	bulk.read.till, bulk.read.long = h.till, true
	bulk.read.says = fmt.Sprintf("read()… = %d", bulk.bytes)
}

func (r *aRun) segment(e event, onTheWay map[string]*happening, bulk *bulk) {
	if bulk != nil && e.Len > 0 && e.Sender == bulk.side {
		r.stretch(e, bulk)
		if !slices.Contains(e.Flags, "FIN") {
			return
		}
		e.Seq += e.Len // the number of the FIN itself
		e.Len = 0
	}
	if bulk != nil && bulk.drawn != nil && e.Sender != bulk.side && len(e.Flags) == 1 && e.Ack <= bulk.to+1 {
		return // an ACK on the way
	}
	key := e.Sender + e.Header
	if h := onTheWay[key]; h != nil && e.Fate == "delivered" {
		h.till = e.At
		delete(onTheWay, key)
		return
	}
	h := &happening{at: e.At, till: e.At, side: e.Sender, lane: "segment", says: segmentSays(e)}
	if e.Fate == "held" {
		h.till, onTheWay[key] = 0, h
	}
	r.list = append(r.list, h)
}

// stretch is data in many segments.
func (r *aRun) stretch(e event, bulk *bulk) {
	if bulk.drawn == nil {
		bulk.drawn = &happening{at: e.At, side: e.Sender, lane: "segment", many: true,
			says: fmt.Sprintf("data seq=%d…%d", bulk.from, bulk.to)}
		r.list = append(r.list, bulk.drawn)
	}
	bulk.drawn.till = e.At
}

// segmentSays names a segment as tcpdump and Wireshark do: the flag that matters first.
func segmentSays(e event) string {
	order := []string{"SYN", "FIN", "RST", "PSH", "URG", "ACK", "ECE", "CWR", "AE"}
	flags := slices.Clone(e.Flags)
	slices.SortFunc(flags, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
	flags = slices.DeleteFunc(flags, func(f string) bool { return f == "PSH" })
	says := strings.Join(flags, ", ") + fmt.Sprintf(" seq=%d", e.Seq)
	if slices.Contains(e.Flags, "ACK") {
		says += fmt.Sprintf(" ack=%d", e.Ack)
	}
	if e.Len > 0 {
		says += fmt.Sprintf(" len=%d", e.Len)
	}
	return says
}

// place gives each happening its row: what came at the same time stands in the same row, what one lane has stands one
// below the other, and nothing stands above what its side did before.
func (r *aRun) place() {
	const same = 5000 // µs
	type moment struct {
		at   int64
		h    *happening
		ends bool
	}
	var all []moment
	for _, h := range r.list {
		all = append(all, moment{h.at, h, false})
		if h.till != h.at && h.till != 0 {
			all = append(all, moment{h.till, h, true})
		}
	}
	slices.SortStableFunc(all, func(a, b moment) int { return int(a.at - b.at) })
	begin, bottom := 0, -1
	next, sideLast := map[string]int{}, map[string]int{}
	for i, m := range all {
		if i == 0 || m.at-all[i-1].at > same {
			begin = bottom + 1
		}
		side := m.h.side
		if m.ends && m.h.lane == "segment" { // it comes to the other side
			side = map[string]string{"client": "server", "server": "client"}[side]
		}
		lane := side + m.h.lane
		row := max(begin, next[lane], sideLast[side])
		if m.ends && m.h.lane == "call" { // a return stands beside what brought it about
			row = max(begin, sideLast[side], m.h.row)
		}
		if m.ends && m.h.lane == "segment" { // so that it slopes
			row = max(row, m.h.row+2)
		}
		if m.ends {
			m.h.last = row
		} else {
			m.h.row, m.h.last = row, row
		}
		next[lane], sideLast[side], bottom = row+1, row, max(bottom, row)
	}
	r.rows = bottom + 1
}

// order is a run in words, lane by lane: what a picture says for whoever does not see it, and what must be the same in
// every run.
func (r *aRun) order() string {
	var b strings.Builder
	for _, lane := range []string{"call", "state", "segment"} {
		for _, side := range sideNames {
			var says []string
			for _, h := range r.list {
				if h.lane == lane && h.side == side {
					says = append(says, h.says)
				}
			}
			fmt.Fprintf(&b, "%s's %ss: %s. ", side, lane, strings.Join(says, "; "))
		}
	}
	return strings.TrimSpace(b.String())
}
