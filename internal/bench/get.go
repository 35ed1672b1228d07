package main

import (
	"net"
	"unsafe"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// descriptor is a socket that nobody closes.
type descriptor int

func (d descriptor) Control(f func(uintptr)) error { f(uintptr(d)); return nil }

func get(b *bench) error {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: l.Addr().(*net.TCPAddr).Port}); err != nil {
		return err
	}
	const times = 200_000
	again := func(f func() error) func() error {
		return func() (err error) {
			for i := 0; i < times && err == nil; i++ {
				err = f()
			}
			return err
		}
	}
	var raw [512]byte
	return b.turns(31,
		&contender{name: "the call alone", times: times, do: again(func() error {
			n := uint32(len(raw))
			if _, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.IPPROTO_TCP, unix.TCP_INFO,
				uintptr(unsafe.Pointer(&raw)), uintptr(unsafe.Pointer(&n)), 0); errno != 0 {
				return errno
			}
			return nil
		})},
		&contender{name: "tcpinfo.Get", times: times, do: again(func() error {
			_, err := tcpinfo.Get(descriptor(fd))
			return err
		}), most: []limit{{1.1, "the call alone"}}},
		&contender{name: "x/sys GetsockoptTCPInfo", times: times, do: again(func() error {
			_, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
			return err
		})},
	)
}
