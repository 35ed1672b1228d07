package sockapi

import (
	"encoding/binary"
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The values of options: how the kernel lays each out (host byte order throughout). How strace shows them is in
// strace_option.go.

// intOf makes an option that is a C int to the kernel.
func intOf[T any](level level, number int, name string, from func(int32) T, to func(T) int32) Option[T] {
	return newOption(option[T]{
		OptionID: level.option(number, name), room: 4,
		decode: func(b []byte) T { return from(decodeInt(b)) },
		encode: func(v T) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(to(v))) },
	})
}

// decodeInt reads a C int; what the kernel did not write is 0.
func decodeInt(b []byte) int32 {
	var full [4]byte
	copy(full[:], b)
	return int32(binary.NativeEndian.Uint32(full[:]))
}

func intOption(l level, number int, name string) Option[int] {
	return intOf(l, number, name, func(i int32) int { return int(i) }, clampInt)
}

// clampInt keeps a value that is no C int from becoming another one.
func clampInt(v int) int32 { return int32(min(max(v, math.MinInt32), math.MaxInt32)) }

func boolOption(l level, number int, name string) Option[bool] {
	return intOf(l, number, name, func(i int32) bool { return i != 0 }, boolInt)
}

func boolInt(v bool) int32 {
	if v {
		return 1
	}
	return 0
}

func errnoOption(l level, number int, name string) Option[unix.Errno] {
	return intOf(l, number, name, func(i int32) unix.Errno { return unix.Errno(i) }, func(e unix.Errno) int32 { return int32(e) })
}

// unitOption is a duration that the kernel counts in whole units.
func unitOption(l level, number int, name string, unit time.Duration) Option[time.Duration] {
	return intOf(l, number, name,
		func(i int32) time.Duration { return time.Duration(i) * unit },
		func(v time.Duration) int32 { return clampInt(int(wholeUnits(v, unit))) })
}

// wholeUnits rounds away from 0: for many options 0 means something else, such as "for ever".
func wholeUnits(d, unit time.Duration) int64 {
	n := int64(d / unit)
	switch rest := d % unit; {
	case rest > 0:
		n++
	case rest < 0:
		n--
	}
	return n
}

func timevalOption(l level, number int, name string) Option[time.Duration] {
	return newOption(option[time.Duration]{
		OptionID: l.option(number, name), room: 2 * sizeofLong,
		decode: func(b []byte) time.Duration {
			sec, usec := decodeTimeval(b)
			return time.Duration(sec)*time.Second + time.Duration(usec)*time.Microsecond
		},
		encode: func(v time.Duration) []byte { return encodeTimeval(wholeUnits(v, time.Microsecond)) },
	})
}

// sizeofLong is the size of a C long, in which the kernel counts both parts of the classic struct timeval.
const sizeofLong = 4 << (^uintptr(0) >> 63)

func encodeTimeval(us int64) []byte {
	sec, usec := us/1e6, us%1e6
	if sizeofLong == 8 {
		b := binary.NativeEndian.AppendUint64(nil, uint64(sec))
		return binary.NativeEndian.AppendUint64(b, uint64(usec))
	}
	b := binary.NativeEndian.AppendUint32(nil, uint32(clampInt(int(sec))))
	return binary.NativeEndian.AppendUint32(b, uint32(usec))
}

func decodeTimeval(b []byte) (sec, usec int64) {
	var full [16]byte
	copy(full[:], b)
	if sizeofLong == 8 {
		return int64(binary.NativeEndian.Uint64(full[:])), int64(binary.NativeEndian.Uint64(full[8:]))
	}
	return int64(int32(binary.NativeEndian.Uint32(full[:]))), int64(int32(binary.NativeEndian.Uint32(full[4:])))
}

func lingerOption(l level, number int, name string) Option[Linger] {
	return newOption(option[Linger]{
		OptionID: l.option(number, name), room: unix.SizeofLinger, decode: decodeLinger,
		encode: func(v Linger) []byte {
			b := binary.NativeEndian.AppendUint32(nil, uint32(boolInt(v.OnOff)))
			return binary.NativeEndian.AppendUint32(b, uint32(clampInt(v.Seconds)))
		},
	})
}

func decodeLinger(b []byte) Linger {
	return Linger{decodeInt(b) != 0, int(decodeInt(b[min(4, len(b)):]))}
}

func portRangeOption(l level, number int, name string) Option[PortRange] {
	return newOption(option[PortRange]{
		OptionID: l.option(number, name), room: 4, decode: decodePortRange, encode: encodePortRange,
	})
}

func decodePortRange(b []byte) PortRange {
	n := uint32(decodeInt(b))
	return PortRange{uint16(n), uint16(n >> 16)}
}

func encodePortRange(r PortRange) []byte {
	return binary.NativeEndian.AppendUint32(nil, uint32(r.Hi)<<16|uint32(r.Lo))
}

func uint64Option(l level, number int, name string) Option[uint64] {
	return newOption(option[uint64]{OptionID: l.option(number, name), room: 8, decode: decodeUint64})
}

func decodeUint64(b []byte) uint64 {
	var full [8]byte
	copy(full[:], b)
	return binary.NativeEndian.Uint64(full[:])
}

// bytesOption is an option that is room bytes or less.
func bytesOption(l level, number int, name string, room int) Option[[]byte] {
	return newOption(option[[]byte]{OptionID: l.option(number, name), room: room, decode: func(b []byte) []byte { return b }})
}

// filterOption is a program. The kernel takes at most 4096 instructions, so that a longer one may as well be cut to
// what fits its count.
func filterOption(l level, number int, name string) Option[[]unix.SockFilter] {
	set := func(fd int, id OptionID, program []unix.SockFilter) error {
		prog := unix.SockFprog{Len: uint16(min(len(program), math.MaxUint16)), Filter: unsafe.SliceData(program)}
		return unix.SetsockoptSockFprog(fd, id.Level, id.Number, &prog)
	}
	return newOption(option[[]unix.SockFilter]{OptionID: l.option(number, name), room: unix.SizeofSockFprog, set: set})
}
