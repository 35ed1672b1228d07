package segment

import (
	"encoding/binary"
	"iter"
)

// MaxOptions is the number of octets that a TCP header has for options: 15 words of 4 octets, less the 20 that
// every header has (RFC 9293 section 3.1, Data Offset).
const MaxOptions = 40

// Options are the options of a segment exactly as they stand in its header, padding included. It is a
// comparable value that refers to no packet. The zero value is no options.
type Options struct {
	raw [MaxOptions]byte
	n   uint8 // octets of raw in use
}

// All yields the options in the header's order, up to the end of the list: padding between them (OptNOP) is
// yielded, OptEnd and what follows it is not. A malformed option is the last one: Linux ignores it and what follows.
func (o Options) All() iter.Seq[Option] {
	return func(yield func(Option) bool) {
		for rest := o.raw[:o.n]; len(rest) > 0 && OptionKind(rest[0]) != OptEnd; {
			opt, size := firstOption(rest)
			if !yield(opt) {
				return
			}
			rest = rest[size:]
		}
	}
}

// firstOption reads the option that b starts with, and tells how many octets it takes.
func firstOption(b []byte) (o Option, size int) {
	o.Kind = OptionKind(b[0])
	switch {
	case o.Kind == OptNOP:
		return o, 1
	case len(b) < 2 || b[1] < 2 || int(b[1]) > len(b):
		o.data, o.malformed = b[1:], true
		return o, len(b)
	}
	size = int(b[1])
	o.data = b[2:size]
	return o, size
}

// StringsRelative lists the options in the header's order, without padding, with shift added to the edges of SACK
// blocks, modulo 2^32. What takes an acknowledgment number to the relative one takes these there too: shift is relative
// less absolute.
func (o Options) StringsRelative(shift uint32) []string {
	list := []string{}
	for opt := range o.All() {
		if opt.Kind != OptNOP {
			list = append(list, opt.text(shift))
		}
	}
	return list
}

// Has reports whether there is an option of this kind, complete, whatever its size.
func (o Options) Has(kind OptionKind) bool {
	for opt := range o.All() {
		if opt.Kind == kind && !opt.malformed {
			return true
		}
	}
	return false
}

// find is the data of the last option of a kind whose data has exactly size octets. Linux too takes the last, and
// passes over those of a wrong size.
func (o Options) find(kind OptionKind, size int) (data []byte, found bool) {
	for opt := range o.All() {
		if opt.Kind == kind && !opt.malformed && len(opt.data) == size {
			data, found = opt.data, true
		}
	}
	return data, found
}

// MSS returns the maximum segment size in octets, and whether the option is there.
func (o Options) MSS() (octets uint16, ok bool) {
	if data, ok := o.find(OptMSS, 2); ok {
		return binary.BigEndian.Uint16(data), true
	}
	return 0, false
}

// WindowScale returns the shift as it was sent, and whether the option is there. A shift above 14 counts as 14
// (RFC 7323 section 2.3).
func (o Options) WindowScale() (shift uint8, ok bool) {
	if data, ok := o.find(OptWindowScale, 1); ok {
		return data[0], true
	}
	return 0, false
}

// SACKPermitted reports whether the option is there.
func (o Options) SACKPermitted() bool {
	_, ok := o.find(OptSACKPermitted, 0)
	return ok
}

// Timestamps returns the sender's clock and the clock it echoes, and whether the option is there.
func (o Options) Timestamps() (val, ecr uint32, ok bool) {
	if data, ok := o.find(OptTimestamps, 8); ok {
		return binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:]), true
	}
	return 0, 0, false
}
