package tcpinfo

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Netlink's framing, netlink(7) and include/uapi/linux/netlink.h. Everything here is pure: bytes in, values out.

var errMalformed = errors.New("malformed netlink message")

// message is one netlink message of a datagram.
type message struct {
	Type, Flags uint16
	Seq         uint32
	Data        []byte // after the header, up to the message's length
}

// nextMessage takes the first message off a datagram. ok is false when there is none left.
func nextMessage(b []byte) (m message, rest []byte, ok bool, err error) {
	if len(b) == 0 {
		return m, nil, false, nil
	}
	if len(b) < unix.NLMSG_HDRLEN {
		return m, nil, false, fmt.Errorf("%w: %d bytes where a header takes %d", errMalformed, len(b), unix.NLMSG_HDRLEN)
	}
	length := int64(native.Uint32(b))
	if length < unix.NLMSG_HDRLEN || length > int64(len(b)) {
		return m, nil, false, fmt.Errorf("%w: says it is %d bytes long, %d came", errMalformed, length, len(b))
	}
	m = message{
		Type: native.Uint16(b[4:]), Flags: native.Uint16(b[6:]),
		Seq: native.Uint32(b[8:]), Data: b[unix.NLMSG_HDRLEN:length],
	}
	return m, b[min(align4(int(length)), len(b)):], true, nil
}

// putHeader fills in the header of the request b, which is len(b) bytes long. The port id stays 0: the kernel puts it
// in.
func putHeader(b []byte, typ, flags uint16, seq uint32) {
	native.PutUint32(b, uint32(len(b)))
	native.PutUint16(b[4:], typ)
	native.PutUint16(b[6:], flags)
	native.PutUint32(b[8:], seq)
	native.PutUint32(b[12:], 0)
}

// nextAttr takes the first attribute off a message. ok is false when there is none left.
func nextAttr(b []byte) (a Attr, rest []byte, ok bool, err error) {
	const header = unix.SizeofNlAttr
	if len(b) < header {
		// Up to three bytes can be left: padding.
		return a, nil, false, nil
	}
	length := int(native.Uint16(b))
	if length < header || length > len(b) {
		return a, nil, false, fmt.Errorf("%w: an attribute says it is %d bytes long, %d are left", errMalformed, length, len(b))
	}
	const flagBits = unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER
	a = Attr{Type: native.Uint16(b[2:]) &^ flagBits, Data: b[header:length]}
	return a, b[min(align4(length), len(b)):], true, nil
}

// appendAttr adds an attribute to a request, padded to four bytes.
func appendAttr(b []byte, typ uint16, data []byte) []byte {
	b = native.AppendUint16(b, uint16(unix.SizeofNlAttr+len(data)))
	b = native.AppendUint16(b, typ)
	b = append(b, data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func align4(n int) int { return (n + 3) &^ 3 }

// ack is what an NLMSG_ERROR or NLMSG_DONE message says.
type ack struct {
	errno  unix.Errno // 0: the request was done
	detail string     // the kernel's words, NLMSGERR_ATTR_MSG
}

// parseAck reads an NLMSG_ERROR (struct nlmsgerr and attributes), or an NLMSG_DONE (an errno and attributes; older
// kernels send none). With NETLINK_CAP_ACK the kernel repeats only the header of a request that it refuses.
func parseAck(m message) (ack, error) {
	if m.Type == unix.NLMSG_DONE && len(m.Data) < 4 {
		return ack{}, nil
	}
	if len(m.Data) < 4 {
		return ack{}, fmt.Errorf("%w: an error of %d bytes", errMalformed, len(m.Data))
	}
	code := int32(native.Uint32(m.Data))
	if code > 0 {
		code = 0 // a dump's last return value can be a length
	}
	a := ack{errno: unix.Errno(-int64(code))}
	attrs := m.Data[4:]
	if m.Type == unix.NLMSG_ERROR {
		attrs = afterRequest(m)
	}
	if m.Flags&unix.NLM_F_ACK_TLVS == 0 {
		return a, nil
	}
	for {
		attr, rest, ok, err := nextAttr(attrs)
		if err != nil || !ok {
			return a, nil // the errno is what matters; the words are a courtesy
		}
		if attr.Type == unix.NLMSGERR_ATTR_MSG {
			a.detail = unix.ByteSliceToString(attr.Data)
		}
		attrs = rest
	}
}

// afterRequest skips the copy of the request in an NLMSG_ERROR: its header, or all of it where the kernel did not cap
// it.
func afterRequest(m message) []byte {
	b := m.Data[4:]
	if len(b) < unix.NLMSG_HDRLEN {
		return nil
	}
	skip := int64(unix.NLMSG_HDRLEN)
	if m.Flags&unix.NLM_F_CAPPED == 0 {
		skip = max(skip, int64(native.Uint32(b)))
	}
	skip = (skip + 3) &^ 3
	if skip > int64(len(b)) {
		return nil
	}
	return b[skip:]
}
