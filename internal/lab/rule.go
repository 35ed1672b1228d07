package lab

import (
	"strconv"
	"strings"
	"time"

	"socklife/internal/segment"
)

// Action is what a rule does with the packets it matches.
type Action uint8

const (
	Drop    Action = 1 + iota // lose them
	Hold                      // keep them until Wire.Release
	Dup                       // deliver them more than once
	Delay                     // deliver them later
	Reorder                   // deliver them after later ones
)

var actionNames = [...]string{Drop: "drop", Hold: "hold", Dup: "dup", Delay: "delay", Reorder: "reorder"}

// String is the action's word in rules.
func (a Action) String() string { return actionNames[a] }

// Defaults of what a rule does not say.
const (
	dupTimes      = 1
	reorderBy     = 1
	reorderWithin = 100 * time.Millisecond
)

// Rule says what the wire does with which packets. ParseRule and Action.Rule make one from text; the zero Rule matches
// everything and does nothing.
type Rule struct {
	action Action
	match  Match
	times  int64         // dup: copies
	by     int64         // reorder: how many later packets overtake
	within time.Duration // reorder: how long to wait for them
	delay  time.Duration // delay
}

// Action is what the rule does.
func (r Rule) Action() Action { return r.action }

// String is the rule as ParseRule reads it, in its shortest form but for the side, which is always named.
func (r Rule) String() string {
	s := r.action.String() + " " + r.match.String()
	switch r.action {
	case Dup:
		if r.times != dupTimes {
			s += " times " + strconv.FormatInt(r.times, 10)
		}
	case Delay:
		s += " " + r.delay.String()
	case Reorder:
		if r.by != reorderBy {
			s += " by " + strconv.FormatInt(r.by, 10)
		}
		if r.within != reorderWithin {
			s += " within " + r.within.String()
		}
	}
	return s
}

// Match says which packets a rule is about. The zero Match is every packet.
type Match struct {
	pattern
	which which
	after pattern // counting starts after the afterNth packet that fits it
	nth   int64   // 0: from the start
}

// String is the match as ParseMatch reads it.
func (m Match) String() string {
	s := m.pattern.String() + m.which.String()
	if m.nth > 0 {
		s += " after " + m.after.String()
	}
	if m.nth > 1 {
		s += " " + strconv.FormatInt(m.nth, 10)
	}
	return s
}

// Fits tells whether a packet is of the kind that the match names: side and traits. Which of them it is, and what it
// came after, is known only to the wire, by counting.
func (m Match) Fits(p Packet) bool { return m.fits(&p) }

// pattern is the part of a match that is about one packet alone.
type pattern struct {
	side     Side
	flags    segment.Flags // all must be set; with SYN, ACK must be as it is here; ACK alone: and nothing else
	icmp     bool          // "unreachable"
	lo, hi   int64         // carries so many bytes of data; 0: not asked
	from, to int64         // carries one of these bytes of the stream; 0: not asked
	age      string        // "new", or "again" for retransmissions; empty: not asked
	port     uint16        // 0: not asked
}

func (p *pattern) fits(k *Packet) bool {
	if p.side != Any && p.side != k.From {
		return false
	}
	if p.icmp || k.ICMP != nil {
		return k.ICMP != nil && (p.icmp || *p == pattern{side: p.side}) && p.fitsPort(k.ICMP.Src.Port(), k.ICMP.Dst.Port())
	}
	s := &k.Segment
	if !p.fitsFlags(s) || !p.fitsPort(s.Src.Port(), s.Dst.Port()) {
		return false
	}
	n := int64(s.Len())
	if p.lo > 0 && (n < p.lo || n > p.hi) {
		return false
	}
	if p.from > 0 && (n == 0 || k.Byte > p.to || k.Byte+n-1 < p.from) {
		return false
	}
	return p.age == "" || (p.age == "again") == k.Again
}

func (p *pattern) fitsFlags(s *segment.Segment) bool {
	const opening, special = segment.SYN | segment.ACK, segment.SYN | segment.FIN | segment.RST
	switch {
	case p.flags == segment.ACK:
		return s.Flags&(special|segment.ACK) == segment.ACK && s.Len() == 0
	case p.flags.Has(segment.SYN) && s.Flags&opening != p.flags&opening:
		return false
	}
	return s.Flags.Has(p.flags)
}

func (p *pattern) fitsPort(a, b uint16) bool { return p.port == 0 || p.port == a || p.port == b }

func (p *pattern) String() string {
	words := []string{p.side.String()}
	switch {
	case p.icmp:
		words = append(words, "unreachable")
	case p.flags != 0:
		words = append(words, strings.ToLower(p.flags.String()))
	}
	if p.lo > 0 {
		words = append(words, "data"+sizeString(p.lo, p.hi))
	}
	if p.from > 0 {
		words = append(words, "bytes", spanString(p.from, p.to))
	}
	if p.age != "" {
		words = append(words, p.age)
	}
	if p.port > 0 {
		words = append(words, "port", strconv.Itoa(int(p.port)))
	}
	return strings.Join(words, " ")
}

// forever is the end of an open range.
const forever = 1<<63 - 1

func sizeString(lo, hi int64) string {
	switch {
	case lo == hi:
		return "=" + strconv.FormatInt(lo, 10)
	case hi != forever:
		return "<=" + strconv.FormatInt(hi, 10)
	case lo > 1:
		return ">=" + strconv.FormatInt(lo, 10)
	}
	return ""
}

func spanString(lo, hi int64) string {
	s := strconv.FormatInt(lo, 10)
	switch hi {
	case lo:
		return s
	case forever:
		return s + ".."
	}
	return s + ".." + strconv.FormatInt(hi, 10)
}

// which of the packets that fit: from the lo-th to the hi-th, or every step-th.
type which struct {
	lo, hi int64 // 0, 0: all
	step   int64 // 0 or 1: each
}

func (w which) has(n int64) bool {
	switch {
	case w.lo > 0:
		return n >= w.lo && n <= w.hi
	case w.step > 1:
		return n%w.step == 0
	}
	return true
}

func (w which) String() string {
	switch {
	case w.lo > 0:
		return " " + spanString(w.lo, w.hi)
	case w.step > 1:
		return " every " + strconv.FormatInt(w.step, 10)
	}
	return ""
}
