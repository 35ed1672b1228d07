package quiz

import (
	"slices"

	"socklife/internal/timeline"
)

// learn follows what goes from one side to the other: what came before a write comes before the read that has its data.
func (h *history) learn() {
	known := map[timeline.Side]int{timeline.Client: -1, timeline.Server: -1}
	arrived := map[*socket]int{}
	for i, e := range h.events {
		c, is := e.Body.(*timeline.Call)
		if is && h.socket[i] != nil {
			known[e.Side] = max(known[e.Side], h.heard(i, c, arrived))
		}
		h.known[i] = known[e.Side]
	}
}

// heard is the other side's event that a call shows to have been; -1 is none.
func (h *history) heard(i int, c *timeline.Call, arrived map[*socket]int) int {
	if peer := h.peer[h.fresh[i]]; peer != nil {
		return peer.begun
	}
	s := h.socket[i]
	peer := h.peer[s]
	if peer == nil || c.Call != "read" && c.Call != "recvfrom" {
		return -1
	}
	if c.Ret <= 0 {
		if c.Ret == 0 || c.Errno == "ECONNRESET" {
			return peer.ends
		}
		return -1
	}
	arrived[s] += c.Ret
	of, _ := slices.BinarySearchFunc(peer.sent, arrived[s], func(w sent, n int) int { return w.bytes - n })
	if of < len(peer.sent) {
		return peer.sent[of].at
	}
	return -1
}

// precedes says whether one event comes before another in every run, or is the same. Whether a call has an event of its
// own for its entry differs from run to run, and makes no difference here.
func (h *history) precedes(i, j int) bool {
	i, j = h.whole[i], h.whole[j]
	if h.events[i].Side == h.events[j].Side {
		return i <= j
	}
	return h.known[j] >= i
}
