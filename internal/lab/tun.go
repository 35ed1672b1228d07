package lab

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ifName is what the interface is called in both namespaces.
const ifName = "wire0"

// maxPacket is the longest thing read from a TUN device.
const maxPacket = 65535

// tunPath is /dev/net/tun. The tests put another node of the same device here.
var tunPath = "/dev/net/tun"

// tun is a TUN device: what the host sends is read from it, what is written to it the host receives.
type tun struct{ fd int }

// openTUN makes the TUN device, in the network namespace of the calling thread. It goes away with its descriptor.
func openTUN() (*tun, error) {
	fd, err := unix.Open(tunPath, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &tunError{"open", err}
	}
	t := &tun{fd: fd}
	if err := t.attach(); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return t, nil
}

func (t *tun) attach() error {
	request, err := unix.NewIfreq(ifName)
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(t.fd, unix.TUNSETIFF, request); err != nil {
		return &tunError{"TUNSETIFF", err}
	}
	return nil
}

// read and write never wait (O_NONBLOCK), so the scheduler need not be told of them: that is a fifth of the relay's
// time.
func (t *tun) read(b []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(t.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

func (t *tun) write(b []byte) error {
	for {
		_, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(t.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
		if errno == 0 {
			return nil
		}
		if errno != unix.EINTR {
			return errno
		}
	}
}

func (t *tun) close() { unix.Close(t.fd) }

// tunError is a failure to get at the TUN device, which unavailable explains.
type tunError struct {
	call string
	err  error
}

func (e *tunError) Error() string { return fmt.Sprintf("%s %s: %v", e.call, tunPath, e.err) }
func (e *tunError) Unwrap() error { return e.err }
