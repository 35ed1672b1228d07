package segment

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

func addSeeds(f *testing.F) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 20 {
		f.Add(packetOf(randomSegment(r)))
	}
	f.Add(unhex(f, synPacket))
	f.Add(unhex(f, v6Packet))
	f.Add([]byte{})
}

// Whatever the octets, Decode does not panic, and what it read can be written and read again.
func FuzzDecode(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		s, err := Decode(b)
		_ = VerifyIP(b)
		_ = VerifyTCP(b)
		if !bytes.Equal(b, before) {
			t.Fatal("the packet was changed")
		}
		_, _ = s.String(), s.Options.Strings()
		if err != nil {
			return
		}
		if s.Missing > 0 || len(b) > 0xffff {
			return
		}
		packet := packetOf(s)
		again := mustDecode(t, packet)
		if !reflect.DeepEqual(again, s) {
			t.Fatalf("%+v\n%+v", s, again)
		}
		if err := errors.Join(VerifyIP(packet), VerifyTCP(packet)); err != nil {
			t.Fatal(err)
		}
	})
}

// Options made of those that were read are the same options, up to the padding at their end.
func FuzzOptions(f *testing.F) {
	f.Add([]byte{2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7})
	f.Add([]byte{1, 1, 5, 10, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var o Options
		o.n = uint8(copy(o.raw[:], raw))
		_ = o.String()
		var list []Option
		broken := false
		for opt := range o.All() {
			list = append(list, opt)
			broken = broken || opt.malformed
		}
		made, err := NewOptions(list...)
		if broken != (err != nil) {
			t.Fatalf("%v from %v", err, list)
		}
		if err == nil && made.String() != o.String() {
			t.Fatalf("%s, want %s", made, o)
		}
	})
}

// Segments in any order, of any kind, are numbered without a panic, and Relative foretells the numbers.
func FuzzFlow(f *testing.F) {
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0x12, 0, 1, 0, 1, 1, 0x10, 1, 1, 0, 1, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		var flow Flow
		at := time.Unix(1_700_000_000, 0)
		for ; len(script) >= 6; script = script[6:] {
			s := Segment{
				Src: v4a, Dst: v4b, Flags: Flags(script[0]), Seq: uint32(script[1]) << (script[5] & 24),
				Ack: uint32(script[2]), Window: uint16(script[3]), Missing: int(script[4]),
			}
			if script[5]&1 != 0 {
				s.Src, s.Dst = s.Dst, s.Src
			}
			before := flow.Relative(s)
			seen := flow.Add(at, s)
			if before.Seq != seen.Seq || before.Ack != seen.Ack || before.Window != seen.Window {
				t.Fatalf("Relative: %s; Add: %s", before, seen)
			}
			if seen.String() == "" ||
				seen.Analysis&(FastRetransmission|SpuriousRetransmission) != 0 && !seen.Analysis.Has(Retransmission) {
				t.Fatalf("%s", seen)
			}
			at = at.Add(time.Duration(script[5]>>5) * time.Millisecond)
		}
	})
}

// Whatever is in a packet and its comment, the capture is made of whole blocks that say it.
func FuzzPcapng(f *testing.F) {
	f.Add([]byte("packet"), "comment", int64(1), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, comment string, ns int64, direction uint8) {
		comment = comment[:min(len(comment), 65535)]
		var buf bytes.Buffer
		w := newTestWriter(t, &buf)
		err := w.WritePacket(PcapPacket{
			Time: time.Unix(0, ns), Data: data, Direction: Direction(direction), Comments: []string{comment},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		blocks := readBlocks(t, buf.Bytes())
		if len(data) > 0 && !bytes.Equal(blocks[2].data, data) {
			t.Fatalf("%x, want %x", blocks[2].data, data)
		}
	})
}
