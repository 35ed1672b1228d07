package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// connections are open connections within this process: two sockets each. A listener takes those of one address, so
// that the ports suffice. They last until closed is called.
func connections(n int) (closed func(), err error) {
	var open []int
	closed = func() {
		for _, fd := range open {
			unix.Close(fd)
		}
	}
	if err := files(uint64(2*n + 100)); err != nil {
		return closed, err
	}
	const each = 10_000
	for made := 0; made < n; made += each {
		if err := connectionsTo([4]byte{127, 0, 1, byte(1 + made/each)}, min(each, n-made), &open); err != nil {
			return closed, err
		}
	}
	return closed, nil
}

func connectionsTo(addr [4]byte, n int, open *[]int) error {
	l, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	*open = append(*open, l)
	if err := unix.Bind(l, &unix.SockaddrInet4{Addr: addr}); err != nil {
		return err
	}
	if err := unix.Listen(l, 128); err != nil {
		return err
	}
	to, err := unix.Getsockname(l)
	if err != nil {
		return err
	}
	for range n {
		c, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		*open = append(*open, c)
		if err := unix.Connect(c, to); err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		a, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC)
		if err != nil {
			return fmt.Errorf("accept4: %w", err)
		}
		*open = append(*open, a)
	}
	return nil
}

// mostFiles is how many descriptors this process can have.
func mostFiles() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	if os.Geteuid() == 0 {
		more := unix.Rlimit{Cur: max(limit.Max, 2*sockets), Max: max(limit.Max, 2*sockets)}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &more) == nil {
			return int(more.Cur)
		}
	}
	return int(limit.Max)
}

// files has so many descriptors allowed.
func files(need uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur >= need {
		return err
	}
	limit.Cur, limit.Max = need, max(limit.Max, need)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("setrlimit(RLIMIT_NOFILE, %d): %w", need, err)
	}
	return nil
}
