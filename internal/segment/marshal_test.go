package segment

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestMarshalRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		s := randomSegment(r)
		packet := mustMarshal(t, s)
		if got := mustDecode(t, packet); !reflect.DeepEqual(got, s) {
			t.Fatalf("%+v, want %+v", got, s)
		}
		if err := errors.Join(VerifyIP(packet), VerifyTCP(packet)); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
		prefix := []byte("before")
		if got, err := s.Append(prefix); err != nil || !bytes.Equal(got, append([]byte("before"), packet...)) {
			t.Fatalf("Append: %v", err)
		}
	}
}

func TestMarshalRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Segment){
		"no address":   func(s *Segment) { s.Src = netip.AddrPort{} },
		"two families": func(s *Segment) { s.Src = v6a },
		"flags":        func(s *Segment) { s.Flags = 0x1000 },
		"dscp":         func(s *Segment) { s.IP.DSCP = 64 },
		"ecn":          func(s *Segment) { s.IP.ECN = 4 },
		"flow label":   func(s *Segment) { s.IP.FlowLabel = 1 << 20 },
		"truncated":    func(s *Segment) { s.Missing = 1 },
		"fragment":     func(s *Segment) { s.IP.MoreFragments = true },
		"odd options":  func(s *Segment) { s.IP.Options = []byte{1, 1, 1} },
		"long options": func(s *Segment) { s.IP.Options = make([]byte, 44) },
		"long":         func(s *Segment) { s.Payload = make([]byte, 65536-40) },
		"long, v6":     func(s *Segment) { s.Src, s.Dst, s.Payload = v6a, v6b, make([]byte, 65536-20) },
		"no extension": func(s *Segment) { s.Src, s.Dst, s.IP.Options, s.IP.NextHeader = v6a, v6b, make([]byte, 8), 6 },
		"broken":       func(s *Segment) { s.Src, s.Dst, s.IP.Options, s.IP.NextHeader = v6a, v6b, []byte{6, 99}, 60 },
		"later fragment": func(s *Segment) {
			s.Src, s.Dst, s.IP.Options, s.IP.NextHeader = v6a, v6b, []byte{6, 0, 1, 0, 0, 0, 0, 0}, 44
		},
		"first fragments": func(s *Segment) {
			s.Src, s.Dst, s.IP.Options, s.IP.NextHeader = v6a, v6b, []byte{6, 0, 0, 1, 0, 0, 0, 0}, 44
		},
	} {
		s := Segment{Src: v4a, Dst: v4b, IP: IP{TTL: 64}, Flags: SYN}
		change(&s)
		before := []byte("before")
		if b, err := s.Append(before); err == nil || !bytes.Equal(b, before) {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
	s := Segment{Src: v4a, Dst: v4b, Payload: make([]byte, 65535-40)}
	if packet := mustMarshal(t, s); len(packet) != 65535 {
		t.Errorf("the longest packet has %d octets", len(packet))
	}
}

func TestChecksums(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		s := randomSegment(r)
		packet := mustMarshal(t, s)
		// One octet wrong anywhere is found, and the right checksum is named.
		at := r.IntN(len(packet)-20) + 20
		if at < len(packet)-tcpHeaderLen-s.Options.Len()-len(s.Payload) {
			continue
		}
		packet[at] ^= byte(1 + r.IntN(255))
		err := VerifyTCP(packet)
		if _, broken := Decode(packet); broken != nil {
			continue
		}
		var sum *ChecksumError
		if !errors.As(err, &sum) || sum.Offloaded || sum.Header != "TCP" {
			t.Fatalf("octet %d of %s: %v", at, s, err)
		}
		field := packet[len(packet)-tcpHeaderLen-s.Options.Len()-len(s.Payload)+16:]
		field[0], field[1] = byte(sum.Want>>8), byte(sum.Want)
		if err := VerifyTCP(packet); err != nil {
			t.Fatalf("with the checksum that is wanted: %v", err)
		}
	}
}

func TestChecksumIPv4Header(t *testing.T) {
	t.Parallel()
	packet := unhex(t, synPacket) // with checksum 0
	var sum *ChecksumError
	if err := VerifyIP(packet); !errors.As(err, &sum) || sum.Header != "IPv4" || sum.Got != 0 {
		t.Fatal(err)
	}
	packet[10], packet[11] = byte(sum.Want>>8), byte(sum.Want)
	if err := VerifyIP(packet); err != nil {
		t.Error(err)
	}
	if err := VerifyIP(unhex(t, v6Packet)); err != nil {
		t.Error(err)
	}
	if err := VerifyIP(packet[:19]); !errors.Is(err, ErrTruncated) {
		t.Error(err)
	}
}

func TestChecksumOffload(t *testing.T) {
	t.Parallel()
	s := Segment{Src: v4a, Dst: v4b, Flags: ACK, Payload: []byte("hello")}
	packet := mustMarshal(t, s)
	partial := fold(pseudoHeader(s.Src.Addr(), s.Dst.Addr(), 25))
	packet[36], packet[37] = byte(partial>>8), byte(partial)
	var sum *ChecksumError
	err := VerifyTCP(packet)
	if !errors.As(err, &sum) || !sum.Offloaded || !strings.Contains(err.Error(), "left to the network card") {
		t.Error(err)
	}
}
