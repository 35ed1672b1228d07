package lab

import (
	"cmp"
	"time"
)

// What follows runs with Wire.mu held, and with that of the lane the packet is on.

// decide settles a new packet's fate. Its bytes are in the relay's buffer: what is kept must be copied.
func (w *Wire) decide(p *inTransit) {
	w.lastID++
	p.ID = w.lastID
	v := w.ask(&p.Packet)
	switch {
	case v.drop != "":
		w.drop(p, v.drop)
	case v.hold != "":
		w.hold(p.keep(), v.hold)
	case w.holdAll:
		w.hold(p.keep(), ByStep)
	case p.crossed && v == verdict{}:
		w.drop(p, ByLate)
	case w.link.loses(p.From, p.Number):
		w.drop(p, ByLink)
	default:
		if w.link.Delay > 0 { // a rule's name stays
			v.add(Rule{action: Delay, delay: w.link.Delay}, cmp.Or(v.delayBy, ByLink))
		}
		w.forward(p, v)
	}
}

// verdict is what all rules together want of a packet. The strings say who wants it.
type verdict struct {
	drop, hold string
	copies     int64
	copyBy     string
	delay      time.Duration
	delayBy    string
	overtake   int64
	within     time.Duration
	overtakeBy string
}

// ask shows the packet to every rule: each counts its own occurrences, whatever the others do.
func (w *Wire) ask(p *Packet) verdict {
	var v verdict
	for _, a := range w.rules {
		if a.sees(p) {
			v.add(a.rule, a.rule.String())
		}
	}
	return v
}

func (v *verdict) add(r Rule, by string) {
	switch r.action {
	case Drop:
		v.drop = by
	case Hold:
		v.hold = by
	case Dup:
		v.copies, v.copyBy = v.copies+r.times, by
	case Delay:
		v.delay, v.delayBy = v.delay+r.delay, by
	case Reorder:
		v.overtake, v.within, v.overtakeBy = max(v.overtake, r.by), max(v.within, r.within), by
	}
}

// forward delivers a packet and its copies, now or later.
func (w *Wire) forward(p *inTransit, v verdict) {
	var copies []*inTransit // of the packet before anything becomes of it
	for range v.copies {
		copies = append(copies, w.copyOf(p, v.copyBy))
	}
	switch {
	case v.overtake > 0:
		w.setAside(p.keep(), v)
	case v.delay > 0:
		w.postpone(p.keep(), v.delay, v.delayBy)
	default:
		w.deliver(p)
	}
	for _, c := range copies {
		if v.delay > 0 {
			w.postpone(c.keep(), v.delay, v.copyBy)
		} else {
			w.deliver(c)
		}
	}
}

// copyOf is a copy of a packet, with an ID of its own.
func (w *Wire) copyOf(p *inTransit, by string) *inTransit {
	w.lastID++
	c := &inTransit{Packet: p.Packet}
	c.ID, c.CopyOf, c.By = w.lastID, cmp.Or(p.CopyOf, p.ID), by
	return c
}

// deliver reports a packet and makes it ready to be written. Packets that it has overtaken follow.
func (w *Wire) deliver(p *inTransit) {
	l := w.lane(p.From)
	p.Late = l.top > p.Number && p.Number > 0
	l.top = max(l.top, p.Number)
	if p.CopyOf != 0 {
		w.reportAs(p, Duplicated, p.By)
	} else {
		w.reportAs(p, Delivered, p.By)
	}
	l.ready = append(l.ready, *p)
	if p.CopyOf != 0 {
		return
	}
	for _, q := range l.overtaken(p.Number) {
		w.take(q)
		w.deliver(q)
	}
}

func (w *Wire) drop(p *inTransit, by string) { w.reportAs(p, Dropped, by) }

func (w *Wire) hold(p *inTransit, by string) {
	w.reportAs(p, Held, by)
	w.held = append(w.held, p)
	w.notify()
}

func (w *Wire) postpone(p *inTransit, delay time.Duration, by string) {
	w.reportAs(p, Delayed, by)
	w.wait(p, delay)
}

func (w *Wire) setAside(p *inTransit, v verdict) {
	w.reportAs(p, Reordered, v.overtakeBy)
	p.overtake = v.overtake
	l := w.lane(p.From)
	l.aside = append(l.aside, p)
	w.wait(p, v.delay+v.within)
}

// reportAs reports what becomes of a packet.
func (w *Wire) reportAs(p *inTransit, f Fate, by string) {
	p.Fate, p.By, p.At = f, by, time.Now()
	w.report(p.Packet)
}

// keep copies a packet out of the relay's buffer.
func (p *inTransit) keep() *inTransit {
	k := *p
	k.Packet = p.Clone()
	return &k
}
