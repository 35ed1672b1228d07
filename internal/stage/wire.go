package stage

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"socklife/internal/lab"
	"socklife/internal/observe"
	"socklife/internal/segment"
	"socklife/internal/timeline"
	"socklife/tcpinfo"
	"socklife/tcpinfo/watch"
)

// WireConfig is how the wire between the two hosts is to be.
type WireConfig struct {
	Link  lab.Link
	Rules []lab.Rule                         // the user's, besides the scenario's
	Sets  []Sysctl                           // of the hosts, before the run
	Step  func(context.Context, *Wire) error // holds every segment for the user to decide on; nil: nobody does
}

// Sysctl is one to be set on a side's host, or on both.
type Sysctl struct {
	Side        timeline.Side // "": both
	Name, Value string
}

// Wire is what lies between the sides when each has a host of its own. Its part in a lesson is to say what becomes of
// the segments, and, because it holds the progress in its hand, to check what both ends are in meanwhile.
type Wire struct {
	run      *run
	lab      *lab.Lab
	segments *observe.SegmentLog

	server netip.AddrPort // where the server is
	rules  []*lab.Active  // the user's
	quit   bool           // the user has, while deciding about segments
}

// openWire makes the two hosts.
func (r *run) openWire() (err error) {
	w := &Wire{run: r, segments: observe.NewSegmentLog(r.log, r.cfg.AbsoluteSeq, r.cfg.Pcap)}
	w.lab, err = lab.New(lab.Config{
		Link: r.cfg.Wire.Link, Rules: r.cfg.Wire.Rules, HoldAll: r.cfg.Wire.Step != nil, Report: w.segments.Report,
	})
	if err != nil {
		return err
	}
	w.rules = w.lab.Wire.Rules()
	for _, s := range r.cfg.Wire.Sets {
		if err := w.set(s); err != nil {
			return errors.Join(err, w.lab.Close())
		}
	}
	if r.clientHost, err = r.newHost(w.lab.Client); err != nil {
		return errors.Join(err, w.lab.Close())
	}
	if r.serverHost, err = r.newHost(w.lab.Server); err != nil {
		return errors.Join(err, r.clientHost.diag.Close(), w.lab.Close())
	}
	r.wire = w
	return nil
}

// addr is the server's address on the wire, of the family that was asked for.
func (w *Wire) addr(asked netip.AddrPort) netip.AddrPort {
	port := asked.Port()
	switch {
	case port == 0 && w.run.cfg.Trace: // the tracepoint sees every wire of the machine, and all have the same addresses
		port = uint16(10000 + rand.N(20000))
	case port == 0:
		port = 7007
	}
	if asked.Addr().Is6() {
		return netip.AddrPortFrom(w.lab.Server.IPv6, port)
	}
	return netip.AddrPortFrom(w.lab.Server.IPv4, port)
}

// set sets a sysctl.
func (w *Wire) set(s Sysctl) error {
	for _, side := range []timeline.Side{timeline.Client, timeline.Server} {
		if s.Side == "" || s.Side == side {
			if err := w.labHost(side).Sysctl(s.Name, s.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Wire) labHost(side timeline.Side) *lab.Host {
	if side == timeline.Server {
		return w.lab.Server
	}
	return w.lab.Client
}

// play runs the sides with the wire's part of the scenario beside them, or the user's steps in its place.
func (w *Wire) play(done context.Context, wg *sync.WaitGroup, sides func()) {
	var part sync.WaitGroup
	for _, s := range w.run.cfg.Wire.Sets {
		where := "both hosts"
		if s.Side != "" {
			where = "the " + string(s.Side) + "'s host"
		}
		w.Note("on %s: sysctl %s=%s", where, s.Name, s.Value)
	}
	if w.run.sc.Wire != nil && w.run.cfg.Wire.Step == nil {
		part.Go(func() {
			defer w.run.caught()
			w.run.sc.Wire(w)
		})
	}
	wg.Go(func() {
		select {
		case err := <-w.lab.Wire.Failed():
			w.run.cancel(&ObserverError{"the wire", err})
		case <-done.Done():
		}
	})
	if step := w.run.cfg.Wire.Step; step != nil {
		w.run.clock.hold() // a person takes the time it takes
		wg.Go(func() {
			if err := step(done, w); err != nil {
				w.quit = true
				w.run.cancel(err)
			}
		})
	}
	sides()
	part.Wait()
}

func (w *Wire) close() error { return w.lab.Close() }

// Sysctl sets a sysctl of one side's host, and of no other.
func (w *Wire) Sysctl(side timeline.Side, name, value string) {
	w.Note("on the %s's host: sysctl %s=%s", side, name, value)
	w.must(w.set(Sysctl{side, name, value}))
}

// ReadSysctl is the value of one of net.ipv4 on a side's host, "" where the kernel has none of that name.
func (w *Wire) ReadSysctl(side timeline.Side, name string) (value string) {
	w.must(w.labHost(side).Do(func() error { value = ipv4Sysctl(name); return nil }))
	return value
}

// Rule puts a rule in force, in the language of --drop, --hold, --dup and --reorder.
func (w *Wire) Rule(text string) *lab.Active {
	rule, err := lab.ParseRule(text)
	w.must(err)
	w.Note("the wire: %s", text)
	return w.lab.Wire.Add(rule)[0]
}

// AwaitHeld waits until such a segment is held.
func (w *Wire) AwaitHeld(match string) lab.Packet {
	m, err := lab.ParseMatch(match)
	w.must(err)
	ctx, cancel := w.run.bounded(nil)
	defer cancel()
	p, err := w.lab.Wire.AwaitHeld(ctx, m)
	if err != nil {
		w.run.unmet()
		w.run.check(timeline.Wire, time.Time{}, "the wire holds: "+match, "no such segment came", false)
		w.run.fail(timeout{match, w.run.patience()})
	}
	return p
}

// Held are the packets that it holds now.
func (w *Wire) Held() []lab.Packet { return w.lab.Wire.Held() }

// Release delivers a held segment.
func (w *Wire) Release(p lab.Packet) { w.must(w.lab.Wire.Release(p.ID)) }

// ReleaseAll delivers all that is held.
func (w *Wire) ReleaseAll() { w.lab.Wire.ReleaseAll() }

// LetGo ends every rule and delivers all that is held: from here on the wire is a plain one.
func (w *Wire) LetGo() {
	for _, rule := range w.lab.Wire.Rules() {
		rule.Remove()
	}
	w.ReleaseAll()
}

// Inject has the wire deliver a segment that its sender did not send, or not now.
func (w *Wire) Inject(from timeline.Side, raw []byte) {
	side := lab.Client
	if from == timeline.Server {
		side = lab.Server
	}
	w.must(w.lab.Wire.Inject(side, raw))
}

// AwaitSegment waits until n segments have been sent that fit, whatever became of them, and returns the nth. If
// it was delivered, the other host has dealt with it. (What is said after "after" does not count here.)
func (w *Wire) AwaitSegment(n int, match string) lab.Packet {
	m, err := lab.ParseMatch(match)
	w.must(err)
	ctx, cancel := w.run.bounded(nil)
	defer cancel()
	p, ok := w.segments.Await(ctx, n, m.Fits)
	if !ok {
		w.run.unmet()
		w.run.check(timeline.Wire, time.Time{}, fmt.Sprintf("on the wire: %s, %d times", match, n), fmt.Sprintf("%d times", w.Count(match)), false)
		w.run.fail(timeout{match, w.run.patience()})
	}
	w.arrived(p)
	return p
}

// arrived returns when the wire has done with a packet what it said it would: it tells before it delivers. The
// receiving kernel deals with a packet while it is written to its device.
func (w *Wire) arrived(p lab.Packet) { w.lab.Wire.Settle(p.From) }

// AwaitAnswer waits for the first segment that acknowledges all of p, and comes after it.
func (w *Wire) AwaitAnswer(p lab.Packet) lab.Packet {
	end := p.Segment.Seq + p.Segment.SeqLen()
	ctx, cancel := w.run.bounded(nil)
	defer cancel()
	answer, ok := w.segments.Await(ctx, 1, func(a lab.Packet) bool {
		return a.From != p.From && a.ID > p.ID && a.Segment.Dst == p.Segment.Src &&
			a.Segment.Flags.Has(segment.ACK) && !segment.Before(a.Segment.Ack, end)
	})
	if !ok {
		w.run.unmet()
		w.run.check(timeline.Wire, time.Time{}, "an answer to "+p.Segment.String(), "none came", false)
		w.run.fail(timeout{"the answer", w.run.patience()})
	}
	w.arrived(answer)
	return answer
}

// Count is how many segments that fit have been sent so far, retransmissions included; what the wire itself made, as
// copies and by Inject, does not count.
func (w *Wire) Count(match string) int {
	m, err := lab.ParseMatch(match)
	w.must(err)
	return w.segments.Count(m)
}

// Expect waits until a connection of that side is in one of the states, and records it. The wire checks what it holds:
// the side itself may be at any point of its own calls.
func (w *Wire) Expect(side timeline.Side, why string, states ...tcpinfo.State) {
	w.run.stopIfOver()
	h := w.host(side)
	h.watch.Sample() // it is about now, and not about the last time somebody looked
	seen, ok := w.run.meet(&expectation{
		of: func() []*watch.Socket { return w.sockets(side) },
		test: func(seen watch.Sample) (ok, over bool) {
			ok = !seen.Gone && slices.Contains(states, seen.State)
			return ok, ok
		},
		check: func(seen watch.Sample, at time.Time) { w.run.checkState(side, at, seen, why, states, true) },
	}, h, nil)
	if !ok {
		w.run.unmet()
		w.run.checkState(side, time.Time{}, seen, why, states, false)
		w.run.goOnOrFail(timeout{timeline.Joined(states, " or "), w.run.patience()})
	}
}

// Await waits until what is expected has come, and records it.
func (w *Wire) Await(expect string, test func() (got string, ok bool)) {
	w.run.await(timeline.Wire, w.run.clientHost, expect, test, nil)
}

// Check records whether what was expected is what was got.
func (w *Wire) Check(expect string, ok bool, got string, args ...any) {
	w.run.stopIfOver()
	w.run.check(timeline.Wire, time.Time{}, expect, fmt.Sprintf(got, args...), ok)
}

// Note explains, in one sentence.
func (w *Wire) Note(format string, args ...any) {
	w.run.log.Add(timeline.Wire, time.Time{}, &timeline.Note{Text: fmt.Sprintf(format, args...)})
}

// Hold stays where the lesson is for as long as the user asked.
func (w *Wire) Hold() {
	if d := w.run.cfg.Hold; d > 0 {
		w.Note("held for %v", d)
		end := w.run.count("held:", d)
		w.run.clock.pause(d)
		end()
	}
	w.run.stopIfOver()
}

func (w *Wire) host(side timeline.Side) *host {
	if side == timeline.Server {
		return w.run.serverHost
	}
	return w.run.clientHost
}

func (w *Wire) must(err error) {
	if err != nil {
		w.run.fail(err)
	}
}

// Connections are the sockets that are watched of that side, the last first; of a listener that was seen before
// listen(2), that too. No calls can be made on them.
func (w *Wire) Connections(side timeline.Side) (list []*Conn) {
	for _, socket := range w.sockets(side) {
		list = append(list, &Conn{side: w.run.sides[side], watch: socket})
	}
	return list
}

func (w *Wire) sockets(side timeline.Side) (list []*watch.Socket) {
	w.run.mu.Lock()
	defer w.run.mu.Unlock()
	for _, socket := range w.run.followed {
		if socket.Tag() == any(side) {
			list = append(list, socket)
		}
	}
	slices.Reverse(list)
	return list
}

// ServerQueues are the accept queue and the SYN queue of the server's listener, if it is there.
func (w *Wire) ServerQueues() (b tcpinfo.Backlog, listens bool) {
	b, err := w.run.serverHost.diag.Backlog(w.server)
	return b, err == nil
}

// KeepAliveProbes is how many there have been on the wire so far.
func (w *Wire) KeepAliveProbes() int { return w.segments.Probes() }
