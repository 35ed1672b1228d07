package tcpinfo

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// msg builds a netlink message; a length of -1 is the right one.
func msg(typ, flags uint16, seq uint32, data []byte) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN, unix.NLMSG_HDRLEN+len(data)+3)
	b = append(b, data...)
	putHeader(b, typ, flags, seq)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func u32s(v ...uint32) (b []byte) {
	for _, n := range v {
		b = native.AppendUint32(b, n)
	}
	return b
}

func TestNextMessage(t *testing.T) {
	two := append(msg(20, 2, 7, []byte("abcde")), msg(3, 0, 7, nil)...)
	m, rest, ok, err := nextMessage(two)
	if err != nil || !ok || m.Type != 20 || m.Flags != 2 || m.Seq != 7 || string(m.Data) != "abcde" {
		t.Fatalf("%+v, %v, %v", m, ok, err)
	}
	m, rest, ok, err = nextMessage(rest)
	if err != nil || !ok || m.Type != 3 || len(m.Data) != 0 || len(rest) != 0 {
		t.Fatalf("%+v, %v, %v", m, ok, err)
	}
	if _, _, ok, err := nextMessage(rest); ok || err != nil {
		t.Errorf("after the last message: %v, %v", ok, err)
	}
	// The last message of a datagram need not be padded.
	if m, rest, ok, err := nextMessage(two[:21]); err != nil || !ok || string(m.Data) != "abcde" || len(rest) != 0 {
		t.Errorf("without padding: %+v, %v, %v", m, ok, err)
	}
}

func TestMalformedMessages(t *testing.T) {
	short := msg(20, 0, 1, []byte("abcd"))
	for name, length := range map[string]uint32{"zero": 0, "less than a header": 15, "more than there is": 21, "huge": 1<<32 - 1, "negative": 1 << 31} {
		b := bytes.Clone(short)
		native.PutUint32(b, length)
		if _, _, ok, err := nextMessage(b); ok || !errors.Is(err, errMalformed) {
			t.Errorf("a length of %s: %v, %v", name, ok, err)
		}
	}
	for n := 1; n < 16; n++ {
		if _, _, ok, err := nextMessage(short[:n]); ok || !errors.Is(err, errMalformed) {
			t.Errorf("%d bytes: %v, %v", n, ok, err)
		}
	}
}

func TestAttrs(t *testing.T) {
	b := appendAttr(nil, 2, []byte("abcde"))
	b = appendAttr(b, 19|unix.NLA_F_NESTED, []byte{1})
	b = append(b, 0, 0, 0)
	if len(b) != 12+8+3 {
		t.Fatalf("%d bytes", len(b))
	}
	a, rest, ok, err := nextAttr(b)
	if err != nil || !ok || a.Type != 2 || string(a.Data) != "abcde" {
		t.Fatalf("%+v, %v, %v", a, ok, err)
	}
	a, rest, ok, err = nextAttr(rest)
	if err != nil || !ok || a.Type != 19 || !bytes.Equal(a.Data, []byte{1}) {
		t.Fatalf("%+v, %v, %v", a, ok, err)
	}
	if _, _, ok, err := nextAttr(rest); ok || err != nil {
		t.Errorf("padding: %v, %v", ok, err)
	}
	for _, bad := range [][]byte{{0, 0, 1, 0}, {3, 0, 1, 0}, {5, 0, 1, 0}, {0xff, 0xff, 1, 0, 1, 2, 3}} {
		if bigEndian {
			bad[0], bad[1] = bad[1], bad[0]
		}
		if _, _, ok, err := nextAttr(bad); ok || !errors.Is(err, errMalformed) {
			t.Errorf("%v: %v, %v", bad, ok, err)
		}
	}
}

func TestParseAck(t *testing.T) {
	request := msg(20, 1, 7, make([]byte, 56))
	words := appendAttr(nil, unix.NLMSGERR_ATTR_MSG, []byte("no such thing\x00"))
	offset := appendAttr(nil, unix.NLMSGERR_ATTR_OFFS, u32s(4))
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, c := range []struct {
		name       string
		typ, flags uint16
		data       []byte
		want       ack
	}{
		{"acknowledgment", unix.NLMSG_ERROR, unix.NLM_F_CAPPED, join(u32s(0), request[:16]), ack{}},
		{"error with its whole request", unix.NLMSG_ERROR, 0, join(u32s(minus(unix.EPERM)), request), ack{errno: unix.EPERM}},
		{"words behind a capped request", unix.NLMSG_ERROR, unix.NLM_F_CAPPED | unix.NLM_F_ACK_TLVS,
			join(u32s(minus(unix.EINVAL)), request[:16], offset, words), ack{unix.EINVAL, "no such thing"}},
		{"words behind a whole request", unix.NLMSG_ERROR, unix.NLM_F_ACK_TLVS,
			join(u32s(minus(unix.EINVAL)), request, words), ack{unix.EINVAL, "no such thing"}},
		{"request that lies about its length", unix.NLMSG_ERROR, unix.NLM_F_ACK_TLVS,
			join(u32s(minus(unix.EINVAL)), u32s(1<<32-1, 0, 0, 0), words), ack{errno: unix.EINVAL}},
		{"broken words", unix.NLMSG_ERROR, unix.NLM_F_CAPPED | unix.NLM_F_ACK_TLVS,
			join(u32s(minus(unix.EINVAL)), request[:16], words[:9]), ack{errno: unix.EINVAL}},
		{"nothing but the errno", unix.NLMSG_ERROR, unix.NLM_F_ACK_TLVS, u32s(minus(unix.ENOENT)), ack{errno: unix.ENOENT}},
		{"done", unix.NLMSG_DONE, unix.NLM_F_MULTI, u32s(0), ack{}},
		{"done, old kernels", unix.NLMSG_DONE, unix.NLM_F_MULTI, nil, ack{}},
		{"done with an error", unix.NLMSG_DONE, unix.NLM_F_MULTI, u32s(minus(unix.ENOENT)), ack{errno: unix.ENOENT}},
		{"done with an error and words", unix.NLMSG_DONE, unix.NLM_F_MULTI | unix.NLM_F_ACK_TLVS,
			join(u32s(minus(unix.EINVAL)), words), ack{unix.EINVAL, "no such thing"}},
		{"done with a length", unix.NLMSG_DONE, unix.NLM_F_MULTI, u32s(144), ack{}},
	} {
		got, err := parseAck(message{Type: c.typ, Flags: c.flags, Data: c.data})
		if err != nil || got != c.want {
			t.Errorf("%s: %+v (%v), want %+v", c.name, got, err, c.want)
		}
	}
	if _, err := parseAck(message{Type: unix.NLMSG_ERROR, Data: []byte{1, 2}}); !errors.Is(err, errMalformed) {
		t.Errorf("an error of two bytes: %v", err)
	}
}

// FuzzMessages splits datagrams, and decodes what is in them as the package would.
func FuzzMessages(f *testing.F) {
	for _, b := range recordedReplies(f) {
		f.Add(b)
	}
	f.Add(append(msg(20, 2, 7, []byte("abcde")), msg(3, 0, 7, nil)...))
	f.Add(msg(unix.NLMSG_ERROR, unix.NLM_F_ACK_TLVS, 1, u32s(^uint32(0), 20, 0, 0, 0, 0)))
	f.Fuzz(func(t *testing.T, b []byte) {
		left := len(b)
		for {
			m, rest, ok, err := nextMessage(b)
			if err != nil || !ok {
				return
			}
			if len(rest) >= left || len(m.Data) > left-unix.NLMSG_HDRLEN {
				t.Fatalf("%d bytes gave a message of %d and left %d", left, len(m.Data), len(rest))
			}
			b, left = rest, len(rest)
			switch m.Type {
			case unix.NLMSG_ERROR, unix.NLMSG_DONE:
				_, _ = parseAck(m)
			default:
				_, _ = DecodeSocket(m.Data)
			}
		}
	})
}

func FuzzAttrs(f *testing.F) {
	for _, b := range recordedBodies(f) {
		f.Add(b[sizeofDiagMsg:])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for {
			a, rest, ok, err := nextAttr(b)
			if err != nil || !ok {
				return
			}
			if len(rest)+len(a.Data)+unix.SizeofNlAttr > len(b) {
				t.Fatalf("%d bytes gave %d and left %d", len(b), len(a.Data), len(rest))
			}
			b = rest
		}
	})
}

// FuzzDecodeSocket: whatever the kernel may send is decoded or refused, and every attribute ends up somewhere.
func FuzzDecodeSocket(f *testing.F) {
	for _, b := range recordedBodies(f) {
		f.Add(b)
	}
	f.Add(make([]byte, sizeofDiagMsg))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeSocket(b)
		if len(b) < sizeofDiagMsg && err == nil {
			t.Fatalf("%d bytes were decoded", len(b))
		}
		if err != nil {
			return
		}
		if s.Cookie != uint64(native.Uint32(b[44:]))|uint64(native.Uint32(b[48:]))<<32 {
			t.Fatalf("cookie %d", s.Cookie)
		}
		if j, err := json.Marshal(s); err != nil || !json.Valid(j) {
			t.Fatalf("%v: %s", err, j)
		}
	})
}
