package lab

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// queueLen is the length of the TUN device's queue, in packets. What does not fit is lost before the wire has seen it,
// and the kernel's 500 are too few for a sender that outruns the relay.
const queueLen = 10000

// loopback is the index of lo in every network namespace: LOOPBACK_IFINDEX of include/net/flow.h.
const loopback = 1

// routeTimeout is how long the kernel may take for the work that awaitLocal waits for.
const routeTimeout = 30 * time.Second

// configure brings up lo and the TUN device in the namespace of the calling thread: what `ip link set`, `ip address
// add` do, with the messages of rtnetlink(7). The route to the other host comes with the prefix. The addresses can be
// used when it returns.
func configure(addrs ...netip.Prefix) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("lab: socket(AF_NETLINK, NETLINK_ROUTE): %w", err)
	}
	defer unix.Close(fd)
	wire, err := unix.NewIfreq(ifName)
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, wire); err != nil { // netdevice(7)
		return fmt.Errorf("lab: SIOCGIFINDEX %s: %w", ifName, err)
	}
	err = errors.Join(up(fd, loopback), up(fd, wire.Uint32()))
	for _, a := range addrs {
		if err == nil {
			err = addAddress(fd, wire.Uint32(), a)
		}
	}
	return err
}

// up sets an interface up, with a queue that is long enough. (There is an ioctl for it, but not in a user namespace.)
func up(fd int, index uint32) error {
	b := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], index)        // ifi_index
	binary.NativeEndian.PutUint32(b[8:], unix.IFF_UP)  // ifi_flags
	binary.NativeEndian.PutUint32(b[12:], unix.IFF_UP) // ifi_change: no other flag
	b = attribute(b, unix.IFLA_TXQLEN, binary.NativeEndian.AppendUint32(nil, queueLen))
	if err := ask(fd, unix.RTM_NEWLINK, b); err != nil {
		return fmt.Errorf("lab: rtnetlink RTM_NEWLINK, interface %d: %w", index, err)
	}
	return nil
}

func addAddress(fd int, index uint32, p netip.Prefix) error {
	family := byte(unix.AF_INET)
	if p.Addr().Is6() {
		family = unix.AF_INET6
	}
	b := []byte{family, byte(p.Bits()), 0, unix.RT_SCOPE_UNIVERSE}
	b = binary.NativeEndian.AppendUint32(b, index)
	b = attribute(b, unix.IFA_LOCAL, p.Addr().AsSlice())
	b = attribute(b, unix.IFA_ADDRESS, p.Addr().AsSlice())
	if err := ask(fd, unix.RTM_NEWADDR, b); err != nil {
		return fmt.Errorf("lab: rtnetlink RTM_NEWADDR %s: %w", p, err)
	}
	if p.Addr().Is6() {
		return awaitLocal(p.Addr())
	}
	return nil
}

// attribute appends a struct rtattr, whose value here never needs padding.
func attribute(b []byte, kind uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(unix.SizeofRtAttr+len(value)))
	b = binary.NativeEndian.AppendUint16(b, kind)
	return append(b, value...)
}

// ask sends one request and waits for the kernel's acknowledgement, an NLMSG_ERROR whose error may be 0: after struct
// nlmsghdr comes the negative errno. The kernel answers before sendto(2) returns.
func ask(fd int, kind uint16, body []byte) error {
	m := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	m = binary.NativeEndian.AppendUint16(m, kind)
	m = binary.NativeEndian.AppendUint16(m, unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	m = append(m, make([]byte, 8)...) // sequence number; port id, which the kernel fills in
	m = append(m, body...)
	if err := unix.Sendto(fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, unix.MSG_DONTWAIT)
	switch {
	case err != nil:
		return err
	case n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR:
		return errors.New("an answer that is no acknowledgement")
	}
	if errno := -int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); errno != 0 {
		return unix.Errno(errno)
	}
	return nil
}

// awaitLocal waits until the kernel takes packets for an IPv6 address. The route that makes it local is added by a work
// item of the kernel's, which on a busy machine comes seconds after the address; packets that arrive before it are lost
// (Ip6InAddrErrors).
func awaitLocal(a netip.Addr) error {
	route := hex.EncodeToString(a.AsSlice()) + " 80 " // to these 128 bits
	for deadline := time.Now().Add(routeTimeout); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		routes, err := os.ReadFile("/proc/thread-self/net/ipv6_route")
		if err != nil {
			return fmt.Errorf("lab: %w", err)
		}
		if strings.Contains(string(routes), route) {
			return nil
		}
	}
	return fmt.Errorf("lab: no local route for %s within %v", a, routeTimeout)
}
