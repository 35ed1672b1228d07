package segment

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func TestDecodeWhatTheTestsWrite(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		s := randomSegment(r)
		packet := packetOf(s)
		if got := mustDecode(t, packet); !reflect.DeepEqual(got, s) {
			t.Fatalf("%+v, want %+v", got, s)
		}
		if err := errors.Join(VerifyIP(packet), VerifyTCP(packet)); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
}

func TestChecksums(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		s := randomSegment(r)
		packet := packetOf(s)
		// One octet wrong anywhere is found, and the right checksum is named.
		at := r.IntN(len(packet)-20) + 20
		if at < len(packet)-tcpHeaderLen-len(s.Options.Bytes())-len(s.Payload) {
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
		field := packet[len(packet)-tcpHeaderLen-len(s.Options.Bytes())-len(s.Payload)+16:]
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
	if err := VerifyIP(packet[:19]); err == nil {
		t.Error("part of a header is verified")
	}
}

func TestChecksumOffload(t *testing.T) {
	t.Parallel()
	s := Segment{Src: v4a, Dst: v4b, Flags: ACK, Payload: []byte("hello")}
	packet := packetOf(s)
	partial := fold(pseudoHeader(s.Src.Addr(), s.Dst.Addr(), 25))
	packet[36], packet[37] = byte(partial>>8), byte(partial)
	var sum *ChecksumError
	err := VerifyTCP(packet)
	if !errors.As(err, &sum) || !sum.Offloaded || !strings.Contains(err.Error(), "left to the network card") {
		t.Error(err)
	}
}
