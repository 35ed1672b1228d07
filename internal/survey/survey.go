// Package survey looks at any program's TCP sockets, turn after turn: one dump a turn and no lookup, who has them open,
// what is the matter with them, and what is news. It touches none of them.
package survey

import (
	"errors"
	"os"
	"slices"
	"time"

	"socklife/internal/diagnose"
	"socklife/internal/owner"
	"socklife/tcpinfo"
)

// Config is what to look at.
type Config struct {
	Targets []Target
	States  tcpinfo.StateMask // of those, only these; 0: all
	Limits  Limits
	Root    bool // this user may see everybody's processes
}

// Limits are those of the network namespace; 0 where it is not known.
type Limits struct {
	Ports, TimeWaits int
	Reuse            int // tcp_tw_reuse, if it has an effect: 1 is everywhere, 2 on loopback
}

// Socket is one that is looked at.
type Socket struct {
	*diagnose.Facts
	Finding diagnose.Finding
	Number  int  // 1, 2, …: in the order in which they were first seen
	Server  bool // it came in through a listener, or is one, as far as that shows

	OtherNumber int // of the socket at the other end, where a turn was made of events
}

// Change is what is news of a socket since the turn before.
type Change struct {
	*Socket
	What string        // new, changed, gone
	From tcpinfo.State // the state before, of what is not new
	Was  diagnose.Finding
	Told bool // the tracepoint has told of the state, where the turn was made of events
}

// Turn is what there was at one look.
type Turn struct {
	At      time.Time // when it was over: what is shown was so before
	First   bool      // of the survey: nothing is news
	Same    bool      // a glance found nothing changed: the sockets are those of the turn before
	Sockets []*Socket // in the order of the dump
	Changes []Change
	Took    time.Duration // the dump
}

// Survey looks.
type Survey struct {
	cfg    Config
	diag   *tcpinfo.Conn
	netns  string // as /proc has it
	known  map[uint64]*track
	count  int
	turns  int
	owners owners
	scope  scope
	glance glance
	room   room
	last   *Turn

	waiting int // in TIME-WAIT in the whole namespace, where not all are dumped
}

// track is what is kept of a socket from turn to turn.
type track struct {
	turn   int // in which it was last there
	state  tcpinfo.State
	since  time.Time // in its state
	exact  bool      // it was seen to come into it
	queued time.Time // since when it has been waiting for accept()
	timer  tcpinfo.Timer
	vain   time.Time // since when the timer has been running in vain; zero: it has not
	inode  uint32
	recvQ  uint32
	sendQ  uint32
	read   uint64         // bytes that the application has read
	seen   bool           // that was counted before
	reads  bool           // it was seen to
	acked  uint64         // bytes that got through to the peer
	unread time.Time      // since when there have been others, and none of them was read; zero: there are none
	owners []owner.Holder // the last that were seen
	told   *Socket        // as it was last told of; nil: it is none of those that were asked for
}

// New makes a survey over a Conn, which it does not close, of the network namespace that this thread is in.
func New(diag *tcpinfo.Conn, cfg Config) *Survey {
	netns, _ := os.Readlink("/proc/thread-self/ns/net") // the others' threads may be elsewhere
	return &Survey{cfg: cfg, diag: diag, known: map[uint64]*track{}, netns: netns}
}

// tries is how often a dump is repeated during which the kernel's tables changed too much. The last one is taken as it
// is: what it has is true, and what it lacks comes in the next turn.
const tries = 3

// Look takes a turn.
func (s *Survey) Look() (*Turn, error) {
	t, begin := &Turn{First: s.turns == 0}, time.Now()
	if s.same(begin) {
		t.Same, t.Sockets, t.At = true, s.last.Sockets, time.Now()
		t.Took = t.At.Sub(begin)
		return t, nil
	}
	s.glance.begins(begin)
	all, err := s.dump()
	if err != nil {
		return nil, err
	}
	t.At = time.Now()
	t.Took = t.At.Sub(begin)
	s.owners.refresh(all)
	s.processes()
	for _, f := range all {
		f.Owners, f.Root, f.Asked = s.owners.of[f.Inode], s.cfg.Root, s.owners.asked[f.Inode]
		f.Words = s.owners.words(f)
	}
	if s.cfg.port() != 0 {
		s.waiting = timeWaits()
	}
	s.take(t, all)
	s.glance.ends(s, all, t)
	s.last = t
	return t, nil
}

// processes finds out which of those that were asked for have ended: their numbers may be others' now.
func (s *Survey) processes() {
	s.scope.mu.Lock()
	defer s.scope.mu.Unlock()
	for i, t := range s.cfg.Targets {
		if t.PID != 0 && t.Began != "" && owner.Began(t.PID) != t.Began {
			s.cfg.Targets[i].over = true
		}
	}
}

// take makes a turn of what there is.
func (s *Survey) take(t *Turn, all []*diagnose.Facts) {
	s.turns++
	for _, f := range all {
		s.track(f, t.At)
	}
	scene := newScene(all, s.cfg.Limits)
	scene.waiting = s.waiting
	scene.join()
	s.scope.found(scene, t.At)
	for _, f := range all {
		if s.cfg.wants(f) {
			s.report(t, f, scene.server(f))
		} else {
			s.leaves(t, f)
		}
	}
	s.forget(t)
}

// dump is what the kernel tells of all sockets, or of all with the port that was asked for: listeners and other ends
// are among them.
func (s *Survey) dump() (all []*diagnose.Facts, err error) {
	for range tries {
		seen := make(map[uint64]int, len(s.known))
		all = make([]*diagnose.Facts, 0, len(s.known))
		for k, e := range s.diag.Sockets(tcpinfo.Filter{With: tcpinfo.WithInfo, Port: s.cfg.port()}) {
			if err = e; err != nil {
				break
			}
			f := s.room.keep(k)
			if n, twice := seen[f.Cookie]; twice {
				all[n] = f
				continue
			}
			seen[f.Cookie] = len(all)
			all = append(all, f)
		}
		if !errors.Is(err, tcpinfo.ErrInconsistent) {
			return all, err
		}
	}
	return all, nil
}

// room is what the sockets of a look are put in.
type room struct {
	facts   slab[diagnose.Facts]
	info    slab[tcpinfo.Info]
	bits    slab[tcpinfo.Shutdown]
	sockets slab[Socket]
}

// keep makes a socket of its own of one that is the next one's too.
func (r *room) keep(k *tcpinfo.Socket) *diagnose.Facts {
	f := r.facts.next()
	f.Socket = *k
	if k.Info != nil {
		f.Info = r.info.next()
		*f.Info = *k.Info
		f.Info.Extra = nil
	}
	if k.Shutdown != nil {
		f.Shutdown = r.bits.next()
		*f.Shutdown = *k.Shutdown
	}
	f.SockOpt, f.Unknown = nil, nil
	return f
}

// track keeps since when a socket has been as it is, and whose it was.
func (s *Survey) track(f *diagnose.Facts, now time.Time) {
	k := s.known[f.Cookie]
	switch {
	case k == nil:
		// In the first turn everything is seen for the first time; what is new later came since the turn before.
		k = &track{since: now, exact: s.turns > 1}
		if !k.exact {
			k.since = now.Add(-diagnose.Entered(&f.Socket))
		}
		s.known[f.Cookie] = k
	case k.state != f.State:
		k.since, k.exact = now, true
	}
	vain := f.Timer.Kind == tcpinfo.TimerPersist || f.Timer.Kind != tcpinfo.TimerNone && f.Timer.Retrans > 0
	switch {
	case !vain:
		k.vain = time.Time{}
	case k.vain.IsZero() || k.timer.Kind != f.Timer.Kind, f.Info != nil && f.Info.BytesAcked != k.acked:
		k.vain = now
	}
	if f.Info != nil {
		k.acked = f.Info.BytesAcked
	}
	k.timer, k.turn, k.state = f.Timer, s.turns, f.State
	k.inode, k.recvQ, k.sendQ = f.Inode, f.RecvQ, f.SendQ
	f.Unread, f.Reads = k.unreadFor(f, now), k.reads
	f.For, f.Exact = now.Sub(k.since), k.exact
	switch {
	case !f.Unaccepted():
		k.queued = time.Time{}
	case k.queued.IsZero():
		k.queued = k.since
		fallthrough
	default:
		f.Queue = now.Sub(k.queued)
	}
	if vain {
		f.Held = now.Sub(k.vain)
	}
	if len(f.Owners) > 0 {
		k.owners = f.Owners
	}
	f.Had = k.owners
}

// unreadFor says for how long there has been something to read of which nothing was read. What came, less what is in
// the queue, is what was read.
func (k *track) unreadFor(f *diagnose.Facts, now time.Time) time.Duration {
	if f.Info == nil {
		k.unread = time.Time{}
		return 0
	}
	before, first := k.read, !k.seen
	k.read, k.seen = f.Info.BytesReceived-uint64(f.RecvQ), true
	moved := !first && k.read != before
	k.reads = k.reads || moved
	switch {
	case f.RecvQ == 0:
		k.unread = time.Time{}
		return 0
	case k.unread.IsZero() || moved:
		k.unread = now
	}
	return now.Sub(k.unread)
}

// report puts a socket into the turn, and among the changes if there is news of it.
func (s *Survey) report(t *Turn, f *diagnose.Facts, server bool) {
	k := s.known[f.Cookie]
	now := s.room.sockets.next()
	*now = Socket{Facts: f, Finding: diagnose.Of(f), Server: server}
	c := Change{Socket: now, What: "new"}
	if k.told == nil {
		s.count++
		now.Number = s.count
	} else {
		now.Number, c.What, c.From, c.Was = k.told.Number, "changed", k.told.State, k.told.Finding
		now.Server = server || k.told.Server
	}
	if k.told == nil || now.news(k.told) {
		t.Changes = append(t.Changes, c)
	}
	k.told = now
	t.Sockets = append(t.Sockets, now)
}

// leaves says that a socket is none of those that were asked for any more.
func (s *Survey) leaves(t *Turn, f *diagnose.Facts) {
	k := s.known[f.Cookie]
	if k.told == nil {
		return
	}
	now := s.room.sockets.next()
	*now = Socket{Facts: f, Finding: diagnose.Of(f), Server: k.told.Server, Number: k.told.Number}
	t.Changes = append(t.Changes, Change{Socket: now, What: "gone", From: k.told.State, Was: k.told.Finding})
	k.told = nil
}

// news says whether a socket is otherwise than it was. Bytes that come and go are no news; connections that wait are.
func (s *Socket) news(was *Socket) bool {
	switch {
	case s.State == was.State && s.busy() && was.busy():
		return s.Inode != was.Inode || s.Asked != was.Asked || s.handedOver(was)
	case s.State != was.State, s.Finding.Name != was.Finding.Name, s.Finding.Grade != was.Finding.Grade, s.Inode != was.Inode, s.Asked != was.Asked, s.handedOver(was):
		return true
	case s.State == tcpinfo.Listen:
		return s.RecvQ != was.RecvQ || s.SendQ != was.SendQ || s.Half != was.Half
	}
	return false
}

// handedOver says whether other processes have it open than had.
func (s *Socket) handedOver(was *Socket) bool {
	return len(s.Owners) > 0 && len(was.Owners) > 0 && !slices.EqualFunc(s.Owners, was.Owners, func(a, b owner.Holder) bool { return a.PID == b.PID })
}

// busy says whether bytes come and go, or could, and all is well.
func (s *Socket) busy() bool {
	return s.State == tcpinfo.Established && s.Finding.Grade == diagnose.Healthy
}

// forget drops what is gone: what was not there at two looks in a row.
func (s *Survey) forget(t *Turn) {
	for cookie, k := range s.known {
		if k.turn >= s.turns-1 { // a dump is no snapshot, and may have missed it once
			continue
		}
		delete(s.known, cookie)
		if k.told != nil {
			t.Changes = append(t.Changes, Change{Socket: k.told, What: "gone", From: k.told.State, Was: k.told.Finding})
		}
	}
	slices.SortStableFunc(t.Changes, func(a, b Change) int { return a.Number - b.Number })
}
