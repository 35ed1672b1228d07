package tcpinfo

import (
	"cmp"
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// noCookie matches every socket (INET_DIAG_NOCOOKIE, twice).
const noCookie = ^uint64(0)

// request is what goes into struct inet_diag_req_v2.
type request struct {
	family        uint8
	states        uint32
	with          With // 0 for everything
	local, remote netip.AddrPort
	iface         uint32
	cookie        uint64
}

// append adds struct inet_diag_req_v2 to a netlink message.
func (r *request) append(b []byte) []byte {
	at := len(b)
	b = append(b, make([]byte, sizeofDiagReq)...)
	q := b[at:]
	q[0], q[1], q[2] = r.family, unix.IPPROTO_TCP, byte(cmp.Or(r.with, withAll))
	native.PutUint32(q[4:], r.states)
	id := q[8:]
	binary.BigEndian.PutUint16(id, r.local.Port())
	binary.BigEndian.PutUint16(id[2:], r.remote.Port())
	putAddr(id[4:], r.family, r.local.Addr())
	putAddr(id[20:], r.family, r.remote.Addr())
	native.PutUint32(id[36:], r.iface)
	native.PutUint32(id[40:], uint32(r.cookie))
	native.PutUint32(id[44:], uint32(r.cookie>>32))
	return b
}

// putAddr writes an address as the family has it; an IPv4 address among IPv6 ones becomes IPv4-mapped.
func putAddr(b []byte, family uint8, a netip.Addr) {
	switch {
	case !a.IsValid():
	case family == unix.AF_INET:
		a4 := a.Unmap().As4()
		copy(b, a4[:])
	default:
		a16 := a.As16()
		copy(b, a16[:])
	}
}
