package sockapi

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// The values of options that are more than a number.

func lingerOption(l level, name int, symbol string) Option[Linger] {
	return newOption(option[Linger]{
		level: l, name: name, symbol: symbol,
		room: unix.SizeofLinger, decode: decodeLinger, encode: encodeLinger, show: showLinger,
	})
}

func portRangeOption(l level, name int, symbol string) Option[PortRange] {
	return newOption(option[PortRange]{
		level: l, name: name, symbol: symbol,
		room: 4, decode: decodePortRange, encode: encodePortRange, show: showPortRange,
	})
}

func uint64Option(l level, name int, symbol string) Option[uint64] {
	return newOption(option[uint64]{
		level: l, name: name, symbol: symbol, room: 8, decode: decodeUint64,
		show: func(b []byte) string { return fmt.Sprintf("[%d]", decodeUint64(b)) },
	})
}

// bytesOption is an option that is room bytes or less.
func bytesOption(l level, name int, symbol string, room int) Option[[]byte] {
	return newOption(option[[]byte]{
		level: l, name: name, symbol: symbol, room: room, decode: func(b []byte) []byte { return b }, show: quote,
	})
}

func filterOption(l level, name int, symbol string) Option[[]unix.SockFilter] {
	return newOption(option[[]unix.SockFilter]{
		level: l, name: name, symbol: symbol, set: setFilter, showSet: formatFilter,
	})
}

func decodeLinger(b []byte) Linger {
	return Linger{decodeInt(b) != 0, int(decodeInt(b[min(4, len(b)):]))}
}

func encodeLinger(l Linger) []byte {
	onoff := uint32(0)
	if l.OnOff {
		onoff = 1
	}
	return binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, onoff), uint32(clampInt(l.Seconds)))
}

func showLinger(b []byte) string {
	return fmt.Sprintf("{l_onoff=%d, l_linger=%d}", decodeInt(b), decodeInt(b[min(4, len(b)):]))
}

func decodeUint64(b []byte) uint64 {
	var full [8]byte
	copy(full[:], b)
	return binary.NativeEndian.Uint64(full[:])
}

func decodePortRange(b []byte) PortRange {
	n := uint32(decodeInt(b))
	return PortRange{uint16(n), uint16(n >> 16)}
}

func encodePortRange(r PortRange) []byte {
	return binary.NativeEndian.AppendUint32(nil, uint32(r.Hi)<<16|uint32(r.Lo))
}

// showPortRange shows the number with the range that it means; a bound that is 0
// is left out. (strace 6.1 does not know the option; this is how later ones do.)
func showPortRange(b []byte) string {
	r := decodePortRange(b)
	if r.Lo == 0 && r.Hi == 0 {
		return "[0]"
	}
	bound := func(port uint16) string {
		if port == 0 {
			return ""
		}
		return strconv.Itoa(int(port))
	}
	comment := ""
	if r.Lo <= r.Hi || r.Hi == 0 {
		comment = fmt.Sprintf(" /* %s..%s */", bound(r.Lo), bound(r.Hi))
	}
	return fmt.Sprintf("[%#x%s]", uint32(decodeInt(b)), comment)
}
