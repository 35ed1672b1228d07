package quiz

import (
	"fmt"

	"socklife/internal/timeline"
)

// What the kernel may send when an application ends its side.
var endings = map[string]Choice{
	"FIN": {"a FIN", "all that was written before arrives, then the peer reads the end of the stream"},
	"RST": {"an RST", "the connection is over at both ends at once, and what was not delivered is lost"},
	"nothing": {"nothing: the peer learns of it when it next writes",
		"then the other end could wait for ever; the kernel tells it without being asked, with a FIN or an RST"},
	"later": {"nothing yet: it waits for the peer's FIN",
		"the two directions end independently of each other: no side waits for the other's FIN"},
}

// room is how much a side may have written before its end, and the kernel still has room at the other end for all of
// it: behind more, the FIN might have to wait.
const room = 16 << 10

// ended are the questions what a call that ends a side has the kernel send, which the other end tells. They need the
// two ends of the connection.
func ended(h *history) (list []candidate) {
	for i, e := range h.events {
		c, is := e.Body.(*timeline.Call)
		if !is || h.socket[i] == nil || h.socket[i].ends != h.entry[i] || !endsSending(c) || h.peer[h.socket[i]] == nil {
			continue
		}
		sent, why, spoils := h.told(i)
		if sent == "" || sent == "FIN" && h.before[i].written() > room {
			continue
		}
		q := candidate{Question: Question{At: h.entry[i], Side: e.Side, About: about(c), Why: why, Choices: []Choice{endings[sent]}},
			after: []int{h.entry[i]}, by: h.entry[i], spoils: spoils, weight: 2.5}
		q.Text = fmt.Sprintf("Now the %s calls %s. What does its kernel send?", e.Side, spoken(c.Call, c.Arguments()))
		for _, o := range []string{"FIN", "RST", "nothing", "later"} {
			if o != sent {
				q.wrong = append(q.wrong, endings[o])
			}
		}
		list = append(list, q)
	}
	return list
}

// told is what the other end of the connection says of what was sent: its read(), or a state that it was found in.
func (h *history) told(i int) (sent, why string, spoils int) {
	side := h.events[i].Side
	if stops := h.peer[h.socket[i]].stops; stops >= 0 {
		c := h.events[stops].Body.(*timeline.Call)
		switch {
		case c.Ret == 0:
			return "FIN", fmt.Sprintf("It ends what the %s sends, and nothing else; the %s will read the end of the stream.", side, side.Other()), stops
		case c.Errno == "ECONNRESET":
			return "RST", fmt.Sprintf("The %s's read() will tell of it. %s", side.Other(), whyReset), stops
		}
		return "", "", -1
	}
	if h.connections(side) > 1 {
		return "", "", -1 // a check does not say of which connection it is
	}
	for _, e := range h.events { // all of them: where the call was slow it may stand below what came of it
		if b, is := e.Body.(*timeline.Check); is && e.Side == side.Other() {
			if state, _, one := expected(b); one && hasFIN(state) {
				return "FIN", fmt.Sprintf("The %s's end will be found in %s, which comes of a FIN.", e.Side, state), -1
			}
		}
	}
	return "", "", -1
}

const whyReset = "close() sends RST where data has come that was not read, and with SO_LINGER {on, 0 s}; else FIN."

func about(c *timeline.Call) string {
	if c.Call == "shutdown" {
		return fmt.Sprintf("shutdown(%d, %s)", c.FD, c.Arguments().How())
	}
	return fmt.Sprintf("%s(%d)", c.Call, c.FD)
}

// spoken is a call without its descriptor.
func spoken(call string, a timeline.Arguments) string {
	if how := a.How(); how != "" {
		return "shutdown(" + how + ")"
	}
	return name(call) + "()"
}
