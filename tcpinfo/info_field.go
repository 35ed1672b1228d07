package tcpinfo

import (
	"math"
	"time"
	"unsafe"
)

// Field describes one field of struct tcp_info. One row of the table below is all there is to say of a field: decoding,
// Has, iteration, JSON and the printed reference are made from it.
type Field struct {
	Name   string // the kernel's, without "tcpi_"
	Offset int    // bytes from the start of the struct
	Size   int    // bytes: 1, 2, 4 or 8
	Bit    int    // of a bit-field: how many bits of the byte are declared before it
	Bits   int    // of a bit-field: its width; 0 for a whole field
	Unit   Unit
	Since  string // the first Linux that reports it
	Doc    string // one sentence

	need   int     // length of the struct in that Linux, of bit-fields in what was padding
	gone   release // the Linux that put something else in its place without changing the length
	listen bool    // reported of a listener, of which the kernel leaves everything else zero
	access
}

// Unit is what a field counts.
type Unit string

// Units of tcp_info's fields.
const (
	UnitNone           Unit = "" // a count, a state or a set of bits
	UnitMicroseconds   Unit = "us"
	UnitMilliseconds   Unit = "ms"
	UnitBytes          Unit = "bytes"
	UnitSegments       Unit = "segments"
	UnitBytesPerSecond Unit = "bytes_per_s"
)

// access is a field's place in Info. It is an offset and not a function, which makes decoding five times faster.
type access struct {
	at   uintptr
	kind kind
	unit time.Duration // of kindTime: what the kernel counts in
}

// kind is how a field is kept in Info.
type kind uint8

const (
	kind8 kind = iota
	kind16
	kind32
	kind64
	kindBool
	kindTime
)

// origin is an Info to measure from.
var origin Info

func offset(p unsafe.Pointer) uintptr { return uintptr(p) - uintptr(unsafe.Pointer(&origin)) }

func num[T ~uint8 | ~uint16 | ~uint32 | ~uint64](at func(*Info) *T) access {
	p := at(&origin)
	a := access{at: offset(unsafe.Pointer(p))}
	switch unsafe.Sizeof(*p) {
	case 2:
		a.kind = kind16
	case 4:
		a.kind = kind32
	case 8:
		a.kind = kind64
	}
	return a
}

func onOff(at func(*Info) *bool) access {
	return access{at: offset(unsafe.Pointer(at(&origin))), kind: kindBool}
}

func usec(at func(*Info) *time.Duration) access {
	return access{at: offset(unsafe.Pointer(at(&origin))), kind: kindTime, unit: time.Microsecond}
}

func msec(at func(*Info) *time.Duration) access {
	return access{at: offset(unsafe.Pointer(at(&origin))), kind: kindTime, unit: time.Millisecond}
}

// put keeps the kernel's number v. Times of more than 292 years, which a Duration cannot hold, are cut to that.
func (a *access) put(i *Info, v uint64) {
	p := unsafe.Add(unsafe.Pointer(i), a.at)
	switch a.kind {
	case kind8:
		*(*uint8)(p) = uint8(v)
	case kind16:
		*(*uint16)(p) = uint16(v)
	case kind32:
		*(*uint32)(p) = uint32(v)
	case kind64:
		*(*uint64)(p) = v
	case kindBool:
		*(*bool)(p) = v != 0
	case kindTime:
		*(*time.Duration)(p) = time.Duration(min(v, math.MaxInt64/uint64(a.unit))) * a.unit
	}
}

// get gives the number back, in the kernel's unit.
func (a *access) get(i *Info) uint64 {
	p := unsafe.Add(unsafe.Pointer(i), a.at)
	switch a.kind {
	case kind8:
		return uint64(*(*uint8)(p))
	case kind16:
		return uint64(*(*uint16)(p))
	case kind32:
		return uint64(*(*uint32)(p))
	case kind64:
		return *(*uint64)(p)
	case kindTime:
		return uint64(*(*time.Duration)(p) / a.unit)
	}
	if *(*bool)(p) {
		return 1
	}
	return 0
}
