package segment

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

// StringsRelative lists the options in the header's order, without padding, with shift added to the edges of SACK
// blocks, modulo 2^32. What takes an acknowledgment number to the relative one takes these there too: shift is relative
// less absolute.
func (o Options) StringsRelative(shift uint32) []string {
	list := []string{}
	for opt := range o.All() {
		if opt.Kind != OptNOP {
			list = append(list, string(opt.appendTo(nil, shift)))
		}
	}
	return list
}

// appendLine appends " <mss 1460, sackOK>", or nothing where there are no options.
func (o Options) appendLine(b []byte, shift uint32) []byte {
	separator := " <"
	for opt := range o.All() {
		if opt.Kind != OptNOP {
			b = opt.appendTo(append(b, separator...), shift)
			separator = ", "
		}
	}
	if o.missing > 0 {
		b = strconv.AppendInt(append(b, separator...), int64(o.missing), 10)
		b = append(b, " octets not captured"...)
		separator = ", "
	}
	if separator == ", " {
		b = append(b, '>')
	}
	return b
}

// appendTo appends the option and its value: "mss 1460", "sackOK", "TS val 1 ecr 0", "sack {101:201} {301:401}". A
// kind that is not known is "UNKNOWN(77) 0102", one whose size or length octet is wrong "MALFORMED(2) 05",
// one that the capture cuts short "TRUNCATED(5) 0102", each with its data in hexadecimal.
func (o *Option) appendTo(b []byte, shift uint32) []byte {
	data := o.Data()
	switch {
	case o.form == cut:
		return o.appendRaw(b, "TRUNCATED")
	case o.form == malformed || !o.fits():
		return o.appendRaw(b, "MALFORMED")
	}
	switch o.Kind {
	case OptEnd:
		return append(b, "end"...)
	case OptNOP:
		return append(b, "nop"...)
	case OptMSS:
		return appendNumber(append(b, "mss "...), uint32(binary.BigEndian.Uint16(data)))
	case OptWindowScale:
		return appendNumber(append(b, "wscale "...), uint32(data[0]))
	case OptSACKPermitted:
		return append(b, "sackOK"...)
	case OptSACK:
		return appendSACK(b, data, shift)
	case OptTimestamps:
		b = appendNumber(append(b, "TS val "...), binary.BigEndian.Uint32(data))
		return appendNumber(append(b, " ecr "...), binary.BigEndian.Uint32(data[4:]))
	case OptMD5:
		return appendHex(append(b, "md5"...), data)
	case OptUserTimeout:
		return appendUserTimeout(b, binary.BigEndian.Uint16(data))
	case OptAO:
		b = appendNumber(append(b, "ao keyid "...), uint32(data[0]))
		b = appendNumber(append(b, " rnextkeyid "...), uint32(data[1]))
		return appendHex(append(b, " mac"...), data[2:])
	case OptMPTCP:
		return appendMPTCP(b, data)
	case OptFastOpen:
		return appendFastOpen(b, data)
	case OptAccECN0:
		return appendAccECN(append(b, "accecn0"...), data)
	case OptAccECN1:
		return appendAccECN(append(b, "accecn1"...), data)
	case OptExperiment1, OptExperiment2:
		b = appendNumber(append(b, "exp "...), uint32(o.Kind))
		return appendHex(hex.AppendEncode(append(b, " id 0x"...), data[:2]), data[2:])
	}
	return o.appendRaw(b, "UNKNOWN")
}

// fits reports whether the size of the data is one that the kind can have.
func (o *Option) fits() bool {
	n := int(o.n)
	switch o.Kind {
	case OptMSS, OptUserTimeout:
		return n == 2
	case OptWindowScale:
		return n == 1
	case OptEnd, OptNOP, OptSACKPermitted:
		return n == 0
	case OptSACK:
		return n >= 8 && n%8 == 0
	case OptTimestamps:
		return n == 8
	case OptMD5:
		return n == 16
	case OptAO, OptExperiment1, OptExperiment2:
		return n >= 2
	case OptMPTCP:
		return n >= 1
	case OptFastOpen: // RFC 7413 section 2: 4 to 16 octets, even; none asks for a cookie
		return n == 0 || n >= 4 && n <= 16 && n%2 == 0
	case OptAccECN0, OptAccECN1:
		return n%3 == 0 && n <= 9
	}
	return true
}

func (o *Option) appendRaw(b []byte, word string) []byte {
	b = append(append(b, word...), '(')
	return appendHex(append(appendNumber(b, uint32(o.Kind)), ')'), o.Data())
}

func appendNumber(b []byte, n uint32) []byte { return strconv.AppendUint(b, uint64(n), 10) }

// appendHex appends a space and the data, or nothing where there is none.
func appendHex(b, data []byte) []byte {
	if len(data) == 0 {
		return b
	}
	return hex.AppendEncode(append(b, ' '), data)
}

func appendSACK(b, data []byte, shift uint32) []byte {
	b = append(b, "sack"...)
	for _, block := range sackBlocks(data) {
		b = appendNumber(append(b, " {"...), block.Left+shift)
		b = append(appendNumber(append(b, ':'), block.Right+shift), '}')
	}
	return b
}

// appendUserTimeout reads the timeout's unit from its highest bit: minutes or seconds (RFC 5482 section 3.1).
func appendUserTimeout(b []byte, v uint16) []byte {
	unit := byte('s')
	if v&0x8000 != 0 {
		unit = 'm'
	}
	return append(appendNumber(append(b, "uto "...), uint32(v&0x7fff)), unit)
}

func appendFastOpen(b, cookie []byte) []byte {
	if len(cookie) == 0 {
		return append(b, "tfo cookiereq"...)
	}
	return appendHex(append(b, "tfo cookie"...), cookie)
}

// appendAccECN shows the counters in the order they are sent, each 24 bits (RFC 9768 section 3.2.3).
func appendAccECN(b, data []byte) []byte {
	for ; len(data) >= 3; data = data[3:] {
		b = appendNumber(append(b, ' '), uint32(data[0])<<16|uint32(data[1])<<8|uint32(data[2]))
	}
	return b
}

// mptcpSubtypes are the names in RFC 8684 section 9.2, by number.
var mptcpSubtypes = [...]string{
	"MP_CAPABLE", "MP_JOIN", "DSS", "ADD_ADDR", "REMOVE_ADDR", "MP_PRIO", "MP_FAIL", "MP_FASTCLOSE", "MP_TCPRST",
}

func appendMPTCP(b, data []byte) []byte {
	b = append(b, "mptcp "...)
	if subtype := int(data[0] >> 4); subtype < len(mptcpSubtypes) {
		b = append(b, mptcpSubtypes[subtype]...)
	} else {
		b = append(appendNumber(append(b, "UNKNOWN("...), uint32(subtype)), ')')
	}
	return appendHex(b, data)
}
