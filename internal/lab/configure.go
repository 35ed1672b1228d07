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

// loopback is the index of lo in every network namespace: LOOPBACK_IFINDEX of include/net/flow.h.
const loopback = 1

// addrGenModeNone is IN6_ADDR_GEN_MODE_NONE of linux/if_link.h.
const addrGenModeNone = 1

// configure brings up lo and the TUN device in the namespace of the calling thread: what `ip link set`, `ip address
// add` do, with the messages of rtnetlink(7). The route to the other host comes with the prefix. The addresses can be
// used when it returns.
func configure(mtu int, addrs ...netip.Prefix) error {
	r, err := dialRoute()
	if err != nil {
		return err
	}
	defer r.close()
	wire, err := r.index()
	if err != nil {
		return err
	}
	if err := r.up(loopback, 0); err != nil {
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
	if err := r.up(wire, mtu); err != nil {
		return err
	}
	for _, a := range addrs {
		if a.Addr().Is6() {
			if err := r.awaitLocal(a.Addr()); err != nil {
				return err
			}
		}
	}
	return nil
}

// index is the number of the wire's interface: SIOCGIFINDEX, netdevice(7).
func (r *route) index() (uint32, error) {
	request, err := unix.NewIfreq(ifName)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(r.fd, unix.SIOCGIFINDEX, request); err != nil {
		return 0, fmt.Errorf("lab: SIOCGIFINDEX %s: %w", ifName, err)
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

// noLinkLocal is `ip link set dev ... addrgenmode none`: no fe80:: address. IFLA_AF_SPEC has a list of families, each
// with a list of its own attributes.
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

// awaitLocal waits until the kernel takes packets for an IPv6 address. It can be bound and sent from as soon as it is
// there, but the route that makes it local is added by a work item of the kernel's, which on a busy machine comes
// seconds later; packets that arrive before it are lost (Ip6InAddrErrors).
func (r *route) awaitLocal(a netip.Addr) error {
	for !r.local[a] {
		if _, _, err := r.receive(); err != nil {
			return fmt.Errorf("lab: wait for the route of %s: %w", a, err)
		}
	}
	return nil
}
