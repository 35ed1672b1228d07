package lab

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"
)

// Held lists the packets that wait for a decision, in the order in which ReleaseAll would deliver them: as they
// came, unless Swap changed it. Retransmissions pile up as packets of their own, with Again set.
func (w *Wire) Held() []Packet {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]Packet, len(w.held))
	for i, p := range w.held {
		list[i] = p.Packet
	}
	return list
}

// Changed returns a channel that is closed when the list of held packets next changes, and when the wire is closed.
func (w *Wire) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// AwaitHeld waits until a packet is held that fits the match (of which "which" and "after" do not count here), and
// returns the first such. The error is the context's, or ErrClosed.
func (w *Wire) AwaitHeld(ctx context.Context, m Match) (Packet, error) {
	for {
		changed := w.Changed() // before looking, so that nothing is missed
		for _, p := range w.Held() {
			if m.Fits(p) {
				return p, nil
			}
		}
		if w.isClosed() {
			return Packet{}, ErrClosed
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Packet{}, fmt.Errorf("lab: waiting for %q to be held: %w", m, ctx.Err())
		}
	}
}

func (w *Wire) isClosed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.closed
}

// Release delivers a held packet now, whatever the Link says.
func (w *Wire) Release(id uint64) error {
	return w.handle(id, func(p *inTransit) { w.deliver(p) })
}

// Drop loses a held packet.
func (w *Wire) Drop(id uint64) error {
	return w.handle(id, func(p *inTransit) { w.drop(p, ByHand) })
}

// Delay delivers a held packet after d.
func (w *Wire) Delay(id uint64, d time.Duration) error {
	return w.handle(id, func(p *inTransit) { w.postpone(p, d, ByHand) })
}

// handle takes a packet out of the list and does something with it.
func (w *Wire) handle(id uint64, do func(*inTransit)) error {
	w.lock()
	defer w.unlock()
	i, err := w.find(id)
	if err != nil {
		return err
	}
	p := w.held[i]
	w.held = slices.Delete(w.held, i, i+1)
	p.By = ByHand
	do(p)
	w.notify()
	return nil
}

func (w *Wire) find(id uint64) (int, error) {
	i := slices.IndexFunc(w.held, func(p *inTransit) bool { return p.ID == id })
	if i < 0 {
		return 0, fmt.Errorf("lab: no packet %d is held", id)
	}
	return i, nil
}

// ReleaseAll delivers all that is held, in the order of Held, and returns how many that were.
func (w *Wire) ReleaseAll() int {
	w.lock()
	defer w.unlock()
	all := w.held
	w.held = nil
	for _, p := range all {
		p.By = ByHand
		w.deliver(p)
	}
	if len(all) > 0 {
		w.notify()
	}
	return len(all)
}

// LetGo holds nothing any more: what is held is delivered, and neither HoldAll nor a rule holds what comes. Rules that
// drop, double or delay stay.
func (w *Wire) LetGo() {
	for _, a := range w.Rules() {
		if a.rule.action == Hold {
			a.Remove()
		}
	}
	w.HoldAll(false)
	w.ReleaseAll()
}

// Duplicate puts a copy of a held packet behind it into the list and returns the copy's ID. Both are then held; when
// the copy is released it is reported as Duplicated.
func (w *Wire) Duplicate(id uint64) (uint64, error) {
	w.lock()
	defer w.unlock()
	i, err := w.find(id)
	if err != nil {
		return 0, err
	}
	c := w.copyOf(w.held[i], ByHand)
	w.reportAs(c, Held, ByHand)
	w.held = slices.Insert(w.held, i+1, c)
	w.notify()
	return c.ID, nil
}

// Swap exchanges the places of two held packets in the list.
func (w *Wire) Swap(a, b uint64) error {
	w.lock()
	defer w.unlock()
	i, err := w.find(a)
	if err != nil {
		return err
	}
	j, err := w.find(b)
	if err != nil {
		return err
	}
	w.held[i], w.held[j] = w.held[j], w.held[i]
	w.notify()
	return nil
}

// Inject writes a packet, from its IP header on, into the host on the other side of from, as if from had sent it; for
// packets that nobody sent, such as forged ones, and old ones that come again. It is reported as Delivered, By
// ByInjected, with the number 0. No rule sees it. The error is ErrClosed.
func (w *Wire) Inject(from Side, packet []byte) error {
	w.lock()
	defer w.unlock()
	if w.closed {
		return ErrClosed
	}
	p := &inTransit{}
	p.decode(bytes.Clone(packet))
	w.lastID++
	p.ID, p.From, p.Seen, p.By = w.lastID, from, time.Now(), ByInjected
	w.deliver(p)
	return nil
}
