package stage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"socklife/internal/observe"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// run is one process' part of a scenario: one side, or both.
type run struct {
	sc                     *Scenario
	cfg                    Config
	log                    *timeline.Log
	clientHost, serverHost *host
	outside                *observe.Outside
	unvisited              atomic.Bool           // a server to which nobody has come yet
	visited                func()                // called when somebody has
	line                   *line                 // where a server's clients wait; nil: they do not
	turn                   atomic.Pointer[guest] // whose run this is, if it asked
	sides                  map[timeline.Side]*Side
	wire                   *Wire // nil on this host
	both                   bool  // both sides are in this process
	clock                  *clock
	labels                 labels
	looked                 sync.Once       // see lastLook
	outer, ctx             context.Context // the caller's, the run's
	cancel                 context.CancelCauseFunc

	mu           sync.Mutex
	open         []*Conn                 // sockets to close at the end, in the order they were made
	followed     []*watch.Socket         // every socket, in the order they were first seen
	met          []*watch.Socket         // sockets of the server that the kernel made, in the order they were first seen
	accepted     []*Conn                 // those of them that the server has accepted and not closed
	handed       *Conn                   // a connection that is left to the next run
	taken        map[uint64]bool         // the cookies of all that it has accepted
	whose        map[uint64]bool         // of those that were met in a client's turn: that they are its own
	from         map[netip.AddrPort]bool // what a client that was given its turn has connected from
	checks       int
	failed       int
	stopped      bool
	expectations []*expectation // of sockets, not met yet
}

// newRun opens what a run of these sides needs: the netlink socket and the watcher that polls through it. It makes none
// where the lesson would not hold.
func newRun(ctx context.Context, sc *Scenario, cfg Config, sides ...timeline.Side) (*run, error) {
	r := &run{sc: sc, cfg: cfg, log: cfg.Log, both: len(sides) > 1, visited: func() {}, taken: map[uint64]bool{},
		whose: map[uint64]bool{}, from: map[netip.AddrPort]bool{}, sides: map[timeline.Side]*Side{}}
	if err := r.unfit(sides[0]); err != nil {
		return nil, err
	}
	if err := r.openHosts(); err != nil {
		return nil, err
	}
	var err error
	r.startLabels()
	if r.outside, err = r.watchOutside(); err != nil {
		r.closeHosts()
		return nil, err
	}
	r.outer = ctx
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	if r.cfg.Timeout == 0 {
		r.cfg.Timeout = 10 * time.Second
	}
	r.clock = newClock(r.ctx, func() { r.countdown("", 0) })
	return r, nil
}

// Both runs both sides in this process, over a port that is free.
func Both(ctx context.Context, sc *Scenario, cfg Config) Result {
	if sc.OnlyWire && cfg.Wire == nil {
		return Result{Err: ErrNeedsWire}
	}
	r, err := newRun(ctx, sc, cfg, timeline.Client, timeline.Server)
	if err != nil {
		return Result{Err: err}
	}
	if r.wire != nil {
		cfg.Addr = r.wire.addr(cfg.Addr)
		r.wire.server = cfg.Addr
	}
	server, client := r.side(timeline.Server, cfg.Addr), r.side(timeline.Client, netip.AddrPort{})
	r.log.Begin(timeline.Client, &timeline.Begin{Scenario: sc.Name})
	listening := make(chan netip.AddrPort, 1)
	server.ready = func(a netip.AddrPort) { listening <- a }
	return r.finish(r.play(func() {
		r.start(server, sc.Server)
		// Somebody who has two terminals types the address that echod prints. That is all the sides are told.
		select {
		case client.Addr = <-listening:
			r.start(client, sc.Client)
		case <-server.done:
			close(client.done)
		}
		<-server.done
		<-client.done
	}), timeline.Client)
}

// Client runs the client's side against a server in another process, when it is its turn there. A run that another
// client has spoiled is played again.
func Client(ctx context.Context, sc *Scenario, cfg Config) (result Result) {
	var p *place
	for again := true; again; {
		r, err := newRun(ctx, sc, cfg, timeline.Client)
		if err != nil {
			return Result{Err: err}
		}
		client := r.side(timeline.Client, cfg.Addr)
		if p, err = client.takeTurn(p); err != nil {
			result, again = r.finish(err, timeline.Client), false
			continue
		}
		end := p.play(r)
		r.log.Begin(timeline.Client, &timeline.Begin{Scenario: sc.Name})
		err = r.play(func() {
			r.start(client, sc.Client)
			<-client.done
		})
		end()
		result = r.finish(client.explained(err), timeline.Client)
		again = errors.Is(result.Err, ErrStranger) && client.again
	}
	p.leave()
	return result
}

// play runs the body with the watcher polling beside it, and ends the polling after it.
func (r *run) play(body func()) error {
	polling, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	r.poll(polling, &wg)
	wg.Go(func() {
		select {
		case <-r.ctx.Done():
			r.abort()
		case <-polling.Done():
		}
	})
	if r.wire == nil {
		body()
	} else if r.prepare() {
		r.wire.play(polling, &wg, body)
	}
	r.closeAll()
	stop()
	wg.Wait()
	if r.wire != nil {
		r.wire.ended()
	}
	return context.Cause(r.ctx)
}

// finish reports the summary and lets go of what newRun opened.
func (r *run) finish(err error, side timeline.Side) Result {
	r.clock.stop()
	r.countdown("", 0)
	r.cancel(nil)
	if err == nil {
		err = r.blind()
	}
	if seenErr := r.outside.Close(); err == nil {
		err = seenErr
	}
	if r.wire != nil && len(r.cfg.Wire.Sets) > 0 && (err != nil || r.failed > 0) && r.outer.Err() == nil {
		err = cmp.Or(r.wire.changed(), err)
	}
	if hostErr := r.closeHosts(); err == nil {
		err = hostErr
	}
	result := Result{Checks: r.checks, Failed: r.failed, Err: err, experiment: r.cfg.Experiment}
	result.Interrupted = err != nil && (r.outer.Err() != nil || errors.Is(err, context.Canceled))
	idle := r.unvisited.Load() || errors.Is(err, ErrLeft) // a server that is stopped while it waits has not played
	if result.Err == nil || !idle {
		r.log.Add(side, time.Time{}, &timeline.Summary{Scenario: r.sc.Name, OK: result.OK(), Checks: r.checks, Failed: r.failed, Why: result.Why(), Options: r.cfg.Experiment})
	}
	r.log.Flush()
	r.log.SeenTo(time.Time{})
	r.log.SetLabels(nil)
	return result
}

// start runs one side on a goroutine of its own.
func (r *run) start(s *Side, lesson func(*Side)) {
	err := s.host.run(func() {
		defer close(s.done)
		defer r.letGo(s)
		defer r.caught()
		lesson(s)
	})
	if err != nil {
		r.cancel(err)
		close(s.done)
	}
}

// caught ends the run if what it is deferred in was halted.
func (r *run) caught() {
	if p := recover(); p != nil {
		stop, ok := p.(halt)
		if !ok {
			panic(p)
		}
		r.cancel(stop.err)
	}
}

// letGo resets what a side has open that was ended before its end: a close() of the other side may wait for it
// (SO_LINGER).
func (r *run) letGo(s *Side) {
	if r.ctx.Err() == nil {
		return
	}
	r.lastLook()
	r.mu.Lock()
	open := slices.DeleteFunc(slices.Clone(r.open), func(c *Conn) bool { return c.side != s || c.keep || c == r.handed })
	r.mu.Unlock()
	for _, c := range open {
		c.discard()
	}
}

// lastLook ends what is told of the sockets, before they are ended by calls that are not the lesson's.
func (r *run) lastLook() {
	r.looked.Do(func() {
		r.look()
		r.log.SeenTo(time.Now())
	})
}

// prepare has the wire made ready for the lesson; it is false if that failed.
func (r *run) prepare() bool {
	r.wire.announce()
	r.wire.nameOrigin()
	if r.sc.Prepare != nil {
		func() {
			defer r.caught()
			r.sc.Prepare(r.wire)
		}()
	}
	return r.ctx.Err() == nil
}

// halt ends a side from within: a lesson's code has no error handling of its own, so that it reads as the lesson.
type halt struct{ err error }

// abort wakes every call that is still in the kernel, so that the sides end. A listener that is to be kept, and in
// which nobody waits, stays as it is: others may be in its queue.
func (r *run) abort() {
	r.lastLook()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	for _, c := range r.open {
		if !c.keep && c != r.handed || c.accepting.Load() || r.outer.Err() != nil {
			c.sock.Abort()
			c.side.aborted = c.side.aborted || c.keep
		}
	}
}

// observed takes what the watcher saw.
func (r *run) observed(c watch.Change) {
	if c.First && c.To != tcpinfo.Listen {
		r.mu.Lock()
		r.followed = append(r.followed, c.Socket)
		r.mu.Unlock()
	}
	if c.To == tcpinfo.Listen && c.Now.AcceptQueue > 0 {
		r.visited() // a connection that was reset at once is seen nowhere else
	}
	if c.First && c.Socket.Tag() == any(timeline.Server) && c.Socket.Remote().IsValid() {
		r.mu.Lock()
		r.met = append(r.met, c.Socket)
		r.mu.Unlock()
		r.visited()
		r.identify(c.Socket)
	}
	observe.Change(r.log, c, r.labels.sampled(c), r.ended(c))
	r.judge(c)
}

// keep remembers a socket so that nothing is left behind however the run ends.
func (r *run) keep(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = append(r.open, c)
	if r.stopped {
		c.sock.Abort()
	}
}

// keepOpen leaves a listener to the next run.
func (r *run) keepOpen(l *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l.keep = true
}

// came remembers a connection that the server has accepted.
func (r *run) came(c *Conn) {
	r.visited()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accepted = append(r.accepted, c)
	r.taken[c.watch.Cookie()] = true
}

// visitors is how many connections the server has accepted.
func (r *run) visitors() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.taken)
}

// drop forgets a socket that the lesson has closed itself.
func (r *run) drop(c *Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	is := func(o *Conn) bool { return o == c }
	r.open, r.accepted = slices.DeleteFunc(r.open, is), slices.DeleteFunc(r.accepted, is)
}

// closeAll closes what the lesson left open, but for the listener of a server that goes on. After a run that failed the
// connections are reset, so that no state of theirs stays in the kernel.
func (r *run) closeAll() {
	r.mu.Lock()
	left := r.open
	r.open = nil
	stopped := r.stopped || r.ctx.Err() != nil
	var kept []*Conn
	for _, c := range left {
		if c.keep && c.side.keepsOpen(stopped, context.Cause(r.ctx)) || c == r.handed {
			kept = append(kept, c)
		} else if c.keep {
			c.side.listener = nil
		}
	}
	r.mu.Unlock()
	for _, c := range left {
		switch {
		case slices.Contains(kept, c):
			// goes on to the next run
		case stopped:
			c.discard()
		default:
			r.end(c)
		}
	}
	r.look()
}

// end closes a socket as the end of its process would. The user, who may be asked before, may quit there too.
func (r *run) end(c *Conn) {
	func() {
		defer r.caught()
		c.finish()
	}()
	if r.ctx.Err() != nil {
		c.discard()
	}
}

// fail ends the side that calls it.
func (r *run) fail(err error) {
	if mismatch := r.mismatch(); mismatch != nil {
		err = mismatch
	}
	if cause := context.Cause(r.ctx); cause != nil {
		err = cause // the first failure is the reason; what follows from it is not news
	}
	panic(halt{err})
}

// check records an expectation and whether it was met.
func (r *run) check(side timeline.Side, at time.Time, expect, got string, ok bool) {
	r.record(side, at, &timeline.Check{Expect: expect, Got: got, OK: ok})
}

func (r *run) record(side timeline.Side, at time.Time, c *timeline.Check) {
	r.mu.Lock()
	r.checks++
	if !c.OK {
		r.failed++
	}
	r.mu.Unlock()
	r.log.Add(side, at, c)
}

// timeout is a wait that took too long.
type timeout struct {
	what  string
	after time.Duration
}

func (t timeout) Error() string {
	return fmt.Sprintf("%s: nothing came for %v", t.what, t.after)
}

func (t timeout) Unwrap() error { return os.ErrDeadlineExceeded }
