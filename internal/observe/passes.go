package observe

import (
	"net/netip"
	"time"

	"socklife/internal/capture"
	"socklife/internal/segment"
)

// passes are the interfaces that segments are seen on. One that passes through several (a bridge and its port, a bond,
// a VLAN) is seen on each, and sent once.
type passes map[[2]netip.AddrPort]pass

// pass is where one direction of a connection was seen last.
type pass struct {
	on int
	at time.Time
}

// rerouted is after how long without a segment a connection may have come to pass through another interface.
const rerouted = 100 * time.Millisecond

// again says whether a segment was seen on another interface.
func (ps *passes) again(s segment.Segment, p capture.Packet) bool {
	key := [2]netip.AddrPort{s.Src, s.Dst}
	last, known := (*ps)[key]
	if known && last.on != p.Interface && p.At.Sub(last.at) < rerouted {
		return true
	}
	if *ps == nil || len(*ps) > 1<<14 {
		*ps = passes{}
	}
	(*ps)[key] = pass{p.Interface, p.At}
	return false
}
