package survey

import (
	"slices"
	"time"

	"socklife/internal/diagnose"
	"socklife/internal/owner"
)

// owners are the processes that have sockets open. To go through /proc takes longer than a dump where there are many
// processes, and holds a lock of each for a moment, so it takes a small part of the time, and a larger one while there are
// sockets that were not asked about.
type owners struct {
	of    map[uint32][]owner.Holder
	asked map[uint32]bool // the sockets that were there when /proc was gone through
	last  time.Time       // when that ended
	took  time.Duration
}

// refresh goes through /proc, if it is time.
func (o *owners) refresh(all []*diagnose.Facts) {
	share := time.Duration(200)
	if slices.ContainsFunc(all, func(f *diagnose.Facts) bool { return !o.asked[f.Inode] }) {
		share = 10
	}
	begin := time.Now()
	if begin.Sub(o.last) < share*o.took {
		return
	}
	o.of, o.asked = owner.Sockets(), make(map[uint32]bool, len(all))
	for _, f := range all {
		o.asked[f.Inode] = true
	}
	o.last = time.Now()
	o.took = o.last.Sub(begin)
}
