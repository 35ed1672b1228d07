package sockapi

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// The values of options: how the kernel lays each out (host byte order
// throughout), and how strace shows it.

func intValue[T any](l level, name int, symbol string, from func(int32) T, to func(T) int32) option[T] {
	return option[T]{
		level: l, name: name, symbol: symbol, room: 4,
		decode: func(b []byte) T { return from(decodeInt(b)) },
		encode: func(v T) []byte { return binary.NativeEndian.AppendUint32(nil, uint32(to(v))) },
		show:   showInt,
	}
}

// decodeInt reads a C int; what the kernel did not write is 0.
func decodeInt(b []byte) int32 {
	var full [4]byte
	copy(full[:], b)
	return int32(binary.NativeEndian.Uint32(full[:]))
}

func showInt(b []byte) string {
	if len(b) != 4 {
		return quote(b)
	}
	return fmt.Sprintf("[%d]", decodeInt(b))
}

func intOption(l level, name int, symbol string) Option[int] {
	return newOption(intValue(l, name, symbol, func(i int32) int { return int(i) }, clampInt))
}

// clampInt keeps a value that is no C int from becoming another one.
func clampInt(v int) int32 { return int32(min(max(v, math.MinInt32), math.MaxInt32)) }

func boolOption(l level, name int, symbol string) Option[bool] {
	return newOption(intValue(l, name, symbol,
		func(i int32) bool { return i != 0 },
		func(v bool) int32 {
			if v {
				return 1
			}
			return 0
		}))
}

func errnoOption(l level, name int, symbol string) Option[unix.Errno] {
	o := intValue(l, name, symbol,
		func(i int32) unix.Errno { return unix.Errno(i) },
		func(e unix.Errno) int32 { return int32(e) })
	o.show = func(b []byte) string {
		if errno := decodeInt(b); errno > 0 && len(b) == 4 {
			return "[" + ErrnoName(unix.Errno(errno)) + "]"
		}
		return showInt(b)
	}
	return newOption(o)
}

// unitOption is a duration that the kernel counts in whole units.
func unitOption(l level, name int, symbol string, unit time.Duration) Option[time.Duration] {
	return newOption(intValue(l, name, symbol,
		func(i int32) time.Duration { return time.Duration(i) * unit },
		func(v time.Duration) int32 { return clampInt(int(wholeUnits(v, unit))) }))
}

// wholeUnits rounds away from 0: for many options 0 means something else, such
// as "for ever".
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

func timevalOption(l level, name int, symbol string) Option[time.Duration] {
	return newOption(option[time.Duration]{
		level: l, name: name, symbol: symbol, room: 2 * sizeofLong,
		decode: func(b []byte) time.Duration {
			sec, usec := decodeTimeval(b)
			return time.Duration(sec)*time.Second + time.Duration(usec)*time.Microsecond
		},
		encode: func(v time.Duration) []byte { return encodeTimeval(wholeUnits(v, time.Microsecond)) },
		show:   showTimeval,
	})
}

// sizeofLong is the size of a C long, in which the kernel counts both parts
// of the classic struct timeval.
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

func showTimeval(b []byte) string {
	if len(b) != 2*sizeofLong {
		return quote(b)
	}
	sec, usec := decodeTimeval(b)
	return fmt.Sprintf("{tv_sec=%d, tv_usec=%d}", sec, usec)
}
