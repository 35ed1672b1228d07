package view

import (
	"net/netip"
	"strconv"

	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// tags tell a run's sockets apart where several share a lane: by the name that the lesson gives, or the port, and by a
// colour that each keeps.
type tags struct {
	hues      map[string]style
	listeners map[timeline.Side]map[netip.AddrPort]bool
}

// hue is the colour of a name or a port. There are few colours: they come again.
func (g *tags) hue(tag string) style {
	if g.hues == nil {
		g.hues = map[string]style{}
	}
	h, known := g.hues[tag]
	if !known {
		h = firstTag + style(len(g.hues)%tagHues)
		g.hues[tag] = h
	}
	return h
}

// of is what a state's row begins with: the name, or else the client's port where a run has several connections; of a
// listener its port where there are others.
func (g *tags) of(side timeline.Side, b *timeline.State, many bool) string {
	if b.Name != "" {
		return written(b.Name)
	}
	if b.To == tcpinfo.Listen && g.severalWith(side, b.Local) {
		return port(b.Local)
	}
	if many {
		return port(b.Ends().Client(side))
	}
	return ""
}

// ofQueue is what a row begins with that has a listener's queues alone.
func (g *tags) ofQueue(side timeline.Side, q *timeline.Queue) string {
	several := g.severalWith(side, q.Local)
	if q.Name != "" {
		return written(q.Name)
	}
	if several {
		return port(q.Local)
	}
	return ""
}

// severalWith remembers a listener, and tells whether its side has another one.
func (g *tags) severalWith(side timeline.Side, addr netip.AddrPort) bool {
	if g.listeners == nil {
		g.listeners = map[timeline.Side]map[netip.AddrPort]bool{}
	}
	if g.listeners[side] == nil {
		g.listeners[side] = map[netip.AddrPort]bool{}
	}
	g.listeners[side][addr] = true
	return len(g.listeners[side]) > 1
}

// named writes a socket's name behind the descriptor of a call, as strace -y does: write(7<first>, "hello\n") = 6.
func (t *Terminal) named(says text, call string, descriptor int, label timeline.Label) text {
	fd := "(" + strconv.Itoa(descriptor)
	if label.Name == "" || len(says) < len(call)+len(fd) || plainText(says[len(call):len(call)+len(fd)]) != fd {
		return says
	}
	at := len(call) + len(fd)
	tag := written(label.Name)
	name := text(nil).add(t.tags.hue(tag), t.s.clean(tag))
	return append(append(append(text(nil), says[:at]...), name...), says[at:]...)
}

// written is a name as it stands in a row.
func written(name string) string { return "<" + name + ">" }

func plainText(t text) string {
	runes := make([]rune, len(t))
	for i, g := range t {
		runes[i] = g.r
	}
	return string(runes)
}
