package lab

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"socklife/internal/segment"
)

// ParseRule reads a rule: an action, then which packets it is about, then how much of the action.
//
//	rule    = action match { parameter } .
//	action  = "drop" | "hold" | "dup" | "delay" | "reorder" .
//	match   = pattern [ which ] [ "after" pattern [ number ] ] .
//	pattern = [ side ] { trait } .
//	side    = "client" | "server" | "any" .
//	trait   = flags | "data" [ ( "=" | ">=" | "<=" ) number ] | "bytes" range | "new" | "again"
//	        | "port" number | "unreachable" .
//	flags   = flag { "+" flag } .
//	flag    = "syn" | "fin" | "rst" | "psh" | "urg" | "ack" .
//	which   = range | "every" [ number ] .
//	range   = number [ ".." [ number ] ] .
//	parameter = duration                              (* delay: how long, required *)
//	          | "times" number                        (* dup: how many copies, 1 unless said *)
//	          | "by" number                           (* reorder: how many later packets overtake, 1 unless said *)
//	          | "within" duration .                   (* reorder: how long to wait for them, 100ms unless said *)
//
// Words are separated by blanks, case does not matter, and there is nothing between "data", the sign and the number. A
// duration is a number with a unit: 300ms, 1.5s.
//
// The side is the host that sends: "client" 198.51.100.1 and 2001:db8::1, "server" the other. Without one, or with
// "any", both. A packet fits a pattern if it has all of the traits:
//   - syn, fin, rst, psh, urg: the flag is set. A "syn" without "+ack" has no ACK: it opens a connection, and "syn+ack"
//     answers it. "ack" alone is a pure acknowledgement: no data, no SYN, FIN or RST.
//   - data: it carries data; data>=1000: so many bytes of it.
//   - bytes 1..100: it carries any of these bytes of its sender's stream, whose first byte is 1.
//   - again: it is a retransmission; new: it is none.
//   - port 7: from or to this port.
//   - unreachable: not a segment but ICMP's "destination unreachable". Without any trait, these fit too.
//
// Of the packets that fit, counted from when the rule is added and over all connections, "1" is the first, "2..3" are
// the second and the third, "2.." all but the first, "every 20" the 20th, the 40th and so on. Without it, or with
// "every", it is all of them, retransmissions included. With "after", counting starts after the first, or n-th, packet
// that fits the second pattern: "client ack 1 after server fin" is the last acknowledgement of a connection that the
// client closed.
//
// Examples: "drop client syn 1", "hold any fin", "dup server syn+ack times 2", "delay client ack after server fin
// 300ms", "reorder server data 2 by 3", "drop server bytes 1001 1..2", "drop any".
//
// The error says which word is wrong, and what could stand in its place.
func ParseRule(s string) (Rule, error) {
	p := newParser(s)
	for a := Drop; a <= Reorder; a++ {
		if p.word(a.String()) {
			return p.rule(a)
		}
	}
	return Rule{}, p.unexpected()
}

// Rule reads a rule without its action, which is a: Drop.Rule("client syn 1").
func (a Action) Rule(s string) (Rule, error) { return newParser(s).rule(a) }

// ParseMatch reads the part of a rule that says which packets it is about.
func ParseMatch(s string) (Match, error) {
	p := newParser(s)
	if len(p.words) == 0 {
		return Match{}, p.wrong("want which packets, as client syn 1; any is all of them")
	}
	m, err := p.match()
	if err == nil {
		err = p.end()
	}
	return m, err
}

// parser reads words from left to right. want collects what could have stood where it is.
type parser struct {
	text  string
	words []string // what is left
	want  []string
}

func newParser(s string) *parser { return &parser{text: s, words: strings.Fields(s)} }

// peek is the next word in lower case, empty at the end.
func (p *parser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return strings.ToLower(p.words[0])
}

func (p *parser) next() { p.words, p.want = p.words[1:], nil }

// word goes past the word if it is next.
func (p *parser) word(w string) bool {
	if p.peek() == w {
		p.next()
		return true
	}
	p.want = append(p.want, w)
	return false
}

// number goes past a number from lo to hi, if one is next.
func (p *parser) number(what string, lo, hi int64) (int64, bool, error) {
	if !startsWithDigit(p.peek()) {
		p.want = append(p.want, what)
		return 0, false, nil
	}
	n, err := parseNumber(p.peek(), lo, hi)
	if err != nil {
		return 0, false, p.wrong(err.Error())
	}
	p.next()
	return n, true, nil
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

// maxNumber is more than any count or length there is.
const maxNumber = 1e15

func parseNumber(s string, lo, hi int64) (int64, error) {
	u, err := strconv.ParseUint(s, 10, 63) // which takes no sign
	n := int64(u)
	if err != nil || n < lo || n > hi {
		if hi == maxNumber {
			return 0, fmt.Errorf("want a number from %d", lo)
		}
		return 0, fmt.Errorf("want a number from %d to %d", lo, hi)
	}
	return n, nil
}

// span goes past a range, if one is next. A duration is none.
func (p *parser) span(what string) (lo, hi int64, ok bool, err error) {
	if !startsWithDigit(p.peek()) || isDuration(p.peek()) {
		p.want = append(p.want, what)
		return 0, 0, false, nil
	}
	first, last, ranged := strings.Cut(p.peek(), "..")
	if lo, err = parseNumber(first, 1, maxNumber); err == nil {
		switch {
		case !ranged:
			hi = lo
		case last == "":
			hi = forever
		default:
			hi, err = parseNumber(last, lo, maxNumber)
		}
	}
	if err != nil {
		return 0, 0, false, p.wrong("want a number or a range from 1, as 2, 2..3 or 2..")
	}
	p.next()
	return lo, hi, true, nil
}

func isDuration(s string) bool {
	_, err := time.ParseDuration(s)
	return err == nil && s != "0"
}

// duration goes past a duration, which must be next.
func (p *parser) duration() (time.Duration, error) {
	if len(p.words) == 0 {
		return 0, p.wrong("want a duration, as 300ms or 1.5s")
	}
	d, err := time.ParseDuration(p.peek())
	if err != nil || d <= 0 || d > maxDelay {
		return 0, p.wrong(fmt.Sprintf("want a duration up to %v, as 300ms or 1.5s", maxDelay))
	}
	p.next()
	return d, nil
}

func (p *parser) end() error {
	if len(p.words) == 0 {
		return nil
	}
	return p.unexpected()
}

// unexpected is the error for a word that none of those asked for was.
func (p *parser) unexpected() error {
	return p.wrong("want " + oneOf(p.want))
}

func oneOf(words []string) string {
	switch len(words) {
	case 0:
		return "nothing more"
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

func (p *parser) wrong(reason string) error {
	if len(p.words) == 0 {
		return fmt.Errorf("rule %q: at its end: %s", p.text, reason)
	}
	return fmt.Errorf("rule %q: %q: %s", p.text, p.words[0], reason)
}

var flagBits = map[string]segment.Flags{
	"syn": segment.SYN, "fin": segment.FIN, "rst": segment.RST, "psh": segment.PSH, "urg": segment.URG, "ack": segment.ACK,
}

// parseFlags reads "fin", "syn+ack"; not ok if the word is something else.
func parseFlags(word string) (f segment.Flags, ok bool) {
	for _, name := range strings.Split(word, "+") {
		bit, known := flagBits[name]
		if !known || f.Has(bit) {
			return 0, false
		}
		f |= bit
	}
	return f, true
}
