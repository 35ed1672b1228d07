package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"

	mdlayher "github.com/mdlayher/netlink"
	vishvananda "github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// sockets is how many there are to be listed.
const sockets = 38_800 // each has a descriptor

func diag(b *bench) error {
	n := sockets
	if b.short {
		n = 8_000
	}
	if most := mostFiles() - 200; most < n {
		b.remark("%d sockets: this process may have %d descriptors (ulimit -Hn)", most, most+200)
		n = most
	}
	closed, err := connections(n / 2)
	defer closed()
	if err != nil {
		return err
	}
	c, err := tcpinfo.Dial()
	if err != nil {
		return err
	}
	defer c.Close()
	r, err := newReceiver()
	if err != nil {
		return err
	}
	defer r.close()
	m, err := mdlayher.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	enough := func(got int, err error) error {
		if err == nil && got < n {
			err = fmt.Errorf("%d sockets of %d", got, n)
		}
		return err
	}
	filter := tcpinfo.Filter{Family: unix.AF_INET, States: tcpinfo.MaskOf(tcpinfo.Established, tcpinfo.Listen), With: tcpinfo.WithInfo}
	return b.turns(21,
		&contender{name: "recv alone", do: func() error { return enough(r.receive()) }},
		&contender{name: "Conn.Sockets", do: func() error { return enough(loop(c, filter)) }, most: []limit{{1.15, "recv alone"}}},
		&contender{name: "Conn.Dump", do: func() error {
			list, err := c.Dump(filter)
			return enough(len(list), err)
		}, most: []limit{{0.5, "vishvananda/netlink"}}},
		&contender{name: "Conn.Dump, of everything", do: func() error {
			list, err := c.Dump(tcpinfo.Filter{})
			return enough(len(list), err)
		}},
		&contender{name: "vishvananda/netlink", do: func() error {
			list, err := vishvananda.SocketDiagTCPInfo(unix.AF_INET)
			return enough(len(list), err)
		}},
		&contender{name: "mdlayher/netlink, undecoded", do: func() error {
			list, err := m.Execute(mdlayher.Message{Header: mdlayher.Header{Type: byFamily, Flags: mdlayher.Request | mdlayher.Dump}, Data: question()})
			return enough(len(list), err)
		}},
		&contender{name: "ss -Htani", do: func() error { return exec.Command("ss", "-Htani").Run() }},
	)
}

func loop(c *tcpinfo.Conn, f tcpinfo.Filter) (n int, err error) {
	for _, err := range c.Sockets(f) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// byFamily is SOCK_DIAG_BY_FAMILY.
const byFamily = 20

// question is struct inet_diag_req_v2: every IPv4 socket in ESTABLISHED or LISTEN, with TCP_INFO.
func question() []byte {
	b := make([]byte, 56)
	b[0], b[1], b[2] = unix.AF_INET, unix.IPPROTO_TCP, 1<<1
	binary.NativeEndian.PutUint32(b[4:], 1<<1|1<<10)
	return b
}

// receiver asks, and throws away what comes: no reader of a dump can take less.
type receiver struct {
	fd  int
	buf []byte
}

func newReceiver() (*receiver, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	return &receiver{fd, make([]byte, 32<<10)}, err
}

func (r *receiver) close() { unix.Close(r.fd) }

// receive counts the messages, which takes no more than their lengths.
func (r *receiver) receive() (n int, err error) {
	req := append(make([]byte, 16), question()...)
	binary.NativeEndian.PutUint32(req, uint32(len(req)))
	binary.NativeEndian.PutUint16(req[4:], byFamily)
	binary.NativeEndian.PutUint16(req[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	if err := unix.Sendto(r.fd, req, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, err
	}
	for {
		got, err := unix.Read(r.fd, r.buf)
		if err != nil {
			return n, err
		}
		for b := r.buf[:got]; len(b) >= 16; {
			switch binary.NativeEndian.Uint16(b[4:]) {
			case unix.NLMSG_DONE:
				return n, nil
			case unix.NLMSG_ERROR:
				return n, errors.New("the kernel refused")
			}
			n++
			b = b[(binary.NativeEndian.Uint32(b)+3)&^3:]
		}
	}
}
