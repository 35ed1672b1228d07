package tcpinfo

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func subscribe(t *testing.T, c *Conn) *Destroyed {
	t.Helper()
	d, err := c.Subscribe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// ended waits for the end of the socket with that cookie; others come to their end meanwhile.
func ended(t *testing.T, d *Destroyed, cookie uint64) Socket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		s, err := d.Recv(ctx)
		if err != nil && !errors.Is(err, ErrEventsLost) {
			t.Fatalf("waiting for the end of the socket %d: %v", cookie, err)
		}
		if s.Cookie == cookie {
			return s
		}
	}
}

func TestDestroyed(t *testing.T) {
	t.Parallel()
	for _, addr := range []netip.AddrPort{loopback4, loopback6} {
		c := dial(t)
		d := subscribe(t, c)
		p := newPairAt(t, addr)
		client, server := p.client.cookie(), p.server.cookie()
		local, remote := p.client.local(), p.listener.local()
		p.client.write("hello")
		if got := p.server.read(); got != "hello" {
			t.Fatalf("read %q", got)
		}
		p.client.close()
		p.server.waitState(CloseWait)
		p.server.close()

		s := ended(t, d, client)
		if s.State != Closed || s.Local != local || s.Remote != remote || s.Protocol == nil || *s.Protocol != unix.IPPROTO_TCP {
			t.Errorf("the client's end: %+v", s)
		}
		if s.Info == nil || s.Info.BytesSent != 5 || s.Info.DataSegsOut != 1 {
			t.Errorf("the client sent 5 bytes; its last TCP_INFO: %+v", s.Info)
		}
		// What is left of it is the small entry.
		if left, err := c.Lookup(local, remote, client); err != nil || left.State != TimeWait && left.State != FinWait2 {
			t.Errorf("after the end: %v, %v", left.State, err)
		}
		s = ended(t, d, server)
		if s.State != Closed || s.Info == nil || s.Info.BytesReceived != 6 {
			t.Errorf("the server received 5 bytes and a FIN; at its end: %v, %+v", s.State, s.Info)
		}
		if _, err := c.Lookup(remote, local, server); !errors.Is(err, ErrNotFound) {
			t.Errorf("after the end of the passive closer: %v", err)
		}
	}
}

func TestDestroyedEndsWaiting(t *testing.T) {
	enterNamespace(t) // nothing else comes to its end in here
	d := subscribe(t, dial(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Recv(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if _, err := d.Recv(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled meanwhile: %v", err)
		}
	}
	ctx, cancel = context.WithTimeout(t.Context(), 1)
	defer cancel()
	if _, err := d.Recv(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("out of time: %v", err)
	}
	p := newPair(t)
	cookie := p.client.cookie()
	p.client.lingerZero()
	p.client.close()
	if s := ended(t, d, cookie); s.State != Closed {
		t.Errorf("after cancellations, an event: %v", s.State)
	}
	failed := make(chan error)
	go func() {
		for {
			if _, err := d.Recv(context.Background()); err != nil {
				failed <- err
				return
			}
		}
	}()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed meanwhile: %v", err)
	}
	if _, err := d.Recv(context.Background()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed before: %v", err)
	}
}

// Events that do not fit the buffer are lost, which is said once; then the stream goes on.
func TestDestroyedLosesEvents(t *testing.T) {
	enterNamespace(t)
	d := subscribe(t, dial(t))
	err := d.raw.Control(func(fd uintptr) {
		if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		newSocket(t, loopback4.Addr()).close()
		return netlinkDrops(t, d) > 0
	}, func() { t.Fatal("the kernel dropped nothing") })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for err = nil; err == nil; {
		_, err = d.Recv(ctx)
	}
	if !errors.Is(err, ErrEventsLost) || !errors.Is(err, unix.ENOBUFS) {
		t.Fatalf("%v, want %v", err, ErrEventsLost)
	}
	// The next that is not lost is delivered.
	last := map[uint64]bool{}
	for {
		s := newSocket(t, loopback4.Addr())
		last[s.cookie()] = true
		s.close()
		got, err := d.Recv(ctx)
		if err != nil && !errors.Is(err, ErrEventsLost) {
			t.Fatalf("after the loss: %v", err)
		}
		if last[got.Cookie] {
			return
		}
	}
}

// netlinkDrops is how many messages the kernel could not give to the stream's socket.
func netlinkDrops(t *testing.T, d *Destroyed) (drops int) {
	t.Helper()
	var st unix.Stat_t
	if err := d.raw.Control(func(fd uintptr) {
		if err := unix.Fstat(int(fd), &st); err != nil {
			t.Fatal(err)
		}
	}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("/proc/thread-self/net/netlink")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		w := strings.Fields(line)
		if len(w) == 10 && w[9] == strconv.FormatUint(st.Ino, 10) {
			drops, err = strconv.Atoi(w[8])
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return drops
}

func TestDestroyedReadsHostileDatagrams(t *testing.T) {
	event := msg(sockDiagByFamily, 0, 0, 0, body(unix.AF_INET, 7, 0, 0))
	d := &Destroyed{kernel: release{6, 18}}
	d.rest = append(msg(unix.NLMSG_NOOP, 0, 0, 0, nil), append(event, event...)...)
	for range 2 {
		if s, ok, err := d.next(); err != nil || !ok || s.State != Closed {
			t.Errorf("%v, %v, %v", s.State, ok, err)
		}
	}
	if _, ok, err := d.next(); ok || err != nil {
		t.Errorf("after the last: %v, %v", ok, err)
	}
	for _, b := range [][]byte{event[:40], msg(sockDiagByFamily, 0, 0, 0, []byte{1, 2})} {
		d.rest = b
		if _, ok, err := d.next(); ok || !errors.Is(err, errMalformed) {
			t.Errorf("%d bytes: %v, %v", len(b), ok, err)
		}
		if _, ok, err := d.next(); ok || err != nil {
			t.Errorf("after the malformed: %v, %v", ok, err)
		}
	}
}
