package tcpinfo

import (
	"encoding/binary"
	"errors"
	"iter"
)

// errNoInfo is what an empty buffer gives: not even the state is there.
var errNoInfo = errors.New("tcp_info: empty")

// DecodeInfo reads struct tcp_info as getsockopt(TCP_INFO) or sock_diag's INET_DIAG_INFO gave it, on a machine of this
// byte order. b may have any length but 0: fields beyond its end are absent. The last four bytes of the struct are read
// as Linux 6.18 and 6.19 lay them out; 7.0 laid them out anew without making the struct longer.
func DecodeInfo(b []byte) (Info, error) { return decodeInfo(b, release{6, 18}) }

func decodeInfo(b []byte, kernel release) (i Info, err error) {
	err = i.decode(b, kernel)
	return i, err
}

// decode reads whatever length the kernel gave. All that kernels give are multiples of eight bytes.
func (i *Info) decode(b []byte, kernel release) error {
	switch {
	case len(b) == 0:
		return errNoInfo
	case len(b) >= knownLen:
		i.straight((*[knownLen]byte)(b))
	case len(b)%8 == 0:
		var whole [knownLen]byte
		copy(whole[:], b)
		i.straight(&whole)
	default:
		*i = Info{}
		i.byTable(b, kernel)
	}
	i.Len, i.layout, i.Extra = len(b), kernel, nil
	if len(b) < needAppLimited {
		i.DeliveryRateAppLimited = false
	}
	if len(b) < needFastopen {
		i.FastopenClientFail = 0
	}
	if !kernel.before(goneAccECN) {
		i.AccECNFailMode, i.AccECNOptSeen = 0, 0
	}
	if len(b) > knownLen {
		i.Extra = append([]byte(nil), b[knownLen:]...)
	}
	return nil
}

// byTable reads the fields that are there, row by row.
func (i *Info) byTable(b []byte, kernel release) {
	for n := range fields {
		f := &fields[n]
		if f.within(len(b), kernel) {
			f.put(i, f.read(b, bigEndian))
		}
	}
}

// within says whether the field is in a struct of this length from this kernel.
func (f *Field) within(length int, kernel release) bool {
	return length >= max(f.Offset+f.Size, f.need) && (f.gone == release{} || kernel.before(f.gone))
}

// read takes the field's number out of the struct. Compilers lay bit-fields out from the low bit on little-endian
// machines and from the high bit on big-endian ones.
func (f *Field) read(b []byte, bigEndian bool) uint64 {
	b = b[f.Offset:]
	switch {
	case f.Bits > 0 && bigEndian:
		return uint64(b[0]) >> (8 - f.Bit - f.Bits) & (1<<f.Bits - 1)
	case f.Bits > 0:
		return uint64(b[0]) >> f.Bit & (1<<f.Bits - 1)
	}
	switch f.Size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(native.Uint16(b))
	case 4:
		return uint64(native.Uint32(b))
	}
	return native.Uint64(b)
}

// native is the machine's byte order, which is netlink's and the socket options'.
var native = binary.NativeEndian

var bigEndian = native.Uint16([]byte{0, 1}) == 1

// Has says whether the kernel reported the field of that name (the kernel's, without "tcpi_", such as "rcv_wnd"). It
// did not if the field is younger than the kernel, and of a listener it reports few. It says false of names that are no
// field's.
func (i *Info) Has(name string) bool {
	_, ok := i.Value(name)
	return ok
}

// Value returns the number that the kernel reported in the field of that name, in the kernel's unit (Field.Unit), and
// whether it reported one.
func (i *Info) Value(name string) (uint64, bool) {
	f := fieldByName[name]
	if f == nil || !i.has(f) {
		return 0, false
	}
	return f.get(i), true
}

func (i *Info) has(f *Field) bool {
	return f.within(i.Len, i.layout) && (f.listen || i.State != Listen)
}

var fieldByName = func() map[string]*Field {
	m := make(map[string]*Field, len(fields))
	for n := range fields {
		m[fields[n].Name] = &fields[n]
	}
	return m
}()

// All goes through the fields that the kernel reported, in the struct's order, with their numbers in the kernel's
// units.
func (i *Info) All() iter.Seq2[Field, uint64] {
	return func(yield func(Field, uint64) bool) {
		for n := range fields {
			if f := &fields[n]; i.has(f) && !yield(*f, f.get(i)) {
				return
			}
		}
	}
}
