package watch

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

func TestFollowTuple(t *testing.T) {
	t.Parallel()
	bothFamilies(t, func(t *testing.T, addr netip.AddrPort) {
		w, r := newWatcher(t)
		p := newPairAt(t, addr)
		peer, err := w.FollowAddrs(p.listener.local(), p.client.local(), "peer")
		if err != nil {
			t.Fatal(err)
		}
		if s := peer.Last(); s.Source != SockDiag || s.State != tcpinfo.Established || s.Info == nil || peer.Cookie() != p.server.cookie() {
			t.Errorf("by its addresses: %+v", s)
		}
		if again, err := w.FollowAddrs(p.listener.local(), p.client.local(), nil); again != peer || err != nil || again.Tag() != "peer" {
			t.Errorf("again: %v, %v", again, err)
		}
		if again := follow(t, w, p.server, nil); again != peer {
			t.Error("its descriptor is another watch")
		}
		none := netip.AddrPortFrom(addr.Addr(), 1)
		if _, err := w.FollowAddrs(none, none, nil); !errors.Is(err, tcpinfo.ErrNotFound) || !errors.Is(err, unix.ENOENT) {
			t.Errorf("following nobody: %v", err)
		}
		p.client.close()
		p.server.close()
		lookUntil(t, w, peer, tcpinfo.Closed)
		r.wantStates(peer, "ESTABLISHED [CLOSE-WAIT] [LAST-ACK] gone")
	})
}

// turning is a socket of which a getsockopt(2) fails: it turns into another file.
type turning struct {
	socket, other *fdSocket
	calls, after  int
}

func (c *turning) Control(f func(fd uintptr)) error {
	if c.calls++; c.calls > c.after {
		return c.other.Control(f)
	}
	return c.socket.Control(f)
}

// What TCP_INFO says is told, however late it fails, and not that the descriptor was closed.
func TestFollowFailsLater(t *testing.T) {
	t.Parallel()
	file, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	null := ownSocket(t, file, "open", err)
	d, err := tcpinfo.Dial()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	failed := 0
	for after := range 8 {
		w := New(d, nil)
		c := &turning{socket: newSocket(t, loopback4.Addr()), other: null, after: after}
		if _, err := w.Follow(c, nil); err != nil {
			if failed++; !errors.Is(err, unix.ENOTSOCK) {
				t.Errorf("after %d calls: %v", after, err)
			}
		}
	}
	if failed < 4 {
		t.Errorf("it failed %d times", failed)
	}
}

func TestFollowErrors(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	s := newSocket(t, loopback4.Addr())
	s.close()
	if _, err := w.Follow(s, nil); err == nil {
		t.Error("followed a closed descriptor")
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	udp := ownSocket(t, fd, "socket", err)
	if _, err := w.Follow(udp, nil); !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, unix.ENOPROTOOPT) {
		t.Errorf("following UDP: %v", err)
	}
	file, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	null := ownSocket(t, file, "open", err)
	if _, err := w.Follow(null, nil); !errors.Is(err, unix.ENOTSOCK) {
		t.Errorf("following /dev/null: %v", err)
	}
	if got := r.changes(); len(got) != 0 || len(w.sockets) != 0 {
		t.Errorf("reported %v", got)
	}
}

// TestWatchRunEnds: no goroutine stays, and nothing is reported any more.
func TestWatchRunEnds(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx, 0) }()
	p := newPair(t)
	client := follow(t, w, p.client, "client")
	cancel()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("Run goes on")
	}
	p.client.close()
	r.wantStates(client, "ESTABLISHED")
}
