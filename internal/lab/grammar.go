package lab

import (
	"strconv"
	"strings"
	"time"

	"socklife/internal/segment"
)

// The grammar of ParseRule, one method for each of its lines.

func (p *parser) rule(a Action) (Rule, error) {
	r := Rule{action: a}
	if len(p.words) == 0 && a != Delay {
		return Rule{}, p.wrong("want which packets to " + a.String() + ", as client syn 1; any is all of them")
	}
	var err error
	if r.match, err = p.match(); err != nil {
		return Rule{}, err
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
	if err != nil {
		return Rule{}, err
	}
	return r, nil
}

// howLong is the duration of a delay. If something else stands there, that may as well be a wrong trait.
func (p *parser) howLong() (d time.Duration, err error) {
	if len(p.words) > 0 && !startsWithDigit(p.words[0]) {
		p.want = append(p.want, "a duration, as 300ms")
		return 0, p.unexpected()
	}
	return p.duration()
}

func (p *parser) dup(r *Rule) error {
	r.times = dupTimes
	if !p.word("times") {
		return nil
	}
	n, err := p.need("how many copies, from 1 to 100", 1, 100)
	r.times = int(n)
	return err
}

func (p *parser) reorder(r *Rule) (err error) {
	r.by, r.within = reorderBy, reorderWithin
	if p.word("by") {
		var n int64
		if n, err = p.need("how many packets overtake, from 1 to 1000", 1, 1000); err != nil {
			return err
		}
		r.by = int(n)
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
	if len(p.words) > 0 && isDuration(p.words[0]) {
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
	if len(p.words) == 0 {
		p.wantTraits(t)
		return false, nil
	}
	word := p.words[0]
	if f, ok := parseFlags(word); ok {
		return true, p.flags(t, f)
	}
	if size, ok := strings.CutPrefix(word, "data"); ok {
		return true, p.data(t, size)
	}
	switch word {
	case "bytes":
		return true, p.bytes(t)
	case "new":
		return true, p.age(t, onlyNew)
	case "again":
		return true, p.age(t, onlyAgain)
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
	if !t.icmp {
		if t.flags == 0 && !t.pureAck {
			p.want = append(p.want, "a flag (syn, syn+ack, ack, fin, rst, psh, urg)")
		}
		if !t.data && !t.pureAck {
			p.want = append(p.want, "data")
		}
		if t.from == 0 && !t.pureAck {
			p.want = append(p.want, "bytes")
		}
		if t.age == anyAge && !t.pureAck {
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
	case t.flags != 0 || t.pureAck:
		return p.wrong("flags that are set together are joined with +, as syn+ack")
	case f == segment.ACK && (t.data || t.from > 0 || t.age != anyAge):
		return p.wrong("ack alone is a pure acknowledgement: it has no data and is never a retransmission")
	}
	if f == segment.ACK {
		t.pureAck = true
	} else {
		t.flags = f
	}
	p.next()
	return nil
}

func (p *parser) data(t *pattern, size string) error {
	if reason := noData(t, "data"); reason != "" || t.data {
		return p.wrong(first(reason, "data is there already"))
	}
	t.data, t.lo, t.hi = true, 1, forever
	if size == "" {
		p.next()
		return nil
	}
	sign, number := "", ""
	for _, sign = range []string{">=", "<=", "="} {
		if n, ok := strings.CutPrefix(size, sign); ok {
			number = n
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > maxNumber || !startsWithDigit(number) {
		return p.wrong("want data, data=1, data>=1000 or data<=1000, in one word")
	}
	if sign != "<=" {
		t.lo = n
	}
	if sign != ">=" {
		t.hi = n
	}
	p.next()
	return nil
}

// noData says why a trait about the stream cannot be.
func noData(t *pattern, word string) string {
	switch {
	case t.icmp:
		return "an unreachable is ICMP: it has no " + word
	case t.pureAck:
		return "ack alone is a pure acknowledgement: it has no " + word
	}
	return ""
}

func (p *parser) bytes(t *pattern) error {
	if reason := noData(t, "bytes"); reason != "" || t.from > 0 {
		return p.wrong(first(reason, "bytes are there already"))
	}
	p.next()
	lo, hi, ok, err := p.span("which bytes, as 1..100")
	if err == nil && !ok {
		err = p.unexpected()
	}
	t.from, t.to = lo, hi
	return err
}

func (p *parser) age(t *pattern, a age) error {
	switch {
	case t.icmp:
		return p.wrong("an unreachable is ICMP: it has no sequence number")
	case t.pureAck:
		return p.wrong("ack alone is a pure acknowledgement: it is never a retransmission")
	case t.age != anyAge:
		return p.wrong("new and again exclude each other, and one is enough")
	}
	t.age = a
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
		if len(p.words) > 0 && isDuration(p.words[0]) {
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
