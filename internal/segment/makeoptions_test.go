package segment

import (
	"encoding/binary"
	"fmt"
)

// Options made by the tests: the commands only read them.

// RawOption is an option of any kind with any data, of which there is room for 38 octets. OptEnd and OptNOP
// are a single octet and have no data.
func RawOption(kind OptionKind, data []byte) Option {
	o := Option{Kind: kind}
	o.n = uint8(copy(o.data[:], data))
	return o
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

// SACK lists up to four blocks that arrived beyond the acknowledgment number (three beside timestamps).
func SACK(blocks ...SACKBlock) Option {
	data := make([]byte, 0, maxOptionData)
	for _, b := range blocks {
		data = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(data, b.Left), b.Right)
	}
	return RawOption(OptSACK, data)
}

// Timestamps carries the sender's clock, and the last clock it saw from the other side.
func Timestamps(val, ecr uint32) Option {
	return RawOption(OptTimestamps, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, val), ecr))
}

// FastOpen carries a cookie of 4 to 16 octets, or, with none, asks for one.
func FastOpen(cookie []byte) Option { return RawOption(OptFastOpen, cookie) }

// NewOptions writes options one after the other and fills up to a multiple of 4 octets with OptEnd. It is an
// error if they do not fit into [MaxOptions] octets, or if an option comes from a cut or malformed one.
func NewOptions(list ...Option) (Options, error) {
	var opts Options
	n := 0
	for _, o := range list {
		size := 2 + int(o.n)
		if o.single() {
			size = 1
		}
		if o.form != whole || o.single() && o.n > 0 {
			return Options{}, fmt.Errorf("segment: option %s cannot be written", o)
		}
		if n+size > MaxOptions {
			return Options{}, fmt.Errorf("segment: options take more than %d octets", MaxOptions)
		}
		opts.raw[n] = byte(o.Kind)
		if !o.single() {
			opts.raw[n+1] = byte(size)
			copy(opts.raw[n+2:], o.Data())
		}
		n += size
	}
	opts.n = uint8((n + 3) &^ 3)
	return opts, nil
}

// Malformed reports whether the option's length octet is missing, below 2, or runs past the header. Linux ignores
// such an option and what follows it.
func (o Option) Malformed() bool { return o.form == malformed }

// Truncated reports whether the capture ends inside the option.
func (o Option) Truncated() bool { return o.form == cut }

// Bytes returns a copy of the options as they stand in the header, padding included.
func (o Options) Bytes() []byte { return o.raw[:o.n] }

// SACK returns the blocks in the header's order, with absolute numbers; nil where there are none.
func (o Options) SACK() []SACKBlock {
	data, _ := o.find(OptSACK, -1)
	return sackBlocks(data)
}

// FastOpen returns the cookie, empty in a request for one, and whether the option is there.
func (o Options) FastOpen() (cookie []byte, ok bool) {
	data, ok := o.find(OptFastOpen, -1)
	return append([]byte(nil), data...), ok
}

// String is the option and its value.
func (o Option) String() string { return string(o.appendTo(nil, 0)) }

// String is the list of Strings as "<mss 1460, sackOK>", empty without options.
func (o Options) String() string {
	b := o.appendLine(nil, 0)
	if len(b) == 0 {
		return ""
	}
	return string(b[1:])
}

// Strings lists the options in the header's order, without padding.
func (o Options) Strings() []string { return o.StringsRelative(0) }
