package segment

import (
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// unhex reads hexadecimal with spaces and lines in it.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A SYN that Linux sent, with its checksums left to it: 198.51.100.1:40000 > 198.51.100.2:7007.
const synPacket = `
	4500 003c 1c46 4000 4006 0000 c633 6401 c633 6402
	9c40 1b5f 0000 05dc 0000 0000 a002 ffff 0000 0000
	0204 05b4 0402 080a 0000 0001 0000 0000 0103 0307`

// An HTTP-like request over IPv6, 2001:db8::1 port 40000 > 2001:db8::2 port 7007, in an atomic fragment.
const v6Packet = `
	6b81 2345 0021 2c40 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002
	0600 0000 0000 002a
	9c40 1b5f 0000 0001 0000 0002 5118 0200 0000 0000
	68 65 6c 6c 6f`

func TestDecodeIPv4(t *testing.T) {
	t.Parallel()
	got := mustDecode(t, unhex(t, synPacket))
	want := Segment{
		Src: v4a, Dst: v4b,
		IP:  IP{TTL: 64, ID: 0x1c46, DontFragment: true},
		Seq: 1500, Flags: SYN, Window: 65535,
		Options: mustOptions(t, MSS(1460), SACKPermitted(), Timestamps(1, 0), NOP(), WindowScale(7)),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got.SeqLen() != 1 || got.Len() != 0 || got.Truncated() {
		t.Errorf("length %d, %d", got.SeqLen(), got.Len())
	}
	if line, want := got.String(), "SYN seq=1500 win=65535 <mss 1460, sackOK, TS val 1 ecr 0, wscale 7>"; line != want {
		t.Errorf("%q, want %q", line, want)
	}
}

// A relay calls it for every packet.
func TestDecodeDoesNotAllocate(t *testing.T) {
	for _, packet := range [][]byte{unhex(t, synPacket), unhex(t, v6Packet)} {
		if n := testing.AllocsPerRun(100, func() { _, _ = Decode(packet) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
}

func TestDecodeIPv6(t *testing.T) {
	t.Parallel()
	got := mustDecode(t, unhex(t, v6Packet))
	want := Segment{
		Src: v6a, Dst: v6b,
		IP: IP{
			TTL: 64, DSCP: 46, ECN: 0, FlowLabel: 0x12345,
			NextHeader: headerFragment, Options: []byte{6, 0, 0, 0, 0, 0, 0, 42},
		},
		Seq: 1, Ack: 2, Flags: PSH | ACK | AE, Window: 512, Payload: []byte("hello"),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestDecodeEveryTruncation(t *testing.T) {
	t.Parallel()
	s := Segment{
		Src: v4a, Dst: v4b, IP: IP{TTL: 64, Options: []byte{1, 1, 1, 0}}, Seq: 7, Ack: 8, Flags: ACK, Window: 1,
		Options: mustOptions(t, NOP(), NOP(), Timestamps(1, 2)), Payload: []byte("hello"),
	}
	v6 := s
	v6.Src, v6.Dst, v6.IP = v6a, v6b, IP{TTL: 64, NextHeader: headerHopByHop, Options: []byte{6, 0, 1, 4, 0, 0, 0, 0}}
	for _, s := range []Segment{s, v6} {
		packet := mustMarshal(t, s)
		headers := len(packet) - s.Len() - s.Options.Len()
		for n := range packet {
			got, err := Decode(packet[:n])
			if n < headers {
				if !errors.Is(err, ErrTruncated) {
					t.Fatalf("%d octets: %v", n, err)
				}
				if n >= headers-12 && (got.Seq != 7 || got.Src != s.Src || got.Dst != s.Dst) {
					t.Errorf("%d octets: %v > %v %s", n, got.Src, got.Dst, got)
				}
				continue
			}
			if err != nil || !got.Truncated() || got.Len() != s.Len() || got.SeqLen() != s.SeqLen() {
				t.Errorf("%d octets: %s, %v", n, got, err)
			}
			if _, err := got.Marshal(); !errors.Is(err, ErrTruncated) {
				t.Errorf("%d octets: marshal %v", n, err)
			}
			if err := VerifyTCP(packet[:n]); !errors.Is(err, ErrTruncated) {
				t.Errorf("%d octets: verify %v", n, err)
			}
		}
		// Padding behind the packet, as on a short Ethernet frame, is not part of it.
		if got := mustDecode(t, append(packet, 0, 0, 0)); !reflect.DeepEqual(got, s) {
			t.Errorf("padded: %+v, want %+v", got, s)
		}
	}
}

func TestDecodeTruncatedLine(t *testing.T) {
	t.Parallel()
	s := Segment{
		Src: v4a, Dst: v4b, Seq: 1, Ack: 1, Flags: PSH | ACK, Window: 512, Payload: make([]byte, 1000),
		Options: mustOptions(t, NOP(), NOP(), Timestamps(1, 2)),
	}
	packet := mustMarshal(t, s)
	for n, want := range map[int]string{
		96: "PSH+ACK seq=1 ack=1 len=1000 win=512 <TS val 1 ecr 2> (956 octets not captured)",
		44: "PSH+ACK seq=1 ack=1 len=1000 win=512 <TRUNCATED(8), 8 octets not captured> (1000 octets not captured)",
	} {
		if got := mustDecode(t, packet[:n]).String(); got != want {
			t.Errorf("%d octets: %q, want %q", n, got, want)
		}
	}
}

func TestDecodeMalformed(t *testing.T) {
	t.Parallel()
	change := func(packet string, at int, octets ...byte) []byte {
		b := unhex(t, packet)
		copy(b[at:], octets)
		return b
	}
	long := change(v6Packet, 4, 0, 8, headerDest) // 8 octets for a header that says it has 16
	long[41] = 1
	for want, packet := range map[string][]byte{
		"segment: IP: version 7":                                         {0x70},
		"segment: IPv4: header length 16 is below 20":                    change(synPacket, 0, 0x44),
		"segment: IPv4: total length 19 is below the header's 20":        change(synPacket, 2, 0, 19),
		"segment: TCP: 15 octets, 5 below a header":                      change(synPacket, 2, 0, 35),
		"segment: TCP: data offset 16 is below 20":                       change(synPacket, 32, 0x40),
		"segment: TCP: data offset 60 is beyond the segment's 40 octets": change(synPacket, 32, 0xf0),
		"segment: IPv6: payload ends inside extension header 44":         change(v6Packet, 4, 0, 7),
		"segment: IPv6: payload ends inside extension header 60":         long,
		"segment: TCP: 0 octets, 20 below a header":                      change(v6Packet, 4, 0, 8),
	} {
		_, err := Decode(packet)
		var malformed *MalformedError
		if !errors.As(err, &malformed) || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Decode(nil); !errors.Is(err, ErrTruncated) {
		t.Errorf("nothing: %v", err)
	}
}

func TestDecodeFragments(t *testing.T) {
	t.Parallel()
	first, later := unhex(t, synPacket), unhex(t, synPacket)
	first[6], later[6], later[7] = 0x20, 0x20, 185
	s := mustDecode(t, first)
	if !s.IP.MoreFragments || !strings.HasSuffix(s.String(), "(first fragment)") {
		t.Errorf("first fragment: %s", s)
	}
	if _, err := s.Marshal(); err == nil {
		t.Error("a fragment can be written")
	}
	var fragment *FragmentError
	if err := VerifyTCP(first); !errors.As(err, &fragment) {
		t.Errorf("verify: %v", err)
	}
	for _, err := range []error{second(Decode(later)), VerifyTCP(later)} {
		want := FragmentError{v4a.Addr(), v4b.Addr(), 6, 0x1c46, 1480, true}
		if !errors.As(err, &fragment) || *fragment != want {
			t.Errorf("later fragment: %v", err)
		}
		if text := "segment: 198.51.100.1 > 198.51.100.2: TCP, fragment at 1480 of packet 7238"; err.Error() != text {
			t.Errorf("%q, want %q", err, text)
		}
	}

	v6 := unhex(t, v6Packet)
	v6[43] = 8 // offset 8, the last one
	_, err := Decode(v6)
	want := FragmentError{v6a.Addr(), v6b.Addr(), 6, 42, 8, false}
	if !errors.As(err, &fragment) || *fragment != want {
		t.Errorf("IPv6: %v", err)
	}
	v6[43] = 1
	if s := mustDecode(t, v6); !s.IP.MoreFragments {
		t.Errorf("IPv6 first fragment: %s", s)
	}
}

func second[T any](_ T, err error) error { return err }

func TestDecodeIPv6Extensions(t *testing.T) {
	t.Parallel()
	s := Segment{Src: v6a, Dst: v6b, IP: IP{TTL: 1}, Seq: 1, Flags: SYN}
	s.IP.NextHeader = headerHopByHop
	s.IP.Options = unhex(t, `
		2b00 0104 00000000
		3300 0400 00000000
		8704 0000 00000001 00000001 000000000000000000000000
		3c00 0000 00000000
		0601 0104 00000000 00000000 00000000`)
	packet := mustMarshal(t, s)
	if got := mustDecode(t, packet); !reflect.DeepEqual(got, s) {
		t.Errorf("%+v, want %+v", got, s)
	}
	if err := VerifyTCP(packet); err != nil {
		t.Error(err)
	}
	// 50 is ESP: nothing behind it can be read.
	s.IP.Options[len(s.IP.Options)-16] = 50
	if _, err := s.Marshal(); err == nil {
		t.Error("extension headers that do not lead to TCP are written")
	}
	packet[40+len(s.IP.Options)-16] = 50
	var not *NotTCPError
	if _, err := Decode(packet); !errors.As(err, &not) || not.Protocol != 50 {
		t.Errorf("%v", err)
	}
}

// Linux moves segments longer than the IP header can say between its own interfaces.
func TestDecodeBeyond64K(t *testing.T) {
	t.Parallel()
	big := make([]byte, 100_000)
	packet := mustMarshal(t, Segment{Src: v4a, Dst: v4b, Flags: ACK})
	packet[2], packet[3] = 0, 0
	if s := mustDecode(t, append(packet, big...)); s.Len() != len(big) || s.Truncated() {
		t.Errorf("IPv4: %d, %v", s.Len(), s.Truncated())
	}
	packet = mustMarshal(t, Segment{Src: v6a, Dst: v6b, Flags: ACK})
	packet[4], packet[5] = 0, 0
	if s := mustDecode(t, append(packet, big...)); s.Len() != len(big) || s.Truncated() {
		t.Errorf("IPv6: %d, %v", s.Len(), s.Truncated())
	}
	// With a jumbo payload option: 8 + 20 + 100000 octets.
	jumbo := append(packet[:40:40], 6, 0, 0xc2, 4, 0, 1, 0x86, 0xbc)
	jumbo[6] = headerHopByHop
	jumbo = append(append(jumbo, packet[40:]...), big...)
	if s := mustDecode(t, jumbo); s.Len() != len(big) || s.Truncated() {
		t.Errorf("jumbo: %d, %v", s.Len(), s.Truncated())
	}
	if s := mustDecode(t, jumbo[:200]); s.Len() != len(big) || !s.Truncated() {
		t.Errorf("jumbo, cut: %d, %v", s.Len(), s.Truncated())
	}
}

func TestClone(t *testing.T) {
	t.Parallel()
	packet := unhex(t, v6Packet)
	s := mustDecode(t, packet)
	clone := s.Clone()
	clear(packet)
	if string(clone.Payload) != "hello" || clone.IP.Options[0] != 6 || s.Payload[0] != 0 {
		t.Errorf("%+v", clone)
	}
}

func TestNotTCP(t *testing.T) {
	t.Parallel()
	syn := unhex(t, synPacket)
	ip4 := func(protocol byte, body string) []byte {
		b := append(append([]byte(nil), syn[:20]...), unhex(t, body)...)
		b[3], b[9] = byte(len(b)), protocol
		return b
	}
	ip6 := func(body string) []byte {
		b := append(append([]byte(nil), unhex(t, v6Packet)[:40]...), unhex(t, body)...)
		b[5], b[6] = byte(len(b)-40), protocolICMPv6
		return b
	}
	quoted := hex.EncodeToString(syn[:28])
	quotedUDP := strings.Replace(quoted, "4006", "4011", 1)
	quotedESP := strings.Replace(quoted, "4006", "4032", 1)
	quoted6 := hex.EncodeToString(mustMarshal(t, Segment{Src: v6b, Dst: v6a, Seq: 9}))
	for _, test := range []struct {
		packet []byte
		want   string
	}{
		{ip4(17, "0001"), "UDP"},
		{ip4(200, ""), "UNKNOWN(200)"},
		{ip4(1, "03"), "ICMP"},
		{ip4(1, "0000 0000"), "ICMP echo reply"},
		{ip4(1, "0301 0000 0000"), "ICMP destination unreachable (host unreachable)"},
		{ip4(1, "0303 0000 00000000"+quoted), "ICMP destination unreachable (port unreachable) about " +
			"TCP 198.51.100.1:40000 > 198.51.100.2:7007 seq=1500"},
		{ip4(1, "0304 0000 000005dc"+quoted[:40]), "ICMP destination unreachable (fragmentation needed) mtu 1500 " +
			"about TCP 198.51.100.1:0 > 198.51.100.2:0 seq=0"},
		{ip4(1, "0b00 0000 00000000"+quotedUDP), "ICMP time exceeded (time to live) about " +
			"UDP 198.51.100.1:40000 > 198.51.100.2:7007"},
		{ip4(1, "0500 0000 00000000"+quotedESP), "ICMP redirect (network) about ESP 198.51.100.1 > 198.51.100.2"},
		{ip4(1, "6307 0000"), "ICMP UNKNOWN(99) (UNKNOWN(7))"},
		{ip4(1, "0363 0000"), "ICMP destination unreachable (UNKNOWN(99))"},
		{ip6("8500 0000"), "ICMPv6 router solicitation"},
		{ip6("0200 0000 00000500" + quoted6), "ICMPv6 packet too big mtu 1280 about " +
			"TCP [2001:db8::2]:7007 > [2001:db8::1]:40000 seq=9"},
		{ip6("0104 0000 00000000" + quoted6), "ICMPv6 destination unreachable (port unreachable) about " +
			"TCP [2001:db8::2]:7007 > [2001:db8::1]:40000 seq=9"},
	} {
		_, err := Decode(test.packet)
		var not *NotTCPError
		if !errors.As(err, &not) {
			t.Errorf("%s: %v", test.want, err)
			continue
		}
		want := "segment: " + not.Src.String() + " > " + not.Dst.String() + ": " + test.want + ", not TCP"
		if err.Error() != want {
			t.Errorf("%q, want %q", err, want)
		}
		if VerifyTCP(test.packet) == nil {
			t.Errorf("%s: there is a TCP checksum", test.want)
		}
	}
}
