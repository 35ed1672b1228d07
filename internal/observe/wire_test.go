package observe

import (
	"bytes"
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

// The capture has packets in the order of their times though the wire reports what became of them in another, and waits
// for the fate of what is held; what never had one is said to.
func TestACaptureIsInOrder(t *testing.T) {
	var file bytes.Buffer
	p, err := NewPcap(&file)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	report := func(id uint64, from lab.Side, fate lab.Fate, seen, at time.Duration, change func(*lab.Packet)) {
		packet := onWire(t, id, from, fate, segment.Segment{Seq: uint32(id), Flags: segment.ACK})
		packet.Seen, packet.At = begin.Add(seen), begin.Add(at)
		if change != nil {
			change(&packet)
		}
		p.Write(packet)
	}
	by := func(who string) func(*lab.Packet) { return func(p *lab.Packet) { p.By = who } }
	report(1, lab.Client, lab.Held, 1*time.Second, 1*time.Second, by(lab.ByStep))
	report(2, lab.Server, lab.Delivered, 2*time.Second, 2*time.Second, nil)
	report(3, lab.Server, lab.Delayed, 3*time.Second, 3*time.Second, by(lab.ByLink))
	report(1, lab.Client, lab.Delivered, 1*time.Second, 4*time.Second, by(lab.ByHand))
	report(4, lab.Client, lab.Delivered, 4010*time.Millisecond, 4020*time.Millisecond, nil)
	report(5, lab.Client, lab.Dropped, 4005*time.Millisecond, 4030*time.Millisecond, by(lab.ByLink)) // told of late
	report(6, lab.Client, lab.Delivered, 5*time.Second, 5*time.Second, nil)
	report(6, lab.Client, lab.Dropped, 5*time.Second, 5*time.Second, by(lab.ByKernel)) // refused after all
	report(7, lab.Client, lab.Held, 6*time.Second, 6*time.Second, by(lab.ByStep))
	report(0, lab.Client, lab.Delivered, 7*time.Second, 7*time.Second, by(lab.ByInjected))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"1s client 1", "2s server 2", "2s client 2", "3s server 3 delayed by link and never let go", "4s server 1 delivered by hand",
		"4.005s client 5 dropped by link", "4.01s client 4", "4.02s server 4", "5s client 6 dropped by kernel",
		"6s client 7 held by step and never let go", "7s server 0 delivered by injected",
	}
	if got := captured(t, file.Bytes(), begin); !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

// captured reads the packets of a pcapng file: time, interface, sequence number and comment.
func captured(t *testing.T, b []byte, begin time.Time) (list []string) {
	t.Helper()
	const enhancedPacket, header = 6, 28
	word := binary.LittleEndian.Uint32
	for len(b) > 0 {
		kind, length := word(b), word(b[4:])
		if kind == enhancedPacket {
			side := []string{"client", "server"}[word(b[8:])]
			at := time.Unix(0, int64(word(b[12:]))<<32|int64(word(b[16:]))).Sub(begin)
			size := word(b[20:])
			s, err := segment.Decode(b[header : header+size])
			if err != nil {
				t.Fatal(err)
			}
			line := fmt.Sprintf("%v %s %d", at.Round(time.Microsecond), side, s.Seq)
			for o := b[header+(size+3)/4*4 : length-4]; len(o) > 4; {
				code, n := binary.LittleEndian.Uint16(o), int(binary.LittleEndian.Uint16(o[2:]))
				if code == 1 { // opt_comment
					line += " " + string(o[4:4+n])
				}
				o = o[4+(n+3)/4*4:]
			}
			list = append(list, line)
		}
		b = b[length:]
	}
	return list
}
