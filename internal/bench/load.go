package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// load are clients in one epoll loop: each sends a message, waits until all of it has come back, and sends the next.
type load struct {
	port, conns, size int
	again             bool          // each message is of a connection of its own
	before            time.Duration // so long it runs before it is measured
}

// client is one of them.
type client struct {
	fd        int
	sent, got int
}

// clients are those of one run.
type clients struct {
	load
	epoll   int
	open    map[int32]*client
	message []byte
	made    int // connections so far
}

// run drives a server for so long, and says how many messages came back. measured is called when all are connected, and
// have been at work for as long as they shall be before, and again before they are closed.
func (l load) run(for_ time.Duration, measured func() error) (messages int, err error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return 0, err
	}
	defer unix.Close(ep)
	cs := &clients{load: l, epoll: ep, open: map[int32]*client{}, message: bytes.Repeat([]byte("echo"), l.size/4+1)[:l.size]}
	defer func() {
		for fd := range cs.open {
			_ = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // no TIME-WAIT
			unix.Close(int(fd))
		}
	}()
	for range l.conns {
		if _, err := cs.connect(); err != nil {
			return 0, err
		}
	}
	if l.before == 0 {
		err = measured()
	}
	for _, c := range cs.open {
		err = cmp.Or(err, cs.send(c))
	}
	if l.before > 0 && err == nil {
		if _, err = cs.exchange(time.Now().Add(l.before)); err == nil {
			err = measured()
		}
	}
	if err != nil {
		return 0, err
	}
	messages, err = cs.exchange(time.Now().Add(for_))
	return messages, errors.Join(err, measured())
}

// connect connects one more, from one address after the other, so that the ports suffice.
func (cs *clients) connect() (*client, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c := &client{fd: fd}
	cs.open[int32(fd)] = c
	cs.made++
	from := unix.SockaddrInet4{Addr: [4]byte{127, 0, 2, byte(1 + cs.made%200)}}
	return c, cmp.Or(
		unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.Bind(fd, &from),
		unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: cs.port}),
		unix.SetNonblock(fd, true),
		unix.EpollCtl(cs.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}),
	)
}

// exchange echoes until then.
func (cs *clients) exchange(until time.Time) (messages int, err error) {
	buf := make([]byte, 256<<10)
	events := make([]unix.EpollEvent, 512)
	for time.Now().Before(until) {
		n, err := unix.EpollWait(cs.epoll, events, 100)
		if err != nil && err != unix.EINTR {
			return 0, err
		}
		for _, e := range events[:max(0, n)] {
			c := cs.open[e.Fd]
			if e.Events&unix.EPOLLOUT != 0 {
				if err := cs.send(c); err != nil {
					return 0, err
				}
			}
			if e.Events&^unix.EPOLLOUT == 0 {
				continue
			}
			whole, err := cs.receive(c, buf)
			if err != nil {
				return 0, err
			}
			if !whole {
				continue
			}
			messages++
			if cs.again {
				if c, err = cs.next(c); err != nil {
					return 0, err
				}
			}
			if err := cs.send(c); err != nil {
				return 0, err
			}
		}
	}
	return messages, nil
}

// receive reads once, and says whether the message is back.
func (cs *clients) receive(c *client, buf []byte) (whole bool, err error) {
	got, err := unix.Read(c.fd, buf)
	if err == unix.EAGAIN {
		return false, nil
	}
	if err != nil || got == 0 {
		return false, fmt.Errorf("the server ended a connection: %d, %v", got, err)
	}
	if c.got+got > cs.size || !bytes.Equal(buf[:got], cs.message[c.got:c.got+got]) {
		return false, errors.New("other bytes came back than were sent")
	}
	if c.got += got; c.got < cs.size {
		return false, nil
	}
	c.got, c.sent = 0, 0
	return true, nil
}

// next ends a connection as it should be, and makes another.
func (cs *clients) next(c *client) (*client, error) {
	delete(cs.open, int32(c.fd))
	if err := unix.Close(c.fd); err != nil { // FIN: nothing is unread
		return nil, err
	}
	return cs.connect()
}

// send sends what the kernel takes; for what is left it waits for EPOLLOUT.
func (cs *clients) send(c *client) error {
	waited := c.sent > 0
	for c.sent < cs.size {
		n, err := unix.Write(c.fd, cs.message[c.sent:])
		if err == unix.EAGAIN {
			if waited {
				return nil
			}
			return unix.EpollCtl(cs.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT, Fd: int32(c.fd)})
		}
		if err != nil {
			return err
		}
		c.sent += n
	}
	if waited {
		return unix.EpollCtl(cs.epoll, unix.EPOLL_CTL_MOD, c.fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(c.fd)})
	}
	return nil
}
