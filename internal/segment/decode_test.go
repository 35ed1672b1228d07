package segment

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
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
		Seq: 1500, Flags: SYN, Window: 65535,
		Options: mustOptions(t, MSS(1460), SACKPermitted(), Timestamps(1, 0), NOP(), WindowScale(7)),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got.SeqLen() != 1 || got.Len() != 0 {
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
		Seq: 1, Ack: 2, Flags: PSH | ACK | AE, Window: 512, Payload: []byte("hello"),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestDecodeEveryTruncation(t *testing.T) {
	t.Parallel()
	s := Segment{
		Src: v4a, Dst: v4b, Seq: 7, Ack: 8, Flags: ACK, Window: 1,
		Options: mustOptions(t, NOP(), NOP(), Timestamps(1, 2)), Payload: []byte("hello"),
	}
	v6 := s
	v6.Src, v6.Dst = v6a, v6b
	for _, c := range []struct {
		s      Segment
		packet []byte
	}{
		{s, packetOf(s, 1, 1, 1, 0)},
		{v6, packetOf(v6, headerHopByHop, 6, 0, 1, 4, 0, 0, 0, 0)},
	} {
		headers := len(c.packet) - c.s.Len()
		for n := range c.packet {
			got, err := Decode(c.packet[:n])
			if n < headers {
				if err == nil || !reflect.DeepEqual(got, Segment{}) {
					t.Fatalf("%d octets: %s, %v", n, got, err)
				}
				continue
			}
			if err != nil || got.Missing != len(c.packet)-n || got.Len() != c.s.Len() || got.SeqLen() != c.s.SeqLen() {
				t.Errorf("%d octets: %s, %v", n, got, err)
			}
			if VerifyTCP(c.packet[:n]) == nil {
				t.Errorf("%d octets are verified", n)
			}
		}
		// Padding behind the packet, as on a short Ethernet frame, is not part of it.
		if got := mustDecode(t, append(c.packet, 0, 0, 0)); !reflect.DeepEqual(got, c.s) {
			t.Errorf("padded: %+v, want %+v", got, c.s)
		}
	}
}

func TestDecodeTruncatedLine(t *testing.T) {
	t.Parallel()
	s := Segment{
		Src: v4a, Dst: v4b, Seq: 1, Ack: 1, Flags: PSH | ACK, Window: 512, Payload: make([]byte, 1000),
		Options: mustOptions(t, NOP(), NOP(), Timestamps(1, 2)),
	}
	packet := packetOf(s)
	for n, want := range map[int]string{
		96: "PSH+ACK seq=1 ack=1 len=1000 win=512 <TS val 1 ecr 2> (956 octets not captured)",
		52: "PSH+ACK seq=1 ack=1 len=1000 win=512 <TS val 1 ecr 2> (1000 octets not captured)",
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
		"segment: IPv6: ends inside extension header 44":                 change(v6Packet, 4, 0, 7),
		"segment: IPv6: ends inside extension header 60":                 long,
		"segment: TCP: 0 octets, 20 below a header":                      change(v6Packet, 4, 0, 8),
	} {
		_, err := Decode(packet)
		if err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Decode(nil); err == nil {
		t.Error("nothing is a segment")
	}
}

// Of a packet in fragments the first has the header.
func TestDecodeFragments(t *testing.T) {
	t.Parallel()
	first, later := unhex(t, synPacket), unhex(t, synPacket)
	first[6], later[6], later[7] = 0x20, 0x20, 185
	if s := mustDecode(t, first); s.Flags != SYN {
		t.Errorf("first fragment: %s", s)
	}
	first, last := unhex(t, v6Packet), unhex(t, v6Packet)
	first[43], last[43] = 1, 8
	if s := mustDecode(t, first); s.Flags != PSH|ACK|AE {
		t.Errorf("IPv6 first fragment: %s", s)
	}
	for _, packet := range [][]byte{later, last} {
		if s, err := Decode(packet); err == nil {
			t.Errorf("later fragment: %s", s)
		}
	}
}

func TestDecodeIPv6Extensions(t *testing.T) {
	t.Parallel()
	s := Segment{Src: v6a, Dst: v6b, Seq: 1, Flags: SYN}
	headers := unhex(t, `
		2b00 0104 00000000
		3300 0400 00000000
		3c00 0000 00000001 00000001 000000000000000000000000
		3c00 0000 00000000
		0601 0104 00000000 00000000 00000000`)
	headers[17] = 2 // 24 octets
	packet := packetOf(s, append([]byte{headerHopByHop}, headers...)...)
	if got := mustDecode(t, packet); !reflect.DeepEqual(got, s) {
		t.Errorf("%+v, want %+v", got, s)
	}
	if err := VerifyTCP(packet); err != nil {
		t.Error(err)
	}
	packet[40+len(headers)-16] = 50 // ESP: nothing behind it can be read
	if s, err := Decode(packet); err == nil {
		t.Errorf("behind ESP: %s", s)
	}
}

// Linux moves segments longer than the IP header can say between its own interfaces.
func TestDecodeBeyond64K(t *testing.T) {
	t.Parallel()
	big := make([]byte, 100_000)
	packet := packetOf(Segment{Src: v4a, Dst: v4b, Flags: ACK})
	packet[2], packet[3] = 0, 0
	if s := mustDecode(t, append(packet, big...)); s.Len() != len(big) || s.Missing > 0 {
		t.Errorf("IPv4: %d, %d missing", s.Len(), s.Missing)
	}
	packet = packetOf(Segment{Src: v6a, Dst: v6b, Flags: ACK})
	packet[4], packet[5] = 0, 0
	if s := mustDecode(t, append(packet, big...)); s.Len() != len(big) || s.Missing > 0 {
		t.Errorf("IPv6: %d, %d missing", s.Len(), s.Missing)
	}
	// With a jumbo payload option: 8 + 20 + 100000 octets.
	jumbo := append(packet[:40:40], 6, 0, 0xc2, 4, 0, 1, 0x86, 0xbc)
	jumbo[6] = headerHopByHop
	jumbo = append(append(jumbo, packet[40:]...), big...)
	if s := mustDecode(t, jumbo); s.Len() != len(big) || s.Missing > 0 {
		t.Errorf("jumbo: %d, %d missing", s.Len(), s.Missing)
	}
	if s := mustDecode(t, jumbo[:200]); s.Len() != len(big) || s.Missing == 0 {
		t.Errorf("jumbo, cut: %d, %d missing", s.Len(), s.Missing)
	}
}

func TestICMP(t *testing.T) {
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
	quoted6 := hex.EncodeToString(packetOf(Segment{Src: v6b, Dst: v6a, Seq: 9}))
	for _, test := range []struct {
		packet []byte
		want   string
	}{
		{ip4(17, "0301 0000"), ""}, // UDP
		{ip4(1, "03"), ""},
		{ip4(1, "0000 0000"), ""},                 // echo reply
		{ip4(1, "0b00 0000 00000000"+quoted), ""}, // time exceeded
		{ip4(1, "0301 0000 0000"), "ICMP destination unreachable (host unreachable)"},
		{ip4(1, "0303 0000 00000000"+quoted), "ICMP destination unreachable (port unreachable) about " +
			"TCP 198.51.100.1:40000 > 198.51.100.2:7007 seq=1500"},
		{ip4(1, "0304 0000 000005dc"+quoted[:40]), "ICMP destination unreachable (fragmentation needed) mtu 1500"},
		{ip4(1, "0303 0000 00000000"+quotedUDP), "ICMP destination unreachable (port unreachable)"},
		{ip4(1, "0363 0000"), "ICMP destination unreachable (UNKNOWN(99))"},
		{ip6("8500 0000"), ""}, // router solicitation
		{ip6("0200 0000 00000500" + quoted6), "ICMPv6 packet too big mtu 1280 about " +
			"TCP [2001:db8::2]:7007 > [2001:db8::1]:40000 seq=9"},
		{ip6("0104 0000 00000000" + quoted6), "ICMPv6 destination unreachable (port unreachable) about " +
			"TCP [2001:db8::2]:7007 > [2001:db8::1]:40000 seq=9"},
	} {
		if s, err := Decode(test.packet); err == nil {
			t.Errorf("%s: is also %s", test.want, s)
		}
		m := DecodeICMP(test.packet)
		if got := fmt.Sprint(m); m == nil && test.want != "" || m != nil && got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}

func TestWithSeq(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		s := randomSegment(r)
		packet := packetOf(s)
		s.Seq = r.Uint32()
		if got := WithSeq(packet, s.Seq); !bytes.Equal(got, packetOf(s)) {
			t.Fatalf("%x, want %x", got, packetOf(s))
		}
	}
}
