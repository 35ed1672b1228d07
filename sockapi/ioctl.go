package sockapi

import (
	"fmt"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// AtMark says whether the next byte to be read is the one that was sent as
// urgent: ioctl(2) SIOCATMARK, see sockatmark(3) and tcp(7).
func (s *Socket) AtMark() (bool, error) {
	n, err := s.ioctl("SIOCATMARK", unix.SIOCATMARK)
	return n != 0, err
}

// InQ is the number of bytes that can be read: ioctl(2) SIOCINQ, which strace
// prints under its other name, FIONREAD (tcp(7)). A listener has none: EINVAL.
func (s *Socket) InQ() (int, error) { return s.ioctl("FIONREAD", unix.SIOCINQ) }

// OutQ is the number of bytes that were written and are not yet acknowledged:
// ioctl(2) SIOCOUTQ, which strace prints under its other name, TIOCOUTQ
// (tcp(7)). A listener has none: EINVAL.
func (s *Socket) OutQ() (int, error) { return s.ioctl("TIOCOUTQ", unix.SIOCOUTQ) }

func (s *Socket) ioctl(name string, request uintptr) (int, error) {
	var value int32 // a C int: IoctlGetInt of package unix has a Go int written to
	_, err := s.do(call{name: "ioctl"},
		func(fd int) (int, unix.Errno) {
			_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&value)))
			return 0, errno
		},
		func(_ *Call, fd int, done bool) []string {
			arg := pointer(unsafe.Pointer(&value))
			if done {
				arg = fmt.Sprintf("[%d]", value)
			}
			return []string{strconv.Itoa(fd), name, arg}
		},
	)
	return int(value), err
}
