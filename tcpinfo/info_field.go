package tcpinfo

import (
	"math"
	"reflect"
	"time"
	"unsafe"
)

// Field describes one field of struct tcp_info. One row of the table (info_fields.go) is all there is to say of a
// field: decoding, Has, iteration, JSON and the printed reference are made from it.
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

	// Its place in Info. An offset makes decoding five times faster than package reflect.
	at   uintptr
	kind reflect.Kind // Int64 is a time.Duration
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

// duration is the unit of a time.
func (u Unit) duration() time.Duration {
	if u == UnitMilliseconds {
		return time.Millisecond
	}
	return time.Microsecond
}

// placed finds the fields' places in Info, which has them in the same order.
func placed(fields []Field) []Field {
	info := reflect.TypeFor[Info]()
	for n := range fields {
		place := info.Field(n)
		fields[n].at, fields[n].kind = place.Offset, place.Type.Kind()
	}
	return fields
}

// put keeps the kernel's number v. Times of more than 292 years, which a Duration cannot hold, are cut to that.
func (f *Field) put(i *Info, v uint64) {
	p := unsafe.Add(unsafe.Pointer(i), f.at)
	switch f.kind {
	case reflect.Uint8:
		*(*uint8)(p) = uint8(v)
	case reflect.Uint16:
		*(*uint16)(p) = uint16(v)
	case reflect.Uint32:
		*(*uint32)(p) = uint32(v)
	case reflect.Uint64:
		*(*uint64)(p) = v
	case reflect.Bool:
		*(*bool)(p) = v != 0
	case reflect.Int64:
		unit := f.Unit.duration()
		*(*time.Duration)(p) = time.Duration(min(v, math.MaxInt64/uint64(unit))) * unit
	}
}

// get gives the number back, in the kernel's unit.
func (f *Field) get(i *Info) uint64 {
	p := unsafe.Add(unsafe.Pointer(i), f.at)
	switch f.kind {
	case reflect.Uint8:
		return uint64(*(*uint8)(p))
	case reflect.Uint16:
		return uint64(*(*uint16)(p))
	case reflect.Uint32:
		return uint64(*(*uint32)(p))
	case reflect.Uint64:
		return *(*uint64)(p)
	case reflect.Int64:
		return uint64(*(*time.Duration)(p) / f.Unit.duration())
	}
	if *(*bool)(p) {
		return 1
	}
	return 0
}
