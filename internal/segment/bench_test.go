package segment

import (
	"io"
	"testing"
	"time"
)

// fullSegment is what a bulk transfer is made of: timestamps and as much data as fits into 1500 octets.
func fullSegment(b *testing.B, v6 bool) []byte {
	s := Segment{
		Src: v4a, Dst: v4b, Seq: 1, Ack: 1, Flags: ACK, Window: 512,
		Options: mustOptions(b, NOP(), NOP(), Timestamps(1, 2)), Payload: make([]byte, 1448),
	}
	if v6 {
		s.Src, s.Dst, s.Payload = v6a, v6b, s.Payload[:1428]
	}
	return packetOf(s)
}

func BenchmarkDecode(b *testing.B) {
	for name, packet := range map[string][]byte{
		"IPv4": fullSegment(b, false), "IPv6": fullSegment(b, true), "SYN": unhex(b, synPacket),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(packet)))
			for b.Loop() {
				if _, err := Decode(packet); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFlowAdd(b *testing.B) {
	s := mustDecode(b, fullSegment(b, false))
	var flows Flows
	at := time.Unix(1_700_000_000, 0)
	b.ReportAllocs()
	for b.Loop() {
		s.Seq += 1448
		flows.Add(at, s)
	}
}

func BenchmarkSeenString(b *testing.B) {
	var flow Flow
	seen := flow.Add(time.Unix(1_700_000_000, 0), mustDecode(b, unhex(b, synPacket)))
	b.ReportAllocs()
	for b.Loop() {
		_ = seen.String()
	}
}

func BenchmarkWritePacket(b *testing.B) {
	w, err := NewPcapWriter(io.Discard, PcapInfo{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := w.AddInterface(PcapInterface{Name: "client"}); err != nil {
		b.Fatal(err)
	}
	packet := PcapPacket{Time: time.Unix(1_700_000_000, 0), Data: fullSegment(b, false), Direction: Outbound, ID: 1}
	b.ReportAllocs()
	b.SetBytes(1500)
	for b.Loop() {
		if err := w.WritePacket(packet); err != nil {
			b.Fatal(err)
		}
	}
}
