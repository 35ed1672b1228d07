package sockapi

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// AtMark says whether the next byte to be read is the one that was sent as urgent: ioctl(2) SIOCATMARK, see
// sockatmark(3) and tcp(7).
func (s *Socket) AtMark() (bool, error) {
	n, err := s.ioctl(unix.SIOCATMARK)
	return n != 0, err
}

// InQ is the number of bytes that can be read: ioctl(2) SIOCINQ, which strace prints under its other name, FIONREAD
// (tcp(7)). A listener has none: EINVAL.
func (s *Socket) InQ() (int, error) { return s.ioctl(unix.SIOCINQ) }

// OutQ is the number of bytes that were written and are not yet acknowledged: ioctl(2) SIOCOUTQ, which strace prints
// under its other name, TIOCOUTQ (tcp(7)). A listener has none: EINVAL.
func (s *Socket) OutQ() (int, error) { return s.ioctl(unix.SIOCOUTQ) }

func (s *Socket) ioctl(request uintptr) (int, error) {
	var value int32 // a C int: IoctlGetInt of package unix has a Go int written to
	c := Call{Name: "ioctl", Request: request, Ptr: uintptr(unsafe.Pointer(&value))}
	_, err := s.do(&c, func(fd int) (int, unix.Errno) {
		c.Ptr = uintptr(unsafe.Pointer(&value)) // the stack may have moved
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&value)))
		if errno == 0 && s.tracer != nil {
			c.Value = int(value)
		}
		return 0, errno
	})
	return int(value), err
}
