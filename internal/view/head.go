package view

import (
	"strings"
	"time"

	"socklife/internal/timeline"
)

// legend says where states come from; a row says so itself where it is different.
func (t *Terminal) legend() string {
	const unless = ", unless another source is named."
	c, s := sourceName(t.source(timeline.Client)), sourceName(t.source(timeline.Server))
	if c == s {
		return "States are from " + c + unless
	}
	return "The client's states are from " + c + ", the server's from " + s + unless
}

// sourceName is what a reader would look up.
func sourceName(source string) string {
	switch source {
	case tcpInfo:
		return "getsockopt(TCP_INFO)"
	case "tracepoint":
		return "the tracepoint sock:inet_sock_set_state"
	}
	return source
}

// title is the first line: the scenario, what it shows, and where that is written.
func (t *Terminal) title() {
	if t.started {
		return
	}
	t.started = true
	t.space() // after the run before
	if t.o.Title == "" && t.o.Lesson == "" {
		return
	}
	title := text(nil).add(strong, t.s.clean(t.o.Title))
	if t.o.Lesson != "" {
		if len(title) > 0 {
			title = title.add(plain, ": ")
		}
		title = title.add(plain, t.s.clean(t.o.Lesson))
	}
	lines := wrap(title, t.l.width, 0, 2)
	if ref := text(nil).add(dim, t.s.clean(t.o.Ref)); len(ref) > 0 {
		last := lines[len(lines)-1]
		if last.width()+gap+ref.width() <= t.l.width {
			lines[len(lines)-1] = append(last.pad(t.l.width-ref.width()), ref...)
		} else {
			for _, line := range wrap(ref, t.l.width, 0, 0) {
				lines = append(lines, append(text(nil).pad(t.l.width-line.width()), line...))
			}
		}
	}
	t.lines(lines)
	t.intro()
}

// Head shows what stands above the first event, before there is one: whoever is asked something wants to know of what.
func (t *Terminal) Head() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.head()
	t.write()
}

// head is the title and what the lanes are.
func (t *Terminal) head() {
	t.title()
	if t.headed {
		return
	}
	t.headed = true
	if !t.explained {
		t.explained = true
		t.lines(wrap(text(nil).add(dim, t.s.clean(t.legend())), t.l.width, 0, 0))
		if t.o.Hint != "" {
			t.lines(wrap(text(nil).add(dim, t.s.clean(t.o.Hint)), t.l.width, 0, 0))
		}
	}
	if t.zero != "" {
		t.lines(wrap(text(nil).add(dim, t.zero), t.l.width, 0, 0))
		t.zero = ""
	}
	t.space()
	unit := text(nil).pad(t.l.clock-len("ms")).add(dim, "ms")
	if t.l.wall {
		unit = text(nil).pad(t.l.clock)
	}
	client, server := t.label(timeline.Client, t.o.ClientLabel), t.label(timeline.Server, t.o.ServerLabel)
	if t.l.alone != "" {
		own, other := client, server
		if t.l.alone == timeline.Server {
			own, other = server, client
		}
		t.lines(t.l.full("", wrap(other, t.l.fullWidth(), 0, 2)))
		t.line(unit.pad(t.l.x[0]).join("", own))
		return
	}
	if t.l.lanes == 2 {
		row := t.l.sideBySide("", [2][]text{wrap(client, t.l.lane, 0, 0), wrap(server, t.l.lane, 0, 0)})
		copy(row[0], unit)
		t.lines(row)
		return
	}
	for _, label := range []text{client, server} {
		if label.width() > sideWide { // more than the side's name
			t.lines(t.l.full("", wrap(label, t.l.fullWidth(), 0, 2)))
		}
	}
	t.line(unit.pad(t.l.clock+clockGap).add(dim, "side"))
}

// begin says when time 0 is, by the wall clock. A server has told of its listener then.
func (t *Terminal) begin(e timeline.Event) {
	if t.shown = (time.Time{}); t.l.wall {
		return
	}
	says := "Time 0 is " + e.Time.Format(wallClock) + "."
	if t.headed {
		t.space()
		t.lines(t.l.full("", wrap(text(nil).add(dim, says), t.l.fullWidth(), 0, 0)))
		return
	}
	t.zero = says
	t.head()
}

// label is a lane's name in the side's colour, and what is said of it.
func (t *Terminal) label(side timeline.Side, says string) text {
	name := string(side)
	if more, ok := strings.CutPrefix(t.s.clean(says), name); says == "" || ok {
		return text(nil).add(strongHue(side), name).add(plain, more)
	}
	return text(nil).add(strongHue(side), t.s.clean(says))
}
