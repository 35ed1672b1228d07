package sockapi

import (
	"math"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The values of options: how the kernel has each, and what it means. How strace shows them is in strace_option.go.

// valueOf makes an option that is a K to the kernel: a C int or struct.
func valueOf[T, K any](id OptionID, from func(K) T, to func(T) K) Option[T] {
	return newOption(option[T]{
		OptionID: id, room: int(unsafe.Sizeof(*new(K))),
		decode: func(b []byte) T { return from(load[K](b)) },
		encode: func(v T) []byte { return memory(new(to(v))) },
	})
}

// memory is where a value is.
func memory[K any](v *K) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v)) }

// load takes a K out of what the kernel wrote; what it did not write is 0.
func load[K any](b []byte) (v K) {
	copy(memory(&v), b)
	return v
}

func intOption(l level, number int, name string) Option[int] {
	return valueOf(l.option(number, name), func(i int32) int { return int(i) }, clampInt[int])
}

// clampInt keeps a value that is no C int from becoming another one.
func clampInt[I int | int64](v I) int32 {
	return int32(min(max(int64(v), math.MinInt32), math.MaxInt32))
}

func boolOption(l level, number int, name string) Option[bool] {
	return valueOf(l.option(number, name), func(i int32) bool { return i != 0 }, boolInt)
}

func boolInt(v bool) int32 {
	if v {
		return 1
	}
	return 0
}

func errnoOption(l level, number int, name string) Option[unix.Errno] {
	return valueOf(l.option(number, name),
		func(i int32) unix.Errno { return unix.Errno(i) }, func(e unix.Errno) int32 { return int32(e) })
}

// unitOption is a duration that the kernel counts in whole units.
func unitOption(l level, number int, name string, unit time.Duration) Option[time.Duration] {
	return valueOf(l.option(number, name),
		func(i int32) time.Duration { return time.Duration(i) * unit },
		func(v time.Duration) int32 { return clampInt(wholeUnits(v, unit)) })
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

// timeval is the classic struct timeval, in which the kernel counts both parts in a C long, which is as large as an
// int.
type timeval struct{ sec, usec int }

func timevalOption(l level, number int, name string) Option[time.Duration] {
	return valueOf(l.option(number, name),
		func(tv timeval) time.Duration {
			return time.Duration(tv.sec)*time.Second + time.Duration(tv.usec)*time.Microsecond
		},
		func(v time.Duration) timeval {
			us := wholeUnits(v, time.Microsecond)
			return timeval{int(min(max(us/1e6, math.MinInt), math.MaxInt)), int(us % 1e6)}
		})
}

func lingerOption(l level, number int, name string) Option[Linger] {
	return valueOf(l.option(number, name),
		func(k unix.Linger) Linger { return Linger{k.Onoff != 0, int(k.Linger)} },
		func(v Linger) unix.Linger { return unix.Linger{Onoff: boolInt(v.OnOff), Linger: clampInt(v.Seconds)} })
}

func portRangeOption(l level, number int, name string) Option[PortRange] {
	return valueOf(l.option(number, name), portRange, PortRange.number)
}

// portRange takes the range out of the number that the kernel has it in.
func portRange(n uint32) PortRange { return PortRange{uint16(n), uint16(n >> 16)} }

func (r PortRange) number() uint32 { return uint32(r.Hi)<<16 | uint32(r.Lo) }

func uint64Option(l level, number int, name string) Option[uint64] {
	same := func(v uint64) uint64 { return v }
	return valueOf(l.option(number, name), same, same)
}

// bytesOption is an option that is room bytes or less.
func bytesOption(l level, number int, name string, room int) Option[[]byte] {
	return newOption(option[[]byte]{OptionID: l.option(number, name), room: room, decode: func(b []byte) []byte { return b }})
}

// filterOption is a program. The kernel takes at most 4096 instructions, so that a longer one may as well be cut to
// what fits its count.
func filterOption(l level, number int, name string) Option[[]unix.SockFilter] {
	return valueOf(l.option(number, name),
		func(p unix.SockFprog) []unix.SockFilter { return unsafe.Slice(p.Filter, p.Len) },
		func(program []unix.SockFilter) unix.SockFprog {
			return unix.SockFprog{Len: uint16(min(len(program), math.MaxUint16)), Filter: unsafe.SliceData(program)}
		})
}
