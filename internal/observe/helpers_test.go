package observe

import (
	"net/netip"
	"sync"

	"socklife/internal/timeline"
)

// record keeps what a log hands out.
type record struct {
	mu     sync.Mutex
	events []timeline.Event
}

func (r *record) Event(e timeline.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func addrPort(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }
