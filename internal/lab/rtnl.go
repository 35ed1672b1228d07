package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// queueLen is the length of the TUN device's queue, in packets. What does not fit is lost before the wire has seen it,
// and the kernel's 500 are too few for a sender that outruns the relay.
const queueLen = 10000

// addrGenModeNone is IN6_ADDR_GEN_MODE_NONE of linux/if_link.h.
const addrGenModeNone = 1

// configure brings up lo and the TUN device in the namespace of the calling thread: what `ip link set`, `ip address add`
// do, with the messages of rtnetlink(7). The route to the other host comes with the prefix.
func configure(mtu int, addrs ...netip.Prefix) error {
	r, err := dialRoute()
	if err != nil {
		return err
	}
	defer r.close()
	lo, err := r.index("lo")
	if err != nil {
		return err
	}
	wire, err := r.index(ifName)
	if err != nil {
		return err
	}
	if err := r.up(lo, 0); err != nil {
		return err
	}
	for _, a := range addrs {
		if a.Addr().Is6() {
			if err := r.noLinkLocal(wire); err != nil {
				return err
			}
		}
		if err := r.address(wire, a); err != nil {
			return err
		}
	}
	return r.up(wire, mtu)
}

// route is a NETLINK_ROUTE socket.
type route struct {
	fd  int
	seq uint32
}

func dialRoute() (*route, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("lab: socket(AF_NETLINK, NETLINK_ROUTE): %w", err)
	}
	return &route{fd: fd}, nil
}

func (r *route) close() { unix.Close(r.fd) }

// index is the number of an interface: SIOCGIFINDEX, netdevice(7).
func (r *route) index(name string) (uint32, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(r.fd, unix.SIOCGIFINDEX, request); err != nil {
		return 0, fmt.Errorf("lab: SIOCGIFINDEX %s: %w", name, err)
	}
	return request.Uint32(), nil
}

// up sets an interface up and, with an mtu, what the wire's interface needs.
func (r *route) up(index uint32, mtu int) error {
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], index)        // ifi_index
	binary.NativeEndian.PutUint32(b[8:], unix.IFF_UP)  // ifi_flags
	binary.NativeEndian.PutUint32(b[12:], unix.IFF_UP) // ifi_change: no other flag
	if mtu > 0 {
		b = attribute(b, unix.IFLA_MTU, binary.NativeEndian.AppendUint32(nil, uint32(mtu)))
		b = attribute(b, unix.IFLA_TXQLEN, binary.NativeEndian.AppendUint32(nil, queueLen))
	}
	return r.ask(unix.RTM_NEWLINK, 0, b)
}

// noLinkLocal is `ip link set dev ... addrgenmode none`: no fe80:: address. IFLA_AF_SPEC has a list of families, each with
// a list of its own attributes.
func (r *route) noLinkLocal(index uint32) error {
	mode := attribute(nil, unix.IFLA_INET6_ADDR_GEN_MODE, []byte{addrGenModeNone})
	family := attribute(nil, unix.AF_INET6, mode)
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], index)
	return r.ask(unix.RTM_NEWLINK, 0, attribute(b, unix.IFLA_AF_SPEC, family))
}

func (r *route) address(index uint32, p netip.Prefix) error {
	family, flags := byte(unix.AF_INET), byte(0)
	if p.Addr().Is6() {
		family, flags = unix.AF_INET6, unix.IFA_F_NODAD
	}
	b := []byte{family, byte(p.Bits()), flags, unix.RT_SCOPE_UNIVERSE}
	b = binary.NativeEndian.AppendUint32(b, index)
	b = attribute(b, unix.IFA_LOCAL, p.Addr().AsSlice())
	b = attribute(b, unix.IFA_ADDRESS, p.Addr().AsSlice())
	if err := r.ask(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, b); err != nil {
		return fmt.Errorf("%w (address %s)", err, p)
	}
	return nil
}

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
	reply := make([]byte, 8192)
	for {
		n, from, err := unix.Recvfrom(r.fd, reply, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("lab: rtnetlink %s: %w", routeName(kind), err)
		}
		if sender, ok := from.(*unix.SockaddrNetlink); !ok || sender.Pid != 0 {
			continue // not from the kernel
		}
		errno, ours := acknowledged(reply[:n], r.seq)
		if !ours {
			continue
		}
		if errno != 0 {
			return fmt.Errorf("lab: rtnetlink %s: %w", routeName(kind), errno)
		}
		return nil
	}
}

// acknowledged finds the answer to request seq: struct nlmsghdr, then the negative errno of struct nlmsgerr.
func acknowledged(b []byte, seq uint32) (unix.Errno, bool) {
	if len(b) < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(b[4:]) != unix.NLMSG_ERROR || binary.NativeEndian.Uint32(b[8:]) != seq {
		return 0, false
	}
	return unix.Errno(-int32(binary.NativeEndian.Uint32(b[unix.SizeofNlMsghdr:]))), true
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
