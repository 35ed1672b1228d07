package watch

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"

	"socklife/tcpinfo"
)

// TestWatchRandom does calls at random, on both ends of several connections and by several watchers, with a Look after
// some of them. The recorder checks what holds of every report: above all that each change begins where the one before
// ended.
func TestWatchRandom(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			g := newGame(t, seed)
			for range 300 {
				g.move()
			}
			g.w.Sample()
			for _, s := range g.sockets {
				s.close()
			}
			lookFor(t, g.w, g.ended, func() string { return fmt.Sprintf("not ended: %v", g.r.changes()) })
		})
	}
}

// game is a set of sockets and what can be done to them.
type game struct {
	t         *testing.T
	w         *Watcher
	r         *recorder
	rand      *rand.Rand
	listener  *fdSocket
	sockets   []*fdSocket
	connected map[*fdSocket]bool
}

func newGame(t *testing.T, seed uint64) *game {
	w, r := newWatcher(t)
	g := &game{t: t, w: w, r: r, rand: rand.New(rand.NewPCG(seed, 2)), connected: map[*fdSocket]bool{}}
	g.listener = listen(t, loopback4, 4)
	w.FollowChildren(follow(t, w, g.listener, "listener"), "child")
	if seed%2 == 0 {
		run(t, w)
	}
	return g
}

func (g *game) move() {
	switch s := g.pick(); g.rand.IntN(12) {
	case 0:
		if len(g.sockets) < 12 {
			g.open()
		}
	case 1, 2, 3:
		if s != nil && !g.connected[s] {
			g.connect(s)
		}
	case 4:
		if s != nil {
			_ = unix.Shutdown(s.fd, g.rand.IntN(3))
		}
	case 5:
		if s != nil {
			_ = unix.Send(s.fd, make([]byte, 1+g.rand.IntN(3000)), unix.MSG_DONTWAIT)
		}
	case 6:
		if s != nil {
			_, _, _ = unix.Recvfrom(s.fd, make([]byte, 1000), unix.MSG_DONTWAIT)
		}
	case 7:
		if s != nil {
			g.close(s)
		}
	case 8:
		if s != nil && g.connected[s] && g.rand.IntN(3) == 0 {
			s.disconnect()
			g.connected[s] = false
		}
	default:
		g.w.Sample()
	}
}

// pick picks an open socket; nil if there is none.
func (g *game) pick() *fdSocket {
	if len(g.sockets) == 0 {
		return nil
	}
	return g.sockets[g.rand.IntN(len(g.sockets))]
}

func (g *game) open() {
	s := newSocket(g.t, loopback4.Addr())
	follow(g.t, g.w, s, "client")
	g.sockets = append(g.sockets, s)
}

func (g *game) connect(s *fdSocket) {
	if unix.Connect(s.fd, sockaddr(g.listener.local())) != nil {
		return // it is shut down, or still in its last connection
	}
	g.connected[s] = true
	g.sockets = append(g.sockets, g.listener.accept())
	if g.rand.IntN(2) == 0 {
		g.w.Sample()
	}
	accepted := g.sockets[len(g.sockets)-1]
	g.connected[accepted] = true
	if g.rand.IntN(4) > 0 {
		follow(g.t, g.w, accepted, "server")
	}
}

func (g *game) close(s *fdSocket) {
	if g.rand.IntN(2) == 0 {
		s.lingerZero()
	}
	s.close()
	for i := range g.sockets {
		if g.sockets[i] == s {
			g.sockets = append(g.sockets[:i], g.sockets[i+1:]...)
			return
		}
	}
}

// ended says whether every watch but the listener's is gone or on its way: nothing is left in a state that a closed
// descriptor cannot be in.
func (g *game) ended() bool {
	last := map[*Socket]tcpinfo.State{}
	for _, c := range g.r.changes() {
		last[c.Socket] = c.To
	}
	for _, state := range last {
		switch state {
		case tcpinfo.Closed, tcpinfo.TimeWait, tcpinfo.FinWait2, tcpinfo.Listen:
		default:
			return false
		}
	}
	return true
}
