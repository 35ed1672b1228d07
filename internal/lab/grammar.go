package lab

import (
	"cmp"
	"strings"
	"time"

	"socklife/internal/segment"
)

// The grammar of ParseRule, one method for each of its lines.

func (p *parser) rule(a Action) (Rule, error) {
	r := Rule{action: a}
	if len(p.words) == 0 && a != Delay {
		return r, p.wrong("want which packets to " + a.String() + ", as client syn 1; any is all of them")
	}
	var err error
	if r.match, err = p.match(); err != nil {
		return r, err
	}
	switch a {
	case Dup:
		err = p.dup(&r)
	case Delay:
		r.delay, err = p.howLong()
	case Reorder:
		err = p.reorder(&r)
	}
	if err == nil {
		err = p.end()
	}
	return r, err
}

// howLong is the duration of a delay. If something else stands there, that may as well be a wrong trait.
func (p *parser) howLong() (d time.Duration, err error) {
	if len(p.words) > 0 && !startsWithDigit(p.peek()) {
		p.want = append(p.want, "a duration, as 300ms")
		return 0, p.unexpected()
	}
	return p.duration()
}

func (p *parser) dup(r *Rule) (err error) {
	r.times = dupTimes
	if p.word("times") {
		r.times, err = p.need("how many copies, from 1 to 100", 1, 100)
	}
	return err
}

func (p *parser) reorder(r *Rule) (err error) {
	r.by, r.within = reorderBy, reorderWithin
	if p.word("by") {
		if r.by, err = p.need("how many packets overtake, from 1 to 1000", 1, 1000); err != nil {
			return err
		}
	}
	if p.word("within") {
		r.within, err = p.duration()
	}
	return err
}

// need is number where there must be one.
func (p *parser) need(what string, lo, hi int64) (int64, error) {
	n, ok, err := p.number(what, lo, hi)
	if err == nil && !ok {
		err = p.unexpected()
	}
	return n, err
}

func (p *parser) match() (m Match, err error) {
	if m.pattern, err = p.pattern(); err != nil {
		return m, err
	}
	if m.which, err = p.which(); err != nil {
		return m, err
	}
	if !p.word("after") {
		return m, nil
	}
	if len(p.words) == 0 {
		return m, p.wrong("want what it comes after, as server fin")
	}
	if m.after, err = p.pattern(); err != nil {
		return m, err
	}
	m.nth = 1
	if isDuration(p.peek()) {
		return m, nil
	}
	n, ok, err := p.number("a number", 1, maxNumber)
	if ok {
		m.nth = n
	}
	return m, err
}

func (p *parser) pattern() (t pattern, err error) {
	for _, side := range []Side{Client, Server, Any} {
		if p.word(side.String()) {
			t.side = side
			break
		}
	}
	for {
		ok, err := p.trait(&t)
		if err != nil || !ok {
			return t, err
		}
	}
}

// trait goes past one trait, if one is next.
func (p *parser) trait(t *pattern) (bool, error) {
	word := p.peek()
	if f, ok := parseFlags(word); ok {
		return true, p.flags(t, f)
	}
	if size, ok := strings.CutPrefix(word, "data"); ok {
		return true, p.data(t, size)
	}
	switch word {
	case "bytes":
		return true, p.bytes(t)
	case "new", "again":
		return true, p.age(t, word)
	case "port":
		return true, p.port(t)
	case "unreachable":
		return true, p.unreachable(t)
	}
	p.wantTraits(t)
	return false, nil
}

// wantTraits says which traits the pattern could still have.
func (p *parser) wantTraits(t *pattern) {
	if !t.icmp && t.flags != segment.ACK {
		if t.flags == 0 {
			p.want = append(p.want, "a flag (syn, syn+ack, ack, fin, rst, psh, urg)")
		}
		if t.lo == 0 {
			p.want = append(p.want, "data")
		}
		if t.from == 0 {
			p.want = append(p.want, "bytes")
		}
		if t.age == "" {
			p.want = append(p.want, "new", "again")
		}
	}
	if t.port == 0 {
		p.want = append(p.want, "port")
	}
	if (*t == pattern{side: t.side, port: t.port}) {
		p.want = append(p.want, "unreachable")
	}
}

func (p *parser) flags(t *pattern, f segment.Flags) error {
	switch {
	case t.icmp:
		return p.wrong("an unreachable is ICMP: it has no flags")
	case t.flags != 0:
		return p.wrong("flags that are set together are joined with +, as syn+ack")
	case f == segment.ACK && (t.lo > 0 || t.from > 0 || t.age != ""):
		return p.wrong("ack alone is a pure acknowledgement: it has no data and is never a retransmission")
	}
	t.flags = f
	p.next()
	return nil
}

func (p *parser) data(t *pattern, size string) error {
	if reason := cannot(t, "data", "has no data"); reason != "" || t.lo > 0 {
		return p.wrong(cmp.Or(reason, "data is there already"))
	}
	number := strings.TrimLeft(size, "<>=")
	n, err := parseNumber(number, 1, maxNumber)
	t.lo, t.hi = 1, forever
	switch sign := strings.TrimSuffix(size, number); {
	case size == "":
	case err == nil && sign == "=":
		t.lo, t.hi = n, n
	case err == nil && sign == ">=":
		t.lo = n
	case err == nil && sign == "<=":
		t.hi = n
	default:
		return p.wrong("want data, data=1, data>=1000 or data<=1000, in one word")
	}
	p.next()
	return nil
}

// cannot says why a trait about the stream cannot be.
func cannot(t *pattern, ofICMP, ofAck string) string {
	switch {
	case t.icmp:
		return "an unreachable is ICMP: it has no " + ofICMP
	case t.flags == segment.ACK:
		return "ack alone is a pure acknowledgement: it " + ofAck
	}
	return ""
}

func (p *parser) bytes(t *pattern) error {
	if reason := cannot(t, "bytes", "has no bytes"); reason != "" || t.from > 0 {
		return p.wrong(cmp.Or(reason, "bytes are there already"))
	}
	p.next()
	lo, hi, ok, err := p.span("which bytes, as 1..100")
	if err == nil && !ok {
		err = p.unexpected()
	}
	t.from, t.to = lo, hi
	return err
}

func (p *parser) age(t *pattern, age string) error {
	if reason := cannot(t, "sequence number", "is never a retransmission"); reason != "" || t.age != "" {
		return p.wrong(cmp.Or(reason, "new and again exclude each other, and one is enough"))
	}
	t.age = age
	p.next()
	return nil
}

func (p *parser) port(t *pattern) error {
	if t.port > 0 {
		return p.wrong("a port is there already")
	}
	p.next()
	n, err := p.need("a port, from 1 to 65535", 1, 65535)
	t.port = uint16(n)
	return err
}

func (p *parser) unreachable(t *pattern) error {
	if (*t != pattern{side: t.side, port: t.port}) {
		return p.wrong("an unreachable is ICMP and has no traits but a port")
	}
	t.icmp = true
	p.next()
	return nil
}

func (p *parser) which() (w which, err error) {
	if p.word("every") {
		if isDuration(p.peek()) {
			return w, nil
		}
		n, ok, err := p.number("a number", 1, maxNumber)
		if ok && n > 1 {
			w.step = n
		}
		return w, err
	}
	lo, hi, ok, err := p.span("a number or a range")
	if ok && !(lo == 1 && hi == forever) {
		w.lo, w.hi = lo, hi
	}
	return w, err
}
