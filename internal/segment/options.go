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
	raw     [MaxOptions]byte
	n       uint8 // octets of raw in use, a multiple of 4 unless some are missing
	missing uint8 // octets that the header has and the capture has not
}

// single reports whether the option is its kind and nothing else.
func (o Option) single() bool { return o.Kind == OptEnd || o.Kind == OptNOP }

// Len is the number of octets captured of the options, padding included.
func (o Options) Len() int { return int(o.n) }

// All yields the options in the header's order, up to the end of the list: padding between them (OptNOP) is
// yielded, OptEnd and what follows it is not. A malformed or truncated option is the last one.
func (o Options) All() iter.Seq[Option] {
	return func(yield func(Option) bool) {
		for i := 0; i < int(o.n) && OptionKind(o.raw[i]) != OptEnd; {
			opt, size := o.at(i)
			if !yield(opt) || opt.form != whole {
				return
			}
			i += size
		}
	}
}

// size is how many octets the option that starts at octet i takes, and whether it is whole.
func (o *Options) size(i int) (octets int, ok bool) {
	switch k := OptionKind(o.raw[i]); {
	case k == OptEnd || k == OptNOP:
		return 1, true
	case i+1 >= int(o.n):
		return 0, false
	}
	octets = int(o.raw[i+1])
	return octets, octets >= 2 && i+octets <= int(o.n)
}

// at reads the option that starts at octet i.
func (o *Options) at(i int) (opt Option, size int) {
	opt.Kind = OptionKind(o.raw[i])
	size, ok := o.size(i)
	data := o.raw[i+1 : o.n] // with the length octet, if there is one
	switch {
	case ok && opt.single():
		data = nil
	case ok:
		data = data[1 : size-1]
	case o.missing > 0 && len(data) > 0 && data[0] >= 2:
		opt.form, data = cut, data[1:]
	case o.missing > 0 && len(data) == 0:
		opt.form = cut
	default:
		opt.form = malformed
	}
	opt.n = uint8(copy(opt.data[:], data))
	return opt, size
}

// find is the data of the last option of a kind whose data has exactly want octets (any number where want is
// negative). Linux too takes the last, and passes over those of a wrong size.
func (o *Options) find(kind OptionKind, want int) (data []byte, found bool) {
	for i := 0; i < int(o.n) && OptionKind(o.raw[i]) != OptEnd; {
		size, ok := o.size(i)
		if !ok {
			break
		}
		if OptionKind(o.raw[i]) == kind && size >= 2 && (want < 0 || size-2 == want) {
			data, found = o.raw[i+2:i+size], true
		}
		i += size
	}
	return data, found
}

// Has reports whether there is an option of this kind, complete, whatever its size.
func (o Options) Has(kind OptionKind) bool {
	_, ok := o.find(kind, -1)
	return ok
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

func sackBlocks(data []byte) []SACKBlock {
	if len(data) == 0 || len(data)%8 != 0 {
		return nil
	}
	blocks := make([]SACKBlock, 0, len(data)/8)
	for ; len(data) > 0; data = data[8:] {
		blocks = append(blocks, SACKBlock{binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])})
	}
	return blocks
}

// Timestamps returns the sender's clock and the clock it echoes, and whether the option is there.
func (o Options) Timestamps() (val, ecr uint32, ok bool) {
	if data, ok := o.find(OptTimestamps, 8); ok {
		return binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:]), true
	}
	return 0, 0, false
}
