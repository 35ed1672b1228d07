package sockapi

import (
	"strconv"
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

// level is the protocol that an option belongs to.
type level struct {
	number int
	symbol string
}

var (
	solSocket = level{unix.SOL_SOCKET, "SOL_SOCKET"}
	solIP     = level{unix.SOL_IP, "SOL_IP"}
	solTCP    = level{unix.SOL_TCP, "SOL_TCP"}
	solIPv6   = level{unix.SOL_IPV6, "SOL_IPV6"}
)

// option is what the kernel knows an option by, and how its value is encoded.
type option[T any] struct {
	level  level
	name   int
	symbol string // the name's
	room   int    // bytes to read a value into
	decode func([]byte) T
	encode func(T) []byte
	show   func([]byte) string // the value in strace's notation
	// set replaces encode and show for a value that has pointers in it.
	set     func(fd, level, name int, v T) error
	showSet func(v T) (value string, size int)
}

// newOption makes an Option; the exported values are made with it.
func newOption[T any](o option[T]) Option[T] {
	return Option[T]{ReadOnly[T]{&o}, WriteOnly[T]{&o}}
}

// String is the option's name.
func (o Option[T]) String() string { return o.ReadOnly.o.symbol }

// String is the option's name.
func (o ReadOnly[T]) String() string { return o.o.symbol }

// String is the option's name.
func (o WriteOnly[T]) String() string { return o.o.symbol }

// Get reads the option: getsockopt(2).
func (o ReadOnly[T]) Get(s *Socket) (T, error) { return o.o.get(s) }

// Put sets the option: setsockopt(2), and nothing else.
func (o WriteOnly[T]) Put(s *Socket, v T) error { return o.o.put(s, v) }

// Set sets the option and reads it back: setsockopt(2), then getsockopt(2). It
// returns what the kernel made of the value.
func (o Option[T]) Set(s *Socket, v T) (got T, err error) {
	if err := o.Put(s, v); err != nil {
		return got, err
	}
	return o.Get(s)
}

func (o *option[T]) put(s *Socket, v T) error {
	var b []byte
	if o.set == nil {
		b = o.encode(v)
	}
	_, err := s.do(call{name: "setsockopt"},
		func(fd int) (int, unix.Errno) {
			if o.set != nil {
				return 0, errnoOf(o.set(fd, o.level.number, o.name, v))
			}
			_, _, errno := unix.Syscall6(unix.SYS_SETSOCKOPT, uintptr(fd), uintptr(o.level.number), uintptr(o.name),
				uintptr(base(b)), uintptr(len(b)), 0)
			return 0, errno
		},
		func(_ *Call, fd int, _ bool) []string {
			var value string
			size := len(b)
			if o.set != nil {
				value, size = o.showSet(v)
			} else {
				value = o.show(b)
			}
			return []string{strconv.Itoa(fd), o.level.symbol, o.symbol, value, strconv.Itoa(size)}
		},
	)
	return o.about(err)
}

func (o *option[T]) get(s *Socket) (v T, err error) {
	b := make([]byte, o.room)
	size := uint32(len(b))
	written := func() []byte { return b[:min(len(b), int(size))] }
	_, err = s.do(call{name: "getsockopt"},
		func(fd int) (int, unix.Errno) {
			size = uint32(len(b))
			_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), uintptr(o.level.number), uintptr(o.name),
				uintptr(base(b)), uintptr(unsafe.Pointer(&size)), 0)
			return 0, errno
		},
		func(_ *Call, fd int, done bool) []string {
			value, length := pointer(base(b)), uint32(len(b))
			if done {
				length = size
			}
			if done && size > 0 {
				value = o.show(written())
			}
			return []string{strconv.Itoa(fd), o.level.symbol, o.symbol, value, lengthBack(uint32(len(b)), length)}
		},
	)
	if err != nil {
		return v, o.about(err)
	}
	return o.decode(written()), nil
}

// about adds the option's name to an error: which option it was says more than
// which socket.
func (o *option[T]) about(err error) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	named := *e
	named.Option = o.symbol
	return &named
}
