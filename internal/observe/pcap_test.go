package observe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/capture"
	"socklife/internal/lab"
	"socklife/internal/segment"
	"socklife/internal/timeline"
	"socklife/sockapi"
	"socklife/tcpinfo"
)

// newTestPcap is a capture whose comments are what an event's kind and name are.
func newTestPcap(t *testing.T, w io.Writer, ends ...timeline.Side) *Pcap {
	t.Helper()
	p, err := NewPcap(w, PcapConfig{Ends: ends, Failed: func(error) {}, Words: func(e timeline.Event) string {
		switch b := e.Body.(type) {
		case *timeline.Call:
			return fmt.Sprintf("%s() = %d", b.Call, b.Ret)
		case *timeline.State:
			return b.To.String()
		case *timeline.Enter:
			return b.Call + "()"
		}
		return ""
	}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The capture has packets in the order of their times though the wire reports what became of them in another, and waits
// for the fate of what is held; what never had one is said to.
func TestACaptureIsInOrder(t *testing.T) {
	var file bytes.Buffer
	p := newTestPcap(t, &file, timeline.Client, timeline.Server)
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

// A capture of one end has what that end sent, when it sent it, and what arrived there, when it did; and nothing twice.
func TestACaptureOfOneEnd(t *testing.T) {
	for end, want := range map[timeline.Side][]string{
		timeline.Client: {"1s client 1", "4s client 2", "5s client 3 dropped by link"},
		timeline.Server: {"2s server 1", "3s server 2", "6s server 4 held by step and never let go"},
	} {
		var file bytes.Buffer
		p := newTestPcap(t, &file, end)
		begin := time.Now()
		report := func(id uint64, from lab.Side, fate lab.Fate, by string, seen, at time.Duration) {
			packet := onWire(t, id, from, fate, segment.Segment{Seq: uint32(id), Flags: segment.ACK})
			packet.Seen, packet.At, packet.By = begin.Add(seen), begin.Add(at), by
			p.Write(packet)
		}
		report(1, lab.Client, lab.Delivered, "", 1*time.Second, 2*time.Second)
		report(2, lab.Server, lab.Delivered, "", 3*time.Second, 4*time.Second)
		report(3, lab.Client, lab.Dropped, lab.ByLink, 5*time.Second, 5*time.Second)
		report(4, lab.Server, lab.Held, lab.ByStep, 6*time.Second, 6*time.Second)
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		got := captured(t, file.Bytes(), begin)
		if end == timeline.Server { // whose interface is the only one
			for i := range want {
				want[i] = string(bytes.Replace([]byte(want[i]), []byte("server"), []byte("client"), 1))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%q, want\n%q", end, got, want)
		}
	}
}

// What the timeline tells stands at the packet that it brought about, or that brought it about.
func TestCallsAndStatesAreComments(t *testing.T) {
	var file bytes.Buffer
	p := newTestPcap(t, &file, timeline.Client)
	begin := time.Now().Add(time.Hour) // it is never long ago: all of it is put in order at the end
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	tell := func(side timeline.Side, ms int, b timeline.Body) {
		p.Event(timeline.Event{Side: side, Time: at(ms), Body: b})
	}
	call := func(side timeline.Side, name string, from, to int) {
		tell(side, to, &timeline.Call{Call: name, Sys: &sockapi.Call{Name: name, FD: 8, How: unix.SHUT_WR, Entered: at(from), Returned: at(to)}})
	}
	state := func(side timeline.Side, ms int, from, to tcpinfo.State) {
		local, remote := addrPort("198.51.100.1:40000"), addrPort("198.51.100.2:7007")
		if side == timeline.Server {
			local, remote = remote, local
		}
		tell(side, ms, &timeline.State{Local: local, Remote: remote, From: from, To: to})
	}
	segments := func(id uint64, from lab.Side, ms int) {
		packet := onWire(t, id, from, lab.Delivered, segment.Segment{Seq: uint32(id), Flags: segment.ACK})
		packet.Seen, packet.At = at(ms), at(ms)
		p.Write(packet)
	}
	call(timeline.Client, "socket", 0, 1)
	segments(1, lab.Client, 10) // the SYN
	segments(2, lab.Server, 12)
	call(timeline.Client, "connect", 9, 13)
	state(timeline.Client, 14, tcpinfo.Closed, tcpinfo.Established)
	state(timeline.Client, 15, tcpinfo.Established, tcpinfo.Established) // its queues are no comment
	tell(timeline.Server, 16, &timeline.Note{Text: "nor is this"})
	segments(3, lab.Server, 30)               // which the client has nothing to do with
	call(timeline.Client, "shutdown", 29, 32) // and sends this
	segments(4, lab.Client, 31)
	state(timeline.Client, 33, tcpinfo.Established, tcpinfo.FinWait1)
	state(timeline.Server, 34, tcpinfo.Established, tcpinfo.CloseWait)
	call(timeline.Server, "read", 12, 35)
	tell(timeline.Client, 40, &timeline.Enter{Call: "write"}) // the two rows of a call between which something came
	segments(5, lab.Client, 41)
	segments(6, lab.Server, 60)
	call(timeline.Client, "write", 40, 61)
	call(timeline.Server, "close", 80, 81) // sends nothing that came
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"10ms client 1 client: socket() = 0 client: connect(8)",
		"12ms client 2 client: connect() = 0 client: ESTABLISHED",
		"30ms client 3",
		"31ms client 4 client: shutdown() = 0 client: FIN-WAIT-1 server: CLOSE-WAIT server: read() = 0",
		"41ms client 5 client: write()",
		"60ms client 6 client: write() = 0 server: close() = 0 (21 ms later)",
	}
	if got := captured(t, file.Bytes(), begin); !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

// Of several connections a call stands at a packet of its own.
func TestACallIsOfItsConnection(t *testing.T) {
	var file bytes.Buffer
	p := newTestPcap(t, &file, timeline.Wire)
	begin := time.Now().Add(time.Hour)
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	server := addrPort("198.51.100.2:7007")
	clients := []netip.AddrPort{addrPort("198.51.100.1:40000"), addrPort("198.51.100.1:40001")}
	segmentOf := func(client, ms int, fromServer bool) {
		s := segment.Segment{Src: clients[client], Dst: server, Flags: segment.ACK}
		if fromServer {
			s.Src, s.Dst = s.Dst, s.Src
		}
		side := timeline.Client
		if fromServer {
			side = timeline.Server
		}
		p.Captured(capture.Packet{At: at(ms), Data: bytesOf(s)}, s, side)
	}
	call := func(socket int, name string, from, to int) {
		p.Event(timeline.Event{Side: timeline.Server, Time: at(to), Body: &timeline.Call{Call: name, Socket: socket,
			Sys: &sockapi.Call{Name: name, FD: socket, Entered: at(from), Returned: at(to)}}})
	}
	for i, c := range clients {
		p.Event(timeline.Event{Side: timeline.Server, Time: at(0), Body: &timeline.State{Local: server, Remote: c, Socket: i + 1, To: tcpinfo.Established, From: tcpinfo.Established}})
	}
	segmentOf(0, 10, false)
	segmentOf(1, 11, false)
	call(1, "read", 12, 13)
	call(2, "read", 13, 14)
	segmentOf(1, 21, true)
	segmentOf(0, 22, true)
	call(1, "write", 20, 23)
	call(2, "write", 20, 24)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{"10ms client 0 server: read() = 0", "11ms client 0 server: read() = 0", "21ms client 0 server: write() = 0", "22ms client 0 server: write() = 0"}
	if got := captured(t, file.Bytes(), begin); !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

// What was said where no packet was is not lost: it stands with the capture's statistics.
func TestWordsWithoutAPacket(t *testing.T) {
	var file bytes.Buffer
	p := newTestPcap(t, &file, timeline.Wire)
	p.Event(timeline.Event{Side: timeline.Server, Time: time.Now(), Body: &timeline.State{Local: addrPort("127.0.0.1:7"), From: tcpinfo.Closed, To: tcpinfo.Listen}})
	p.Missing(3, time.Now())
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"server 127.0.0.1:7: LISTEN", "3 segments are missing"} {
		if !bytes.Contains(file.Bytes(), []byte(want)) {
			t.Errorf("no %q in %q", want, file.Bytes())
		}
	}
}

// What has waited long enough is in the file while the capture goes on: somebody looks on.
func TestACaptureIsWrittenAsItComes(t *testing.T) {
	r, w := io.Pipe()
	var p *Pcap
	begun := make(chan bool)
	go func() {
		p = newTestPcap(t, w, timeline.Client)
		close(begun)
		p.Write(onWire(t, 1, lab.Client, lab.Delivered, segment.Segment{Seq: 1, Flags: segment.SYN}))
	}()
	for {
		block := make([]byte, 8)
		if _, err := io.ReadFull(r, block); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, r, int64(binary.LittleEndian.Uint32(block[4:]))-8); err != nil {
			t.Fatal(err)
		}
		if binary.LittleEndian.Uint32(block) == 6 { // an enhanced packet
			break
		}
	}
	r.Close()
	<-begun
	if err := p.Close(); err == nil {
		t.Error("nobody reads, and that is no error")
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
