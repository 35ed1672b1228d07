package observe

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"socklife/internal/lab"
	"socklife/internal/segment"
	"socklife/internal/timeline"
)

// onWire is a packet of a connection from 40000 to 7007, as the wire reports it.
func onWire(t *testing.T, id uint64, from lab.Side, fate lab.Fate, s segment.Segment) lab.Packet {
	t.Helper()
	s.Src, s.Dst = addrPort("198.51.100.1:40000"), addrPort("198.51.100.2:7007")
	if from == lab.Server {
		s.Src, s.Dst = s.Dst, s.Src
	}
	s.Window = 100
	raw := bytesOf(s)
	decoded, err := segment.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	return lab.Packet{ID: id, Number: id, From: from, Fate: fate, Seen: at, At: at, Raw: raw, Segment: decoded}
}

// bytesOf is a segment in a packet of IPv4, without options and checksums.
func bytesOf(s segment.Segment) []byte {
	p := make([]byte, 40, 40+len(s.Payload))
	p[0], p[8], p[9] = 0x45, 64, 6 // version and header length, time to live, TCP
	binary.BigEndian.PutUint16(p[2:], uint16(cap(p)))
	copy(p[12:], s.Src.Addr().AsSlice())
	copy(p[16:], s.Dst.Addr().AsSlice())
	binary.BigEndian.PutUint16(p[20:], s.Src.Port())
	binary.BigEndian.PutUint16(p[22:], s.Dst.Port())
	binary.BigEndian.PutUint32(p[24:], s.Seq)
	binary.BigEndian.PutUint32(p[28:], s.Ack)
	binary.BigEndian.PutUint16(p[32:], 5<<12|uint16(s.Flags))
	binary.BigEndian.PutUint16(p[34:], s.Window)
	return append(p, s.Payload...)
}

// A segment that is held and comes again is numbered as it was the first time, and is one: it is counted once, and its
// keepalive probe too.
func TestSegmentLog(t *testing.T) {
	rec := &record{}
	log := timeline.New(rec)
	l := NewSegmentLog(log, false, nil)
	syn := segment.Segment{Seq: 1000, Flags: segment.SYN}
	l.Report(onWire(t, 1, lab.Client, lab.Held, syn))
	l.Report(onWire(t, 1, lab.Client, lab.Delivered, syn))
	l.Report(onWire(t, 2, lab.Server, lab.Delivered, segment.Segment{Seq: 5000, Ack: 1001, Flags: segment.SYN | segment.ACK}))
	l.Report(onWire(t, 3, lab.Client, lab.Dropped, segment.Segment{Seq: 1001, Ack: 5001, Flags: segment.ACK, Payload: []byte("abc")}))
	probe := segment.Segment{Seq: 5000, Ack: 1001, Flags: segment.ACK}
	l.Report(onWire(t, 4, lab.Server, lab.Delayed, probe))
	injected := onWire(t, 5, lab.Client, lab.Delivered, segment.Segment{Seq: 1001, Flags: segment.RST})
	injected.By = lab.ByInjected
	l.Report(injected)
	log.Flush()
	var got []string
	for _, e := range rec.events {
		s := e.Body.(*timeline.Segment)
		got = append(got, fmt.Sprintf("%s %s: %s", s.From, s.Line(), s.Fate))
		if marked := strings.Contains(s.Line(), "[injected]"); s.Injected != marked {
			t.Errorf("%s: injected is %v", s.Line(), s.Injected)
		}
	}
	want := []string{
		"client SYN seq=0 win=100: held", "client SYN seq=0 win=100: delivered", "server SYN ACK seq=0 ack=1 win=100: delivered",
		"client ACK seq=1 ack=1 len=3 win=100: dropped", "server ACK seq=0 ack=1 win=100 [keep_alive]: held",
		"client RST seq=1 win=100 [injected]: delivered",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	match, err := lab.ParseMatch("client syn")
	if err != nil {
		t.Fatal(err)
	}
	if n, probes := l.Count(match), l.Probes(); n != 1 || probes != 1 {
		t.Errorf("%d SYNs and %d probes, want one of each", n, probes)
	}
	if line := l.Line(onWire(t, 4, lab.Server, lab.Held, probe)); line != "ACK seq=0 ack=1 win=100 [keep_alive]" {
		t.Errorf("what is held: %q", line)
	}
	if line := l.Line(onWire(t, 9, lab.Client, lab.Held, segment.Segment{Seq: 1011, Ack: 5001, Flags: segment.ACK})); line != "ACK seq=11 ack=1 win=100" {
		t.Errorf("one that was not reported yet: %q", line)
	}
}

// Await finds the nth that fits among those that were, and waits for it where it has not come yet.
func TestAwaitASegment(t *testing.T) {
	l := NewSegmentLog(timeline.New(), false, nil)
	data := func(p lab.Packet) bool { return p.Segment.Len() > 0 }
	first := onWire(t, 1, lab.Client, lab.Delivered, segment.Segment{Seq: 1, Flags: segment.ACK, Payload: []byte("a")})
	l.Report(first)
	found := make(chan uint64)
	go func() {
		p, _ := l.Await(t.Context(), 2, data)
		found <- p.ID
	}()
	l.Report(onWire(t, 2, lab.Server, lab.Delivered, segment.Segment{Seq: 1, Flags: segment.ACK}))
	l.Report(onWire(t, 3, lab.Client, lab.Delivered, segment.Segment{Seq: 2, Flags: segment.ACK, Payload: []byte("b")}))
	if id := <-found; id != 3 {
		t.Errorf("the second with data is %d, want 3", id)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if p, ok := l.Await(over, 1, data); !ok || p.ID != first.ID {
		t.Errorf("the first, which has come: %d, %v", p.ID, ok)
	}
	if p, ok := l.Await(over, 3, data); ok {
		t.Errorf("a third: %d", p.ID)
	}
}
