package watch

import (
	"context"
	"errors"
	"time"

	"socklife/tcpinfo"
)

// effort is how much a sample may cost.
type effort uint8

const (
	poll     effort = iota // one getsockopt where a descriptor is open and says nothing new, else one exact lookup
	deepPoll               // all that can be known: some news does not show in TCP_INFO
	look                   // the same, and RecvQ is news too
)

// deepEvery is how many polls there are to a deep one. A dump, for the SYN queue, costs hundreds of times a getsockopt.
const deepEvery = 20

// Sample looks at every socket now and reports what changed, before it returns.
func (w *Watcher) Sample() { w.pass(look) }

// Run polls until ctx ends, and then returns. A poll costs one getsockopt (half a microsecond) for a socket with an
// open descriptor and one exact lookup (5 µs) for any other; once it finds something new it looks closer. Every 20th
// poll is a look at everything, which finds the rest: the SYN queue, children, timers. every is 5 ms if it is not
// positive.
//
// While there has been nothing but listeners for a while, it polls ten times less often: a server that waits for its
// first client costs little.
//
// What happens between two polls is seen only if a Sample falls in between.
func (w *Watcher) Run(ctx context.Context, every time.Duration) {
	if every <= 0 {
		every = 5 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	idle := 0 // so many polls found nothing but listeners
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		e := poll
		if n%deepEvery == 0 {
			e = deepPoll
		}
		switch listeners := w.pass(e); {
		case listeners && idle < idleAfter:
			if idle++; idle == idleAfter {
				tick.Reset(10 * every)
			}
		case !listeners && idle >= idleAfter:
			tick.Reset(every)
			fallthrough
		case !listeners:
			idle = 0
		}
	}
}

// idleAfter is how many polls may find nothing but listeners before they become fewer.
const idleAfter = 250

// pass samples every socket that was followed when it began. It says whether all of them listen.
func (w *Watcher) pass(e effort) (listeners bool) {
	w.sampling.Lock()
	defer w.sampling.Unlock()
	listeners = true
	for _, sk := range w.sockets {
		w.sample(sk, e)
		listeners = listeners && sk.known.state == tcpinfo.Listen
	}
	w.finish()
	return listeners
}

// calmTries is how often the kernel is asked again because something happened while it was asked. Then an answer whose
// place is not quite certain is better than none.
const calmTries = 5

// sample takes a sample while nothing else happens.
func (w *Watcher) sample(sk *Socket, e effort) {
	w.whileCalm(func() { w.sampleOnce(sk, e) })
}

// whileCalm does what asks the kernel and reports, again if the answer's place among what happens is not certain.
func (w *Watcher) whileCalm(ask func()) {
	outer := w.still
	defer func() { w.still = outer }()
	for try := 1; ; try++ {
		still, done := w.around()
		w.still, w.disturbed = still, false
		if try == calmTries {
			w.still = undisturbed
		}
		ask()
		done()
		if !w.disturbed {
			return
		}
	}
}

func (w *Watcher) sampleOnce(sk *Socket, e effort) {
	info, open := sk.read()
	switch {
	case !open:
		w.sampleClosed(sk, e)
	case e == poll && sk.seen() && keyOf(&info) == sk.polled && !sk.known.timeWait:
		// Nothing new, as far as TCP_INFO tells. In TIME-WAIT it tells nothing.
	default:
		w.sampleOpen(sk, info, e)
	}
}

// read asks TCP_INFO of the first descriptor that is still open.
func (sk *Socket) read() (tcpinfo.Info, bool) {
	for len(sk.fds) > 0 {
		info, err := tcpinfo.Get(sk.fds[0])
		if err == nil {
			return info, true
		}
		if refused := (*tcpinfo.Error)(nil); errors.As(err, &refused) { // it is open, and the kernel does not say
			sk.refused = err
			sk.w.fail(err)
		}
		sk.fds = sk.fds[1:]
	}
	return tcpinfo.Info{}, false
}

// pollKey is what of TCP_INFO makes a poll look closer.
type pollKey struct {
	state                        tcpinfo.State
	retransmits, probes, backoff uint8
	persist                      bool
	acceptQueue, acceptLimit     uint32
}

func keyOf(i *tcpinfo.Info) pollKey {
	k := pollKey{state: i.State, retransmits: i.Retransmits, probes: i.Probes, backoff: i.Backoff}
	if i.State == tcpinfo.Listen {
		k.acceptQueue, k.acceptLimit = i.Unacked, i.Sacked
	} else {
		k.persist = i.NotsentBytes > 0 && i.Unacked == 0 // the kernel's probe timer runs (tcp_check_probe_timer)
	}
	return k
}

// agreeTries is how often a sample is begun again because the socket became another connection while it was taken.
const agreeTries = 3

// sampleOpen samples a socket with an open descriptor: info is what TCP_INFO said just now, the details are
// sock_diag's.
func (w *Watcher) sampleOpen(sk *Socket, info tcpinfo.Info, e effort) {
	for try := 1; ; try++ {
		s := infoSample(info)
		was := sk.polled.state
		sk.polled = keyOf(&info)
		sk.track(was, info.State)
		if info.State == tcpinfo.Listen {
			w.observeListener(sk, s, e)
			return
		}
		if w.sampleDetails(sk, s, e) {
			return
		}
		next, open := sk.read()
		switch {
		case !open:
			w.sampleClosed(sk, e)
			return
		case try == agreeTries, next.State == info.State && !sk.learnAddrs(next.State):
			return
		}
		info = next
	}
}

// sampleDetails asks sock_diag for a connection of which TCP_INFO said s, and reports what the two say together. It is
// false where TCP_INFO must be asked again, because the two cannot be of one connection: the socket was reset, or
// connected again, in between. X and Y are states other than CLOSED; an entry is what the kernel keeps instead of the
// socket (TIME-WAIT, or an orphan's FIN-WAIT-2).
//
//	TCP_INFO   sock_diag, a moment later   report
//	X          X                           X by TCP_INFO, with sock_diag's details
//	X          Y                           X by TCP_INFO, then Y by sock_diag: it moved in between
//	X          an entry                    the same, the entry being Y
//	X          an entry, known already     the entry: it takes the socket's place before that is CLOSED
//	X          not found                   X by TCP_INFO, without details; ask again
//	X          an error                    X by TCP_INFO, without details
//	CLOSED     an entry                    the entry, by sock_diag: TCP_INFO cannot know of it
//	CLOSED     Y                           CLOSED by TCP_INFO; ask again
//	CLOSED     not found                   CLOSED by TCP_INFO
//	CLOSED     an error                    none: it may be TIME-WAIT, and who could tell does not answer
func (w *Watcher) sampleDetails(sk *Socket, s Sample, e effort) (agreed bool) {
	if !sk.connected {
		w.observe(sk, s, e)
		return true
	}
	ask := sk.find
	if e == poll && s.State != tcpinfo.Closed {
		ask = sk.lookup // a poll can do without details, but not take TIME-WAIT for CLOSED
	}
	d, err := ask()
	switch {
	case err == nil:
		return w.observeBoth(sk, s, diagSample(d), e)
	case !errors.Is(err, tcpinfo.ErrNotFound):
		w.fail(err)
		if s.State == tcpinfo.Closed {
			return true
		}
	case s.State == tcpinfo.Closed:
		sk.connected = false
	default:
		w.observe(sk, s, e)
		return false
	}
	w.observe(sk, s, e)
	return true
}

// observeBoth reports what TCP_INFO said and what sock_diag said a moment later, as in the table of sampleDetails.
func (w *Watcher) observeBoth(sk *Socket, s, d Sample, e effort) bool {
	timeWait := isTimeWait(d.Diag)
	switch {
	case d.State == s.State:
		s.Diag = d.Diag
		w.observe(sk, s, e)
	case s.State == tcpinfo.Closed && timeWait:
		w.observe(sk, d, e)
	case s.State == tcpinfo.Closed:
		w.observe(sk, s, e)
		return false
	case timeWait && sk.known.timeWait:
		w.observe(sk, d, e)
	default:
		w.observe(sk, s, e)
		w.observe(sk, d, e)
	}
	return true
}

// sampleClosed samples a socket that no descriptor leads to any more.
func (w *Watcher) sampleClosed(sk *Socket, e effort) {
	s, err := sk.find()
	switch {
	case errors.Is(err, tcpinfo.ErrNotFound):
		w.observe(sk, Sample{Time: time.Now(), Source: SockDiag, State: tcpinfo.Closed, Gone: true, SynQueue: -1}, e)
	case err != nil:
		w.fail(err)
	case s.State == tcpinfo.Listen:
		w.observeListener(sk, diagSample(s), e)
	default:
		w.observe(sk, diagSample(s), e)
	}
}

// find finds the socket by its cookie. That it is not there is confirmed by a dump; so are sockets found that an exact
// lookup misses: one that connected and was closed between two samples, whose addresses nobody knows, and one that is
// bound to an interface (SO_BINDTODEVICE).
func (sk *Socket) find() (tcpinfo.Socket, error) {
	if sk.connected || sk.known.state == tcpinfo.Listen {
		if s, err := sk.lookup(); err == nil || !errors.Is(err, tcpinfo.ErrNotFound) {
			return s, err
		}
	}
	s, err := sk.findInDump(sk.Local())
	if err == nil {
		sk.setAddrs(s.Local, s.Remote)
	}
	return s, err
}

// track learns the addresses when they are new: when the socket leaves CLOSED, or was bound.
func (sk *Socket) track(was, state tcpinfo.State) {
	fresh := was == 0 || was == tcpinfo.Closed || was == tcpinfo.Listen
	switch {
	case state == tcpinfo.Closed && (sk.connected || sk.Remote().IsValid()):
		// The addresses stay those of the connection that was.
	case state == tcpinfo.Listen && was == tcpinfo.Listen:
	case state == tcpinfo.Closed, state == tcpinfo.Listen, fresh, !sk.connected:
		sk.learnAddrs(state)
	}
}

func infoSample(i tcpinfo.Info) Sample {
	s := Sample{Time: time.Now(), Source: TCPInfo, State: i.State, Info: &i, SynQueue: -1}
	if i.State == tcpinfo.Listen {
		s.AcceptQueue, s.AcceptLimit = i.Unacked, i.Sacked
	}
	return s
}

func diagSample(d tcpinfo.Socket) Sample {
	s := Sample{Time: time.Now(), Source: SockDiag, State: d.State, Info: d.Info, Diag: &d, SynQueue: -1}
	if d.State == tcpinfo.Listen {
		s.AcceptQueue, s.AcceptLimit = d.RecvQ, d.SendQ
	}
	return s
}
