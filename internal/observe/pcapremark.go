package observe

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"socklife/internal/timeline"
)

// What the timeline says becomes a comment of the packet nearest to it: of one that it brought about, if it is a call
// that sends, and else of one that brought it about.

// remark is something to be said of a packet.
type remark struct {
	kind remarkKind
	side timeline.Side
	at   time.Time // when it was; of a call, when it had returned
	text string

	entered time.Time // of a call that does something: when it began
	begun   string    // and how it is told then
	ends    timeline.Ends
	socket  int // of a call; 0: none
}

type remarkKind uint8

const (
	before  remarkKind = iota // it follows from the packet before it: a state, what a read() gave
	prepare                   // it comes before the next packet, whoever sends that: socket(), listen()
	sends                     // it has its own side send the next: connect(), write(), close()
)

// remarkWindow is how long a remark waits for the packets of its time.
const remarkWindow = pcapWindow / 2

// Event takes what the timeline tells of calls and states.
func (p *Pcap) Event(e timeline.Event) {
	var r *remark
	switch b := e.Body.(type) {
	case *timeline.Call:
		r = &remark{kind: kindOf(b.Call), at: e.Time, socket: cmp.Or(b.NewSocket, b.Socket)}
		if p.told[e.Side] {
			r.kind = before
			delete(p.told, e.Side)
		}
		if b.Sys != nil && r.kind != before {
			r.entered, r.at, r.begun = b.Sys.Entered, b.Sys.Returned, Asked(b.Sys)
		}
	case *timeline.State:
		p.knows(b)
		if b.From == b.To {
			p.words(e) // it remembers
			return
		}
		r = &remark{at: e.Time, ends: b.Ends()}
	case *timeline.Enter: // the first of the two rows of a call; the second is what it returned
		kind := kindOf(b.Call)
		if kind == before {
			return
		}
		p.told[e.Side] = true
		r = &remark{kind: kind, at: e.Time, entered: e.Time, socket: b.Socket}
	default:
		return
	}
	r.side, r.text = e.Side, p.words(e)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said = append(p.said, r)
}

// knows keeps which connection a socket is of.
func (p *Pcap) knows(b *timeline.State) {
	if b.Socket == 0 || !b.Remote.IsValid() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.connections) > 1<<16 {
		clear(p.connections)
	}
	p.connections[b.Socket] = b.Ends()
}

// kindOf says what a call has to do with segments.
func kindOf(call string) remarkKind {
	switch call {
	case "connect", "write", "sendto", "shutdown", "close":
		return sends
	case "socket", "setsockopt", "bind", "listen":
		return prepare
	}
	return before
}

// settle gives each remark its place whose time is long enough ago for the packets of that time to be here; all of them
// if there is no time. What finds no packet waits for the next.
func (p *Pcap) settle(now time.Time) {
	left := p.said[:0]
	for _, r := range p.said {
		if !now.IsZero() && now.Sub(r.at) < remarkWindow || !p.place(r) {
			left = append(left, r)
		}
	}
	clear(p.said[len(left):])
	p.said = left
}

// place puts a remark to a packet, if there is one.
func (p *Pcap) place(r *remark) bool {
	if r.socket != 0 {
		r.ends = p.connections[r.socket]
	}
	if q := p.caused(r); q != nil {
		// What came before the call was back stands before what it returned.
		if back := p.lastBefore(r, r.at); r.begun != "" && r.kind == sends && back != nil && back.at.After(q.at) {
			q.remark(r, r.begun, r.entered)
			q = back
		}
		q.remark(r, r.text, r.at)
		return true
	}
	q := p.lastBefore(r, r.at)
	for i := 0; q == nil && i < len(p.queue); i++ {
		if p.inView(r, p.queue[i]) {
			q = p.queue[i]
		}
	}
	if q != nil {
		q.remark(r, r.text, r.at)
	}
	return q != nil
}

// caused is the first packet that a call had sent; nil if there is none.
func (p *Pcap) caused(r *remark) *pcapPacket {
	if r.kind == before {
		return nil
	}
	for _, q := range p.queue {
		if p.inView(r, q) && !q.at.Before(r.entered) && (r.kind == prepare || q.from == r.side) && (!r.ends.Remote.IsValid() || q.of(r.ends)) {
			return q
		}
	}
	return nil
}

// lastBefore is the last packet until then, of the connection that the remark is about if there is one.
func (p *Pcap) lastBefore(r *remark, then time.Time) (last *pcapPacket) {
	ours := false
	for _, q := range p.queue {
		if q.at.After(then) {
			break
		}
		if of := q.of(r.ends); p.inView(r, q) && (of || !ours) {
			last, ours = q, ours || of
		}
	}
	return last
}

// inView tells whether a packet is one that the remark's side has seen, where that is captured.
func (p *Pcap) inView(r *remark, q *pcapPacket) bool {
	return len(p.views) == 1 || r.side == p.views[q.Interface]
}

// of tells whether a packet belongs to a connection.
func (q *pcapPacket) of(e timeline.Ends) bool {
	return q.segment.Src == e.Local && q.segment.Dst == e.Remote || q.segment.Src == e.Remote && q.segment.Dst == e.Local
}

// far is how long before or after its packet something has to be for that to be said.
const far = 10 * time.Millisecond

// remark has something said of a packet.
func (q *pcapPacket) remark(r *remark, text string, at time.Time) {
	whose := r.whose(q.of(r.ends))
	when := ""
	switch d := at.Sub(q.at); {
	case d >= far:
		when = fmt.Sprintf(" (%d ms later)", d.Milliseconds())
	case d <= -far:
		when = fmt.Sprintf(" (%d ms before)", -d.Milliseconds())
	}
	q.said = append(q.said, whose+text+when)
}

// says is a remark that belongs to no packet.
func (r *remark) says() string { return r.whose(false) + r.text }

// whose is what a remark begins with: the side, and the socket where that is not the packet's.
func (r *remark) whose(known bool) string {
	who := string(r.side)
	if r.ends.Local.IsValid() && !known {
		who += " " + r.ends.Local.String()
		if r.ends.Remote.IsValid() {
			who += " > " + r.ends.Remote.String()
		}
	}
	return strings.TrimPrefix(who+": ", ": ")
}
