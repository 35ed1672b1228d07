package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// routeTimeout is how many seconds the kernel has for an answer. It answers requests at once; see awaitLocal for what
// takes longer.
const routeTimeout = 30

// route is a NETLINK_ROUTE socket that is also told of new IPv6 routes.
type route struct {
	fd    int
	seq   uint32
	local map[netip.Addr]bool // those that the kernel accepts packets for
}

func dialRoute() (*route, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("lab: socket(AF_NETLINK, NETLINK_ROUTE): %w", err)
	}
	r := &route{fd: fd, local: make(map[netip.Addr]bool)}
	tv := unix.Timeval{Sec: routeTimeout}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		r.close()
		return nil, fmt.Errorf("lab: SO_RCVTIMEO of rtnetlink: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, unix.RTNLGRP_IPV6_ROUTE); err != nil {
		r.close()
		return nil, fmt.Errorf("lab: join RTNLGRP_IPV6_ROUTE: %w", err)
	}
	return r, nil
}

func (r *route) close() { unix.Close(r.fd) }

// attribute appends a struct rtattr, whose length does not count the padding after it.
func attribute(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = append(b, value...)
	for len(b)%unix.NLMSG_ALIGNTO != 0 {
		b = append(b, 0)
	}
	return b
}

// ask sends one request and waits for the kernel's acknowledgement, an NLMSG_ERROR whose error is 0.
func (r *route) ask(kind, flags uint16, body []byte) error {
	r.seq++
	m := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	m = binary.NativeEndian.AppendUint16(m, kind)
	m = binary.NativeEndian.AppendUint16(m, unix.NLM_F_REQUEST|unix.NLM_F_ACK|flags)
	m = binary.NativeEndian.AppendUint32(m, r.seq)
	m = binary.NativeEndian.AppendUint32(m, 0) // the kernel fills in the port id
	m = append(m, body...)
	if err := unix.Sendto(r.fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return fmt.Errorf("lab: rtnetlink %s: %w", routeName(kind), err)
	}
	for {
		errno, answered, err := r.receive()
		if err == nil && answered && errno != 0 {
			err = errno
		}
		if err != nil {
			return fmt.Errorf("lab: rtnetlink %s: %w", routeName(kind), err)
		}
		if answered {
			return nil
		}
	}
}

// receive reads what the kernel sent next, notes routes, and tells the errno of the answer to the last request, if it
// is there.
func (r *route) receive() (errno unix.Errno, answered bool, err error) {
	var buf [8192]byte
	n, from, err := unix.Recvfrom(r.fd, buf[:], 0)
	if err == unix.EINTR {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
		return 0, false, nil // not from the kernel
	}
	messages, err := syscall.ParseNetlinkMessage(buf[:n])
	if err != nil {
		return 0, false, err
	}
	for _, m := range messages {
		switch {
		case m.Header.Type == unix.NLMSG_ERROR && m.Header.Seq == r.seq && len(m.Data) >= 4:
			// struct nlmsgerr begins with the negative errno
			errno, answered = unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data))), true
		case m.Header.Type == unix.RTM_NEWROUTE:
			r.note(m)
		}
	}
	return errno, answered, nil
}

// note remembers the destination of a route for packets to this host: struct rtmsg, then attributes.
func (r *route) note(m syscall.NetlinkMessage) {
	const typeAt = 7 // rtm_type
	if len(m.Data) < unix.SizeofRtMsg || m.Data[typeAt] != unix.RTN_LOCAL {
		return
	}
	attributes, err := syscall.ParseNetlinkRouteAttr(&m)
	if err != nil {
		return
	}
	for _, a := range attributes {
		if addr, ok := netip.AddrFromSlice(a.Value); ok && a.Attr.Type == unix.RTA_DST {
			r.local[addr] = true
		}
	}
}

func routeName(kind uint16) string {
	switch kind {
	case unix.RTM_NEWLINK:
		return "RTM_NEWLINK"
	case unix.RTM_NEWADDR:
		return "RTM_NEWADDR"
	default:
		return fmt.Sprintf("request %d", kind)
	}
}
