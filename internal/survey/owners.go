package survey

import (
	"slices"
	"time"

	"socklife/internal/diagnose"
	"socklife/internal/owner"
)

// owners are the processes that have sockets open. To go through /proc takes longer than a dump where there are many
// processes, and holds a lock of each for a moment, so it takes a small part of the time, and a larger one while there
// are sockets that were not asked about.
type owners struct {
	of    map[uint32][]owner.Holder
	said  map[uint32]*diagnose.Words
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
	o.of, o.asked, o.said = owner.Sockets(), make(map[uint32]bool, len(all)), map[uint32]*diagnose.Words{}
	for _, f := range all {
		o.asked[f.Inode] = true
	}
	o.last = time.Now()
	o.took = o.last.Sub(begin)
}

// words are who has a socket, put in words once.
func (o *owners) words(f *diagnose.Facts) *diagnose.Words {
	if len(f.Owners) == 0 {
		return nil
	}
	w := o.said[f.Inode]
	if w == nil {
		w = diagnose.WordsOf(f.Owners)
		o.said[f.Inode] = w
	}
	return w
}
