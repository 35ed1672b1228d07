package view

import (
	"io"
	"net/netip"

	"socklife/internal/timeline"
)

// Narrator is a sink that writes one line an event: the time of day, the peer, and what happened. It is for many
// connections over hours on one stream. On a terminal, what has no room in its line goes on below, a little more
// indented.
type Narrator struct {
	w   io.Writer
	err error
	o   Options
	s   symbols
	p   palette

	peers   map[int]string // by descriptor of Own's process
	sockets sockets
	wide    int // of the peers' column
	day     string
}

// NewNarrator returns a sink that writes to w. Of the options it uses Color, ASCII, Own, and Width: 0 is a line an
// event.
func NewNarrator(w io.Writer, o Options) *Narrator {
	n := &Narrator{w: w, o: o, s: newSymbols(o.ASCII), p: newPalette(o.Color), peers: map[int]string{}, sockets: sockets{}, wide: len(":65535")}
	if o.Own == timeline.Client { // there is one peer
		n.peers, n.wide = nil, -gap
	}
	return n
}

// Event writes one line. After an error it writes nothing more.
func (n *Narrator) Event(e timeline.Event) {
	if n.err != nil {
		return
	}
	peer := n.peer(e)
	says := n.says(e)
	if len(says) == 0 {
		return
	}
	n.wide = max(n.wide, min(len(peer), len("192.168.100.100:65535")))
	line := text(nil)
	out := ""
	if day := e.Time.Format("2006-01-02"); day != n.day {
		if n.day != "" {
			out = n.p.paint(text(nil).add(dim, day)) + "\n"
		}
		n.day = day
	}
	const clock = "15:04:05.000"
	line = line.add(dim, e.Time.Format(clock)).pad(len(clock)+gap).add(plain, peer).pad(len(clock) + gap + max(n.wide, len(peer)) + gap)
	if n.other(e.Side) {
		says = append(text(nil).add(hue(e.Side), string(e.Side)).add(plain, ": "), says...)
	}
	for i, part := range n.lines(e, says, len(line)) {
		out += n.p.paint(line.join("", part)) + "\n"
		if line = text(nil).pad(len(line)); i == 0 && len(part) == 0 {
			line = nil // all of it goes on below
		}
	}
	_, n.err = io.WriteString(n.w, out)
}

// Flush does nothing: no line is kept back.
func (n *Narrator) Flush() {}

// Err is the first error of a write, or nil.
func (n *Narrator) Err() error { return n.err }

// Of what goes on below, the indentation, and the least room that is worth a column of its own.
const (
	hangs  = 2
	little = 24
)

// lines are those of an event that begins in a column: one, but where a terminal has no room for it.
func (n *Narrator) lines(e timeline.Event, says text, column int) []text {
	hang := hangs
	if _, ok := e.Body.(*timeline.Segment); ok {
		hang = len("client --> ") // below its flags
	}
	switch room := n.o.Width - column; {
	case n.o.Width == 0:
		return []text{says}
	case room < little:
		return append([]text{nil}, wrap(says, max(n.o.Width, little), hangs, 2*hangs)...)
	default:
		return wrap(says, room, 0, hang)
	}
}

// says is what happened, on one line.
func (n *Narrator) says(e timeline.Event) text {
	const oneLine = 1 << 20
	var block []text
	switch b := e.Body.(type) {
	case *timeline.Begin:
		return nil
	case *timeline.Enter:
		if b.Call == "read" || b.Call == "accept4" { // it waits, as ever, and its return stands below what it waited for
			return nil
		}
		return enterText(b)
	case *timeline.Call:
		return callText(b)
	case *timeline.State:
		return n.state(e.Side, b)
	case *timeline.Queue:
		return text(nil).join(", ", n.s.backlog(b)...)
	case *timeline.Segment:
		return text(nil).add(hue(b.From), sideName(b.From)).join(" ", n.s.segmentInLane(b))
	case *timeline.Note:
		return text(nil).add(dim, n.s.clean(b.Text))
	case *timeline.Counter:
		block = n.s.counterBlock(b, oneLine)
	case *timeline.Table:
		return text(nil).add(plain, n.s.clean(b.Title)+": ").join("", text(nil).join("; ", n.s.tableList(b, oneLine)...))
	case *timeline.Check:
		if !b.OK {
			return text(nil).add(bad, n.s.no+" expect ").add(plain, n.s.clean(b.Expect)).add(bad, ", got ").add(plain, n.s.clean(b.Got))
		}
		block = n.s.checkBlock(b, oneLine)
	case *timeline.Coverage:
		block = n.s.coverageBlock(b, oneLine)
	case *timeline.Summary:
		block = n.s.summaryBlock(b, oneLine)
	}
	return text(nil).join(" ", trimmed(block)...)
}

// state is a transition, its source and details. Every line names its source: it may be the only one that is read.
func (n *Narrator) state(side timeline.Side, b *timeline.State) text {
	t := n.s.transition(side, b)
	if b.Source != "" {
		t = t.add(dim, " ("+n.s.clean(b.Source)+")")
	}
	unseen := text(nil).add(dim, n.s.clean(passed(b, n.sockets.knows(b)).String()))
	const apart = string(nbsp) + string(nbsp) + string(zwsp)
	return t.join(apart, text(nil).join(", ", append([]text{unseen}, n.s.details(b, n.sockets.remember(b))...)...))
}

// trimmed is a block without the indentation of its lines.
func trimmed(block []text) []text {
	for i, t := range block {
		for len(t) > 0 && t[0].r == ' ' {
			t = t[1:]
		}
		block[i] = t
	}
	return block
}

// other tells whether a side is not this process'.
func (n *Narrator) other(s timeline.Side) bool { return n.o.Own != "" && sided(s) && s != n.o.Own }

// peer is the other end of the connection that an event is about, "" if it is about none or there is only one.
func (n *Narrator) peer(e timeline.Event) string {
	if n.peers == nil {
		return ""
	}
	switch b := e.Body.(type) {
	case *timeline.State:
		if n.other(e.Side) {
			return n.short(b.Local) // the other end of it is ours
		}
		return n.short(b.Remote)
	case *timeline.Enter:
		return n.peers[b.FD]
	case *timeline.Call:
		return n.peerOfCall(b)
	case *timeline.Segment:
		if n.o.Own == b.From {
			return n.short(b.Dst)
		}
		return n.short(b.Src)
	}
	return ""
}

// peerOfCall remembers which descriptor is which connection's, from the calls that say so.
func (n *Narrator) peerOfCall(c *timeline.Call) string {
	switch {
	case c.Call == "close":
		defer delete(n.peers, c.FD)
	case c.Errno != "":
	case c.Call == "socket":
		delete(n.peers, c.Ret)
	case c.Call == "accept4":
		n.peers[c.Ret] = n.short(c.Arguments().Address())
		return n.peers[c.Ret]
	case c.Call == "connect":
		n.peers[c.FD] = n.short(c.Arguments().Address())
	case c.Call == "dup":
		n.peers[c.Ret] = n.peers[c.FD]
	}
	return n.peers[c.FD]
}

// short leaves out the host where it is this one.
func (n *Narrator) short(addr netip.AddrPort) string {
	if addr.Port() == 0 || addr.Addr().Unmap().IsLoopback() {
		return port(addr)
	}
	return n.s.clean(addr.String())
}
