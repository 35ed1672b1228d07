package tcpinfo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Groups that announce the end of TCP sockets (enum sknetlink_groups, include/uapi/linux/sock_diag.h; Linux 4.2).
const (
	groupTCPDestroy4 = 1 // SKNLGRP_INET_TCP_DESTROY
	groupTCPDestroy6 = 3 // SKNLGRP_INET6_TCP_DESTROY
)

// Destroyed is the stream of TCP sockets that came to their end, IPv4 and IPv6, from the moment Subscribe returned. Each
// comes with its last TCP_INFO: what it had sent, received and lost. The end is that of the kernel's full socket; a
// connection in TIME-WAIT, or in an orphan's FIN-WAIT-2, ended when only its small entry was left.
type Destroyed struct {
	file   *os.File
	closed atomic.Bool
	raw    syscall.RawConn
	kernel release
	buf    []byte
	rest   []byte // of the datagram being read
}

// Subscribe joins the groups that announce the end of TCP sockets. It needs no privilege. It hears the network namespace of
// the calling thread.
func (c *Conn) Subscribe() (*Destroyed, error) {
	s, err := dialKernel(groupTCPDestroy4, groupTCPDestroy6)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	makeRoom(s.fd)
	return newDestroyed(s.fd, c.kernel)
}

// makeRoom lets events wait while they are not read. Only CAP_NET_ADMIN goes beyond net.core.rmem_max; without it what
// the kernel gives has to do, and what does not fit is reported as lost.
func makeRoom(fd int) {
	const room = 4 << 20
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, room) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room)
	}
}

// newDestroyed takes over a netlink descriptor. As an os.File it costs no thread while it waits, and Close wakes Recv.
func newDestroyed(fd int, kernel release) (*Destroyed, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	file := os.NewFile(uintptr(fd), "netlink")
	raw, err := file.SyscallConn()
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return &Destroyed{file: file, raw: raw, kernel: kernel, buf: make([]byte, 8<<10)}, nil
}

// Close ends the stream and wakes Recv, which then fails with os.ErrClosed.
func (d *Destroyed) Close() error {
	d.closed.Store(true)
	return d.file.Close()
}

// Recv waits for the next socket that ended. Its State is CLOSED by now; its addresses, queues and Info are the last it had;
// it has no timer, owner or inode. Its Cookie is the one that others saw only if somebody had looked at the socket before:
// the kernel numbers sockets when they are first asked about.
//
// Errors: ctx's, when it is done first; os.ErrClosed after Close; ErrEventsLost (and ENOBUFS) when events came faster than
// they were read, after which the stream goes on. Only one goroutine may call Recv at a time.
func (d *Destroyed) Recv(ctx context.Context) (Socket, error) {
	for {
		s, ok, err := d.next()
		if ok || err != nil {
			return s, err
		}
		if d.rest, err = d.wait(ctx); err != nil {
			return Socket{}, err
		}
	}
}

// next takes the next event out of the datagram at hand.
func (d *Destroyed) next() (s Socket, ok bool, err error) {
	for {
		m, rest, more, err := nextMessage(d.rest)
		d.rest = rest
		if err != nil {
			d.rest = nil
			return s, false, fmt.Errorf("destroyed sockets: %w", err)
		}
		if !more {
			return s, false, nil
		}
		if m.Type == sockDiagByFamily {
			if err := s.decode(m.Data, d.kernel); err != nil {
				return s, false, fmt.Errorf("destroyed sockets: %w", err)
			}
			return s, true, nil
		}
	}
}

// wait reads one datagram from the kernel.
func (d *Destroyed) wait(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := d.file.SetReadDeadline(time.Time{}); err != nil {
		return nil, d.failure(err)
	}
	defer d.untilDone(ctx)()
	var n int
	var from unix.Sockaddr
	var rerr error
	err := d.raw.Read(func(fd uintptr) bool {
		n, from, rerr = unix.Recvfrom(int(fd), d.buf, unix.MSG_TRUNC)
		return rerr != unix.EAGAIN && rerr != unix.EINTR
	})
	switch {
	case ctx.Err() != nil && errors.Is(err, os.ErrDeadlineExceeded):
		return nil, ctx.Err()
	case err != nil:
		return nil, d.failure(err)
	case rerr == unix.ENOBUFS:
		return nil, &Error{Op: "destroyed sockets", Errno: unix.ENOBUFS, kind: ErrEventsLost}
	case rerr != nil:
		return nil, fmt.Errorf("destroyed sockets: recvfrom: %w", rerr)
	case n > len(d.buf):
		return nil, fmt.Errorf("destroyed sockets: %w", errTruncated)
	}
	if nl, ok := from.(*unix.SockaddrNetlink); !ok || nl.Pid != 0 {
		return nil, nil // not from the kernel
	}
	return d.buf[:n], nil
}

// failure names what went wrong. os has an error of its own for a file that is closed during a read.
func (d *Destroyed) failure(err error) error {
	if d.closed.Load() {
		err = os.ErrClosed
	}
	return fmt.Errorf("destroyed sockets: %w", err)
}

// untilDone makes the read give up when ctx is done. The function it returns ends that, and does not return before a
// deadline that was being set is set.
func (d *Destroyed) untilDone(ctx context.Context) (end func()) {
	set := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(set)
		_ = d.file.SetReadDeadline(time.Unix(1, 0)) // fails only when it is closed, which ends the read too
	})
	return func() {
		if !stop() {
			<-set
		}
	}
}
