package watch

import (
	"testing"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// benchWatcher follows a listener and two connections with descriptors.
func benchWatcher(b *testing.B) (*Watcher, pair, *int) {
	d, err := tcpinfo.Dial()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { d.Close() })
	changes := new(int)
	w := New(d, func(Change) { *changes++ })
	p := newPair(b)
	for _, s := range []*fdSocket{p.listener, p.client, p.server} {
		follow(b, w, s, nil)
	}
	return w, p, changes
}

// BenchmarkLook is a Look at a listener and both ends of a connection in which nothing happens: three getsockopts, two
// exact lookups, and the dump for the SYN queue, which is most of it.
func BenchmarkLook(b *testing.B) {
	w, _, changes := benchWatcher(b)
	*changes = 0
	for b.Loop() {
		w.Sample()
	}
	if *changes != 0 {
		b.Errorf("%d changes", *changes)
	}
}

// BenchmarkLookChanged is the same with one change each time.
func BenchmarkLookChanged(b *testing.B) {
	w, p, changes := benchWatcher(b)
	*changes = 0
	on := 0
	for b.Loop() {
		on = 1 - on
		p.client.setInt(unix.SOL_SOCKET, unix.SO_KEEPALIVE, on)
		w.Sample()
	}
	if *changes < b.N {
		b.Errorf("%d changes in %d looks", *changes, b.N)
	}
}

// BenchmarkLookConnections is a Look without a listener.
func BenchmarkLookConnections(b *testing.B) {
	w, p, _ := benchWatcher(b)
	p.listener.close()
	w.Sample()
	for b.Loop() {
		w.Sample()
	}
}

// BenchmarkPoll is a poll of the three: three getsockopts.
func BenchmarkPoll(b *testing.B) {
	w, _, _ := benchWatcher(b)
	b.ReportAllocs()
	for b.Loop() {
		w.pass(poll)
	}
}

// BenchmarkPollTimeWait is a poll of a socket in TIME-WAIT without a descriptor: an exact lookup.
func BenchmarkPollTimeWait(b *testing.B) {
	w, p, _ := benchWatcher(b)
	p.listener.close()
	p.client.close()
	p.server.close()
	lookFor(b, w, func() bool { return len(w.sockets) == 1 && w.sockets[0].Last().State == tcpinfo.TimeWait }, func() string { return "no TIME-WAIT" })
	for b.Loop() {
		w.pass(poll)
	}
}

func BenchmarkReadCounters(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tcpinfo.ReadCounters(); err != nil {
			b.Fatal(err)
		}
	}
}
