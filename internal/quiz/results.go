package quiz

import (
	"fmt"

	"socklife/internal/timeline"
)

// results are the questions about what calls return.
func results(h *history) (list []candidate) {
	failed := map[timeline.Side]map[string]bool{timeline.Client: {}, timeline.Server: {}} // the last call of that name
	for i, e := range h.events {
		c, is := e.Body.(*timeline.Call)
		if !is || failed[e.Side] == nil {
			continue
		}
		again := failed[e.Side][c.Call]
		failed[e.Side][c.Call] = c.Errno != "" && c.Errno != "EINPROGRESS"
		outcome := outcomeOf(c)
		if weight := interest(c, h.before[i], again); weight > 0 && meanings[c.Call][outcome] != "" {
			list = append(list, result(h, i, c, outcome, again, weight))
		}
	}
	return list
}

// result is the question what a call returns.
func result(h *history, i int, c *timeline.Call, outcome string, again bool, weight float64) candidate {
	side, before := h.events[i].Side, h.before[i]
	q := candidate{Question: Question{At: i, Side: side, About: fmt.Sprintf("%s(%d, ...)", name(c.Call), c.FD)}, after: []int{i}, by: i, spoils: -1, weight: weight}
	q.Text = fmt.Sprintf("%sthe %s calls %s(). What does it return?", story(side, c.Call, before, again), side, name(c.Call))
	q.Choices = []Choice{{outcome, meanings[c.Call][outcome]}}
	q.Why = why(c.Call, outcome, before)
	for _, o := range outcomes[c.Call] {
		if o != outcome {
			q.wrong = append(q.wrong, Choice{o, meanings[c.Call][o]})
		}
	}
	return q
}

// interest is how much there is to learn from a call's result; 0 is nothing, or not the same in every run.
func interest(c *timeline.Call, before socket, again bool) float64 {
	switch {
	case c.Errno == "EAGAIN" || c.Errno == "EINTR":
		return 0 // how often depends on how fast the other side is
	case c.Errno != "":
		return 3
	case (c.Call == "read" || c.Call == "recvfrom") && c.Ret == 0:
		return 1.5
	case (c.Call == "write" || c.Call == "sendto") && before.eof && before.wrote == 0:
		return 3
	case again && (c.Call == "bind" || c.Call == "connect"):
		return 2.5
	}
	return 0
}

// outcomeOf is what a call returned, without what differs from run to run.
func outcomeOf(c *timeline.Call) string {
	switch {
	case c.Errno != "":
		return "-1 " + c.Errno
	case c.Call == "accept4":
		return descriptor
	case (c.Call == "read" || c.Call == "recvfrom") && c.Ret > 0:
		return someBytes
	case (c.Call == "write" || c.Call == "sendto") && c.Ret > 0:
		return allBytes
	}
	return "0"
}

// story is what the side has done with the socket before.
func story(side timeline.Side, call string, s socket, again bool) string {
	writes := call == "write" || call == "sendto"
	data := writes || call == "read" || call == "recvfrom"
	switch {
	case data && s.err != "":
		return fmt.Sprintf("A call on this connection has failed with %s. Now ", s.err)
	case writes && s.wrote > 0:
		return fmt.Sprintf("The %s has read the end of the stream, and has written once since then. Again ", side)
	case writes && s.shut:
		return fmt.Sprintf("The %s has shut its sending side with shutdown(). Now ", side)
	case writes && s.eof:
		return fmt.Sprintf("The %s has read the end of the stream: read() gave 0. Now ", side)
	case again && (call == "bind" || call == "connect"):
		return fmt.Sprintf("The last %s() failed. Once more ", name(call))
	}
	return "Now "
}

// name is what a program calls it: send(2) is a library's name for the system call sendto.
func name(call string) string {
	switch call {
	case "accept4":
		return "accept"
	case "recvfrom":
		return "recv"
	case "sendto":
		return "send"
	}
	return call
}
