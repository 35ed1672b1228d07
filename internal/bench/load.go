package main

import (
	"bytes"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// load are clients in one epoll loop: each sends a message, waits until all of it has come back, and sends the next.
type load struct {
	port, conns, size int
}

// client is one of them.
type client struct {
	fd        int
	sent, got int
}

// run drives a server for so long, and says how many messages came back.
func (l load) run(for_ time.Duration) (messages int, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return 0, err
	}
	defer unix.Close(ep)
	message := bytes.Repeat([]byte("echo"), l.size/4+1)[:l.size]
	buf := make([]byte, 256<<10)
	clients := map[int32]*client{}
	defer func() {
		for fd := range clients {
			_ = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // no TIME-WAIT
			unix.Close(int(fd))
		}
	}()
	for i := range l.conns {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return 0, err
		}
		clients[int32(fd)] = &client{fd: fd}
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 2, byte(1 + i/10_000)}}); err != nil {
			return 0, err
		}
		if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: l.port}); err != nil {
			return 0, fmt.Errorf("connect: %w", err)
		}
		if err := unix.SetNonblock(fd, true); err != nil {
			return 0, err
		}
		if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
			return 0, err
		}
	}
	for _, c := range clients {
		if err := l.send(ep, c, message); err != nil {
			return 0, err
		}
	}
	events := make([]unix.EpollEvent, 512)
	for until := time.Now().Add(for_); time.Now().Before(until); {
		n, err := unix.EpollWait(ep, events, 100)
		if err != nil && err != unix.EINTR {
			return 0, err
		}
		for _, e := range events[:max(0, n)] {
			c := clients[e.Fd]
			if e.Events&unix.EPOLLOUT != 0 {
				if err := l.send(ep, c, message); err != nil {
					return 0, err
				}
			}
			if e.Events&^unix.EPOLLOUT == 0 {
				continue
			}
			got, err := unix.Read(c.fd, buf)
			if err == unix.EAGAIN {
				continue
			}
			if err != nil || got == 0 {
				return 0, fmt.Errorf("the server ended a connection: %d, %v", got, err)
			}
			if at := c.got % len(message); !bytes.Equal(buf[:min(got, len(message)-at)], message[at:min(at+got, len(message))]) {
				return 0, fmt.Errorf("other bytes came back than were sent")
			}
			if c.got += got; c.got == len(message) {
				messages++
				c.got, c.sent = 0, 0
				if err := l.send(ep, c, message); err != nil {
					return 0, err
				}
			}
		}
	}
	return messages, nil
}

// send sends what the kernel takes; for what is left it waits for EPOLLOUT.
func (l load) send(ep int, c *client, message []byte) error {
	waited := c.sent > 0
	for c.sent < len(message) {
		n, err := unix.Write(c.fd, message[c.sent:])
		if err == unix.EAGAIN {
			if waited {
				return nil
			}
			return unix.EpollCtl(ep, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT, Fd: int32(c.fd)})
		}
		if err != nil {
			return err
		}
		c.sent += n
	}
	if waited {
		return unix.EpollCtl(ep, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)})
	}
	return nil
}
