package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/internal/segment"
)

// patience bounds every wait of the tests. It is long because it only matters when something is broken.
const patience = 20 * time.Second

// fakeHost stands where a host's TUN device would: a socket that keeps the boundaries of packets. With two of them a
// wire runs without privilege and without a kernel's TCP having its own ideas.
type fakeHost struct {
	t    *testing.T
	side Side
	fd   int
}

// fakeWire is a wire between two fake hosts, and a record of what it reported.
func fakeWire(t *testing.T, c Config) (w *Wire, client, server *fakeHost, seen *recorder) {
	t.Helper()
	seen = &recorder{}
	c.Report = seen.report
	client, a := newFakeHost(t, Client)
	server, b := newFakeHost(t, Server)
	w, err := newWire(c, a, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.close()
		a.close()
		b.close()
	})
	return w, client, server, seen
}

func newFakeHost(t *testing.T, side Side) (*fakeHost, *tun) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(pair[1]) })
	tv := unix.NsecToTimeval(int64(patience))
	if err := unix.SetsockoptTimeval(pair[1], unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(pair[0], true); err != nil {
		t.Fatal(err)
	}
	return &fakeHost{t: t, side: side, fd: pair[1]}, &tun{fd: pair[0]}
}

// raw is a segment of the connection between port 40000 of the client and port 7 of the server.
func raw(from Side, flags segment.Flags, seq uint32, data string) []byte {
	src, dst := netip.MustParseAddrPort("198.51.100.1:40000"), netip.MustParseAddrPort("198.51.100.2:7")
	if from == Server {
		src, dst = dst, src
	}
	b := []byte{4<<4 | 5, 0, 0, byte(40 + len(data)), 0, 0, 0, 0, 64, unix.IPPROTO_TCP, 0, 0}
	b = append(append(b, src.Addr().AsSlice()...), dst.Addr().AsSlice()...)
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, src.Port()), dst.Port())
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, seq), 0)
	b = append(b, 5<<4, byte(flags), 0, 0, 0, 0, 0, 0) // no window; the checksums are not looked at
	return append(b, data...)
}

// send puts data on the wire, a segment for each; the first one's sequence number is seq.
func (h *fakeHost) send(seq uint32, data ...string) {
	h.t.Helper()
	for _, d := range data {
		h.write(raw(h.side, segment.ACK, seq, d))
		seq += uint32(len(d))
	}
}

func (h *fakeHost) write(b []byte) {
	h.t.Helper()
	if _, err := unix.Write(h.fd, b); err != nil {
		h.t.Fatal(err)
	}
}

// want receives segments with this data, in this order.
func (h *fakeHost) want(data ...string) {
	h.t.Helper()
	buf := make([]byte, maxPacket)
	for i, d := range data {
		n, err := unix.Read(h.fd, buf)
		for err == unix.EINTR {
			n, err = unix.Read(h.fd, buf)
		}
		if err != nil {
			h.t.Fatalf("waiting for %q after %q: %v", d, data[:i], err)
		}
		s, err := segment.Decode(buf[:n])
		if err != nil {
			h.t.Fatal(err)
		}
		if string(s.Payload) != d {
			h.t.Fatalf("got %q, want %q after %q", s.Payload, d, data[:i])
		}
	}
}

// recorder keeps what a wire reports.
type recorder struct {
	mu      sync.Mutex
	packets []Packet
}

func (r *recorder) report(p Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.packets = append(r.packets, p.Clone())
}

func (r *recorder) all() []Packet {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Packet(nil), r.packets...)
}

// count is how many packets of a side had a fate.
func (r *recorder) count(from Side, f Fate) (n int) {
	for _, p := range r.all() {
		if p.From == from && p.Fate == f {
			n++
		}
	}
	return n
}

// story is what was reported, in a line each: `1 client "a" delivered`, with what is special about it behind it.
func (r *recorder) story() string {
	var b strings.Builder
	for _, p := range r.all() {
		what := fmt.Sprintf("%q", p.Segment.Payload)
		if p.ICMP != nil {
			what = p.ICMP.String()
		} else if len(p.Segment.Payload) == 0 {
			what = p.Segment.Flags.String()
		}
		fmt.Fprintf(&b, "%d %s %s %s", p.ID, p.From, what, p.Fate)
		if p.CopyOf > 0 {
			fmt.Fprintf(&b, " of %d", p.CopyOf)
		}
		if p.By != "" {
			fmt.Fprintf(&b, " by %s", p.By)
		}
		if p.Again {
			b.WriteString(" again")
		}
		if p.Late {
			b.WriteString(" late")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (r *recorder) wantStory(t *testing.T, want string) {
	t.Helper()
	want = strings.TrimLeft(strings.ReplaceAll(want, "\t", ""), "\n")
	if got := r.story(); got != want {
		t.Errorf("reported\n%swant\n%s", got, want)
	}
}

// await waits until a condition holds.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(patience)
	defer late.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late.C:
			t.Fatalf("%v have passed without this: %s", patience, what)
		}
	}
}

// awaitHeld waits until n packets are held and returns them.
func awaitHeld(t testing.TB, w *Wire, n int) []Packet {
	t.Helper()
	await(t, fmt.Sprintf("%d packets are held", n), func() bool { return len(w.Held()) >= n })
	held := w.Held()
	if len(held) != n {
		t.Fatalf("%d packets are held, want %d", len(held), n)
	}
	return held
}

func (h *fakeHost) read(b []byte) int {
	h.t.Helper()
	n, err := unix.Read(h.fd, b)
	for err == unix.EINTR {
		n, err = unix.Read(h.fd, b)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// shut makes the wire's writes to this host fail.
func (h *fakeHost) shut() {
	h.t.Helper()
	if err := unix.Shutdown(h.fd, unix.SHUT_RD); err != nil {
		h.t.Fatal(err)
	}
}
