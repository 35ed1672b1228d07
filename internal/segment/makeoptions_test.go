package segment

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Options made by the tests: the commands only read them.

// RawOption is an option of any kind with any data, of which there is room for 38 octets. OptEnd and OptNOP
// are a single octet and have no data.
func RawOption(kind OptionKind, data []byte) Option {
	return Option{Kind: kind, data: data}
}

// NOP is the option that only fills.
func NOP() Option { return Option{Kind: OptNOP} }

// MSS says the largest amount of data, in octets, that the sender of a SYN wants to receive in a segment.
func MSS(octets uint16) Option {
	return RawOption(OptMSS, binary.BigEndian.AppendUint16(nil, octets))
}

// WindowScale says, on a SYN, by how many bits the sender's later windows are to be shifted left.
func WindowScale(shift uint8) Option { return RawOption(OptWindowScale, []byte{shift}) }

// SACKPermitted says, on a SYN, that the sender understands SACK blocks.
func SACKPermitted() Option { return Option{Kind: OptSACKPermitted} }

// SACKBlock is a run of octets that arrived out of order: sequence numbers from Left up to, not including, Right.
type SACKBlock struct{ Left, Right uint32 }

// SACK lists up to four blocks that arrived beyond the acknowledgment number (three beside timestamps).
func SACK(blocks ...SACKBlock) Option {
	var data []byte
	for _, b := range blocks {
		data = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(data, b.Left), b.Right)
	}
	return RawOption(OptSACK, data)
}

// Timestamps carries the sender's clock, and the last clock it saw from the other side.
func Timestamps(val, ecr uint32) Option {
	return RawOption(OptTimestamps, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, val), ecr))
}

// NewOptions writes options one after the other and fills up to a multiple of 4 octets with OptEnd. It is an
// error if they do not fit into [MaxOptions] octets, or if an option comes from a malformed one.
func NewOptions(list ...Option) (Options, error) {
	var opts Options
	n := 0
	for _, o := range list {
		size := 2 + len(o.data)
		if o.single() {
			size = 1
		}
		if o.malformed || o.single() && len(o.data) > 0 {
			return Options{}, fmt.Errorf("segment: option %s cannot be written", o)
		}
		if n+size > MaxOptions {
			return Options{}, fmt.Errorf("segment: options take more than %d octets", MaxOptions)
		}
		opts.raw[n] = byte(o.Kind)
		if !o.single() {
			opts.raw[n+1] = byte(size)
			copy(opts.raw[n+2:], o.data)
		}
		n += size
	}
	opts.n = uint8((n + 3) &^ 3)
	return opts, nil
}

// single reports whether the option is its kind and nothing else.
func (o Option) single() bool { return o.Kind == OptEnd || o.Kind == OptNOP }

// Bytes returns a copy of the options as they stand in the header, padding included.
func (o Options) Bytes() []byte { return o.raw[:o.n] }

// SACK returns the blocks in the header's order, with absolute numbers; nil where there are none.
func (o Options) SACK() []SACKBlock {
	var blocks []SACKBlock
	for opt := range o.All() {
		for data := opt.data; opt.Kind == OptSACK && len(data) >= 8; data = data[8:] {
			blocks = append(blocks, SACKBlock{binary.BigEndian.Uint32(data), binary.BigEndian.Uint32(data[4:])})
		}
	}
	return blocks
}

// String is the option and its value.
func (o Option) String() string { return o.text(0) }

// String is the list of Strings as "<mss 1460, sackOK>", empty without options.
func (o Options) String() string {
	if list := o.Strings(); len(list) > 0 {
		return "<" + strings.Join(list, ", ") + ">"
	}
	return ""
}

// Strings lists the options in the header's order, without padding.
func (o Options) Strings() []string { return o.StringsRelative(0) }
