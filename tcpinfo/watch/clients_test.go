package watch

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// dumps is an asker that counts the dumps.
type dumps struct {
	asker
	n int
}

func (d *dumps) Dump(f tcpinfo.Filter) ([]tcpinfo.Socket, error) {
	d.n++
	return d.asker.Dump(f)
}

// What a listener has from clients that are followed, too, is found without a dump at each look; there is one when the
// last is old, and when the accept queue has one from somebody else.
func TestClientsThatAreFollowedCostNoDump(t *testing.T) {
	t.Parallel()
	bothFamilies(t, func(t *testing.T, addr netip.AddrPort) {
		w, r := newWatcher(t)
		count := &dumps{asker: w.diag}
		w.diag = count
		l := listen(t, addr, 5)
		listener := follow(t, w, l, "listener")
		w.FollowChildren(listener, "child")
		client := connect(t, l.local())
		follow(t, w, client, "client")
		lookUntilQueues(t, w, listener, 1, 5, 0)
		child := r.changes()[len(r.changes())-1].Socket
		for _, c := range r.changes() {
			if c.Socket.Tag() == "child" {
				child = c.Socket
			}
		}
		if child.Tag() != "child" || child.Last().State != tcpinfo.Established {
			t.Fatalf("no child: %v", r.changes())
		}

		begin, looks := time.Now(), 0
		for count.n = 0; time.Since(begin) < 100*time.Millisecond || looks < 20; looks++ {
			w.Sample()
		}
		if most := int(time.Since(begin)/strangersAfter) + 1; count.n > most || count.n >= looks {
			t.Errorf("%d dumps in %d looks, want %d at most", count.n, looks, most)
		}

		connect(t, l.local()) // nobody follows this one
		w.Sample()
		if got := queueOf(listener); got != [3]int{2, 5, 0} {
			t.Errorf("with another's client: %v", got)
		}
		strangers := 0
		for _, c := range r.changes() {
			if c.First && c.Socket.Tag() == "child" && c.Socket != child {
				strangers++
			}
		}
		if strangers != 1 {
			t.Errorf("%d children of others: %v", strangers, r.changes())
		}
	})
}

// A half-open entry is found by its client, and by a dump where that is not followed.
func TestHalfOpenOfAClientThatIsFollowed(t *testing.T) {
	t.Parallel()
	for _, followed := range []bool{true, false} {
		w, r := newWatcher(t)
		l := listen(t, loopback4, 5)
		l.setInt(unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 30)
		listener := follow(t, w, l, "listener")
		w.FollowChildren(listener, "child")
		if client := connect(t, l.local()); followed {
			follow(t, w, client, "client")
			w.Sample()
			if got := queueOf(listener); got != [3]int{0, 5, 1} {
				t.Errorf("at the first look: %v", got)
			}
		}
		lookUntilQueues(t, w, listener, 0, 5, 1)
		if child := r.changes()[len(r.changes())-1].Socket; child.Tag() != "child" || child.Last().State != tcpinfo.SynReceived {
			t.Errorf("followed %v: the child is %v", followed, r.changes())
		}
	}
}
