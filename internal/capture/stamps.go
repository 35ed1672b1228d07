package capture

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stampsWithin is how long awaitStamps waits. On a quiet machine it takes a millisecond.
const stampsWithin = 500 * time.Millisecond

// awaitStamps waits until the kernel stamps packets with the time at which it has them. It begins that some time after
// somebody asked for it, on a work queue (net_enable_timestamp() in net/core/dev.c); a packet that comes before has the
// time at which it is read, which may be after what it has brought about. A datagram to oneself shows whether it has
// begun. Where there is no loopback that cannot be known.
func awaitStamps() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPING, unix.SOF_TIMESTAMPING_RX_SOFTWARE|unix.SOF_TIMESTAMPING_SOFTWARE)
	if unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}) != nil {
		return
	}
	self, err := unix.Getsockname(fd)
	if err != nil {
		return
	}
	data, control := make([]byte, 1), make([]byte, 128)
	for end := time.Now().Add(stampsWithin); time.Now().Before(end); {
		if unix.Sendto(fd, data, 0, self) != nil {
			return
		}
		if n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 100); n != 1 && err != unix.EINTR {
			return
		}
		if _, n, _, _, err := unix.Recvmsg(fd, data, control, 0); err == nil && stamped(control[:n]) {
			return
		}
	}
}

// stamped tells whether a datagram came with a time. Where SO_TIMESTAMPING asks for it, one that was not stamped has
// none.
func stamped(control []byte) bool {
	messages, _ := unix.ParseSocketControlMessage(control)
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPING && len(m.Data) >= int(unsafe.Sizeof(unix.Timespec{})) {
			at := *(*unix.Timespec)(unsafe.Pointer(&m.Data[0]))
			return at.Sec != 0 || at.Nsec != 0
		}
	}
	return false
}
