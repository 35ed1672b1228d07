package tour

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"socklife/internal/rfc9293"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
)

// causes remember what was seen of each socket of a run, so as to say what brought a transition about: the call that
// its owner made, the segment that came, or the timer that ran out. What was not seen is not named.
type causes struct {
	calls   map[int]made               // by the socket's number: the last call that may change a state
	arrived map[timeline.Ends]arrival  // by the addresses as the receiver has them: the last segment
	syns    map[netip.AddrPort]arrival // by a listener's address: the last SYN that came there
	timers  map[int]deadline           // by the socket's number
}

type made struct {
	name string
	at   time.Duration // where it entered the kernel
	over bool          // it has returned, or has brought a transition about
}

type arrival struct {
	flags []string
	at    time.Duration
}

// deadline is a timer, and when it runs out.
type deadline struct {
	name string
	at   time.Duration
}

// A timer may be seen to have run out a little earlier than the kernel said, which tells whole milliseconds of a clock
// that ticks every 1 to 10 ms; and what came much later did not come of it.
const (
	timerEarly = 20 * time.Millisecond
	timerLate  = 100 * time.Millisecond
)

func newCauses() *causes {
	return &causes{map[int]made{}, map[timeline.Ends]arrival{}, map[netip.AddrPort]arrival{}, map[int]deadline{}}
}

// note remembers an event.
func (c *causes) note(e timeline.Event) {
	switch b := e.Body.(type) {
	case *timeline.Enter:
		c.call(b.Socket, made{b.Call, e.At, false})
	case *timeline.Call:
		c.call(b.Socket, made{b.Call, time.Duration(b.EnteredUS) * time.Microsecond, true})
	case *timeline.Segment:
		if b.Fate != "dropped" && b.Fate != "held" {
			c.arrived[timeline.Ends{Local: b.Dst, Remote: b.Src}] = arrival{b.Flags, e.At}
			if slices.Contains(b.Flags, "SYN") && b.Ack == nil {
				c.syns[b.Dst] = arrival{b.Flags, e.At}
			}
		}
	case *timeline.State:
		if m, is := c.calls[b.Socket]; is && b.From != b.To {
			m.over = true
			c.calls[b.Socket] = m
		}
		again := b.Retrans != nil && *b.Retrans > 0 // giving up comes after the last of several attempts
		if b.ExpiresMS == nil || b.Timer != "timewait" && !again {
			delete(c.timers, b.Socket)
		} else {
			c.timers[b.Socket] = deadline{b.Timer, e.At + time.Duration(*b.ExpiresMS)*time.Millisecond}
		}
	}
}

func (c *causes) call(socket int, m made) {
	if socket != 0 && slices.Contains([]string{"listen", "connect", "close", "shutdown"}, m.name) {
		c.calls[socket] = m
	}
}

// of says what brought a socket's transition about, before it is noted; "" if that was not seen. Of several that are
// possible it is what came last.
func (c *causes) of(at time.Duration, from tcpinfo.State, b *timeline.State) (says string) {
	last := time.Duration(-1 << 62)
	all := rfc9293.Causes(from, b.To)
	onlyCalls := !slices.ContainsFunc(all, func(cause rfc9293.Cause) bool { return cause.Call == "" })
	for _, cause := range all {
		text, when := c.seen(at, cause, b, onlyCalls)
		if text != "" && when > last {
			says, last = text, when
		}
	}
	return says
}

// seen is a cause in words and when it was, if it was seen. Where something else than a call may be the cause, and need
// not have been seen, it was the call only if that was in the kernel then.
func (c *causes) seen(at time.Duration, cause rfc9293.Cause, b *timeline.State, onlyCalls bool) (string, time.Duration) {
	switch {
	case cause.Call != "":
		if m, is := c.calls[b.Socket]; is && m.name == cause.Call && (onlyCalls || !m.over) {
			return m.name + "()", m.at
		}
	case cause.Timer != "":
		if d, is := c.timers[b.Socket]; is && d.name == cause.Timer && d.at <= at+timerEarly && at <= d.at+timerLate {
			return timerWords(d.name), d.at
		}
	default:
		a, is := c.arrived[b.Ends()]
		if !is && b.To == tcpinfo.SynReceived {
			a, is = c.syns[b.Local]
		}
		if is && !slices.ContainsFunc(cause.Arrives, func(f string) bool { return !slices.Contains(a.flags, f) }) {
			return strings.Join(cause.Arrives, " ") + " arrives", a.at
		}
	}
	return "", 0
}

// timerWords is a timer that ran out, in words.
func timerWords(name string) string {
	if name == "on" {
		return "retransmission timer"
	}
	return name + " timer"
}
