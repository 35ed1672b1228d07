package watch

import (
	"net/netip"
	"testing"

	"socklife/tcpinfo"
)

// TestWatchAnotherCookie has no kernel in it: a connection whose cookie is not that of its half-open entry is found by
// its addresses, whoever comes upon it first; a connection between others is not taken for it.
func TestWatchAnotherCookie(t *testing.T) {
	t.Parallel()
	local, remote := netip.MustParseAddrPort("192.0.2.1:7007"), netip.MustParseAddrPort("198.51.100.2:54321")
	entry := tcpinfo.Socket{State: tcpinfo.SynReceived, Local: local, Remote: remote, Cookie: 7}
	connection := tcpinfo.Socket{State: tcpinfo.Established, Local: local, Remote: remote, Cookie: 8, Info: &tcpinfo.Info{State: tcpinfo.Established}}
	stranger := connection
	stranger.Remote = netip.MustParseAddrPort("198.51.100.2:54322")
	for name, c := range map[string]struct {
		dump   tcpinfo.Socket
		first  func(w *Watcher) // comes upon it before the entry is looked for again
		want   string
		cookie uint64
	}{
		"looked for":    {dump: connection, want: "SYN-RECEIVED ESTABLISHED", cookie: 8},
		"as a child":    {dump: connection, first: func(w *Watcher) { w.adopt([]tcpinfo.Socket{connection}, "child") }, want: "SYN-RECEIVED ESTABLISHED", cookie: 8},
		"between other": {dump: stranger, want: "SYN-RECEIVED gone", cookie: 7},
	} {
		r := &recorder{t: t}
		w := New(nil, r.report)
		w.diag = &tearing{[]tcpinfo.Socket{{}, {}}, []tcpinfo.Socket{c.dump, c.dump}}
		w.adopt([]tcpinfo.Socket{entry}, "child")
		sk := w.byCookie[7]
		if c.first != nil {
			c.first(w)
		}
		w.Sample()
		r.wantStates(sk, c.want)
		if sk.Cookie() != c.cookie || len(r.changes()) != 2 {
			t.Errorf("%s: cookie %d, want %d; %v", name, sk.Cookie(), c.cookie, r.changes())
		}
	}
}

// TestWatchNoChildIsLost: of many connections that come while children are looked for, some of which are met while the
// kernel makes them of their entries, none is said to be gone or to be two as long as it is there.
func TestWatchNoChildIsLost(t *testing.T) {
	t.Parallel()
	w, r := newWatcher(t)
	l := listen(t, loopback4, 8)
	listener := follow(t, w, l, "listener")
	w.FollowChildren(listener, "child")
	type ends struct{ client, server *fdSocket }
	made, seen := make(chan ends), make(chan bool)
	go func() {
		defer close(made)
		for range 1000 {
			c := newSocket(t, loopback4.Addr())
			c.lingerZero() // no TIME-WAIT: ports are not used up
			c.connect(l.local())
			made <- ends{c, l.accept()}
			<-seen
		}
	}()
	for more := true; more; {
		select {
		case e, ok := <-made:
			if more = ok; !more {
				break
			}
			server := follow(t, w, e.server, nil)
			for _, c := range r.ofPair(server.Local(), server.Remote()) {
				if c.Socket != server || c.Now.Gone {
					t.Fatalf("one connection: %v", r.ofPair(server.Local(), server.Remote()))
				}
			}
			e.client.close()
			e.server.close()
			w.Sample()
			r.all = r.of(listener) // the others are gone
			r.all = r.all[len(r.all)-1:]
			seen <- true
		default:
			w.Sample()
		}
	}
}

// ofPair is what was reported of the sockets between two addresses.
func (r *recorder) ofPair(local, remote netip.AddrPort) (changes []Change) {
	for _, c := range r.changes() {
		if c.Socket.Local() == local && c.Socket.Remote() == remote {
			changes = append(changes, c)
		}
	}
	return changes
}
