package sockapi

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Option is a socket option whose value is a T.
type Option[T any] struct {
	ReadOnly[T]
	WriteOnly[T]
}

// ReadOnly is a socket option that can only be read.
type ReadOnly[T any] struct{ o *option[T] }

// WriteOnly is a socket option that can only be set.
type WriteOnly[T any] struct{ o *option[T] }

// OptionID is what the kernel and the man pages know an option by.
type OptionID struct {
	Level, Number   int    // unix.SOL_SOCKET, unix.SO_LINGER
	LevelName, Name string // "SOL_SOCKET", "SO_LINGER"
}

// option is an option and how its value is encoded.
type option[T any] struct {
	OptionID
	room   int // bytes of a value
	decode func([]byte) T
	encode func(T) []byte
}

// newOption makes an Option; the exported values are made with it.
func newOption[T any](o option[T]) Option[T] {
	return Option[T]{ReadOnly[T]{&o}, WriteOnly[T]{&o}}
}

// String is the option's name.
func (o Option[T]) String() string { return o.ReadOnly.o.Name }

// String is the option's name.
func (o ReadOnly[T]) String() string { return o.o.Name }

// String is the option's name.
func (o WriteOnly[T]) String() string { return o.o.Name }

// Get reads the option: getsockopt(2).
func (o ReadOnly[T]) Get(s *Socket) (T, error) { return o.o.get(s) }

// Set sets the option: setsockopt(2), and nothing else.
func (o WriteOnly[T]) Set(s *Socket, v T) error { return o.o.put(s, v) }

// SetGet sets the option and reads it back: setsockopt(2), then getsockopt(2). It returns what the kernel made of the
// value.
func (o Option[T]) SetGet(s *Socket, v T) (got T, err error) {
	if err := o.Set(s, v); err != nil {
		return got, err
	}
	return o.Get(s)
}

func (o *option[T]) put(s *Socket, v T) error {
	c := Call{Name: "setsockopt", Option: o.OptionID, Buf: o.encode(v), Len: o.room}
	if s.tracer != nil {
		c.Value = o.decode(c.Buf) // rounded as it is passed
	}
	_, err := s.do(&c, func(fd int) (int, unix.Errno) {
		_, _, errno := unix.Syscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(o.Level), uintptr(o.Number),
			uintptr(base(c.Buf)), uintptr(c.Len), 0)
		return 0, errno
	})
	return err
}

func (o *option[T]) get(s *Socket) (v T, err error) {
	b := make([]byte, o.room)
	c := Call{Name: "getsockopt", Option: o.OptionID, Buf: b, Len: len(b), Ptr: uintptr(base(b))}
	_, err = s.do(&c, func(fd int) (int, unix.Errno) {
		size := uint32(len(b))
		_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(o.Level), uintptr(o.Number),
			uintptr(base(b)), uintptr(unsafe.Pointer(&size)), 0)
		if errno == 0 {
			v = o.decode(b[:min(len(b), int(size))])
			c.LenBack = int(size)
		}
		if errno == 0 && s.tracer != nil {
			c.Value = v
		}
		return 0, errno
	})
	return v, err
}
