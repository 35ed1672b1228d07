package observe

import (
	"net/netip"
	"testing"
	"time"

	"socklife/internal/timeline"
)

func TestWhoseAnAddressIs(t *testing.T) {
	var o Owners
	addr := netip.MustParseAddrPort
	o.Claim(addr("127.0.0.1:7007"), timeline.Server)
	o.Claim(addr("127.0.0.1:7007"), timeline.Client) // too late
	o.Claim(addr("127.0.0.1:40000"), timeline.Client)
	o.Claim(addr("[::]:8008"), timeline.Server)
	o.here = addresses{time.Now().Add(time.Hour), map[netip.Addr]bool{netip.MustParseAddr("192.0.2.7"): true, netip.MustParseAddr("fe80::2"): true}}
	for _, c := range []struct {
		local, remote string
		side          timeline.Side
		ours          bool
	}{
		{"127.0.0.1:7007", "0.0.0.0:0", timeline.Server, true},
		{"127.0.0.1:7007", "127.0.0.1:40000", timeline.Server, true},
		{"127.0.0.1:40000", "127.0.0.1:7007", timeline.Client, true},
		{"127.0.0.1:0", "127.0.0.1:7007", timeline.Client, true},
		{"[::ffff:127.0.0.1]:7007", "[::ffff:127.0.0.1]:50000", timeline.Server, true},
		{"192.0.2.7:8008", "192.0.2.9:50000", timeline.Server, true}, // it listens on all addresses
		{"[fe80::1%eth0]:50000", "[fe80::2%eth0]:8008", timeline.Client, true},
		{"192.0.2.9:8008", "192.0.2.7:8008", timeline.Client, true}, // and its client has the same port
		{"192.0.2.99:8008", "192.0.2.9:50000", "", false},           // of this host
		{"192.0.2.9:50000", "192.0.2.99:8008", "", false},
		{"127.0.0.2:7007", "127.0.0.1:50000", "", false}, // a stranger's, at the same port of another address
		{"127.0.0.1:50000", "127.0.0.2:7007", "", false},
	} {
		side, ours := o.Of(addr(c.local), addr(c.remote))
		if ours != c.ours || ours && side != c.side {
			t.Errorf("%s to %s: %s, %v", c.local, c.remote, side, ours)
		}
	}
}

// To a server come others, too: a client's connections are those that it has made, and nobody is asked whose one is at
// each of its segments.
func TestWhoseAConnectionIs(t *testing.T) {
	var o Owners
	addr := netip.MustParseAddrPort
	server, mine, other := addr("127.0.0.1:7007"), addr("127.0.0.1:40000"), addr("127.0.0.1:40001")
	o.Claim(server, timeline.Server)
	asked := 0
	o.mine = func(client, to netip.AddrPort) bool {
		asked++
		return client == mine && to == server
	}
	for range 3 {
		for _, c := range []struct {
			client netip.AddrPort
			ours   bool
		}{{mine, true}, {other, false}} {
			if side, ours := o.Of(c.client, server); ours != c.ours || ours && side != timeline.Client {
				t.Errorf("%v: %s, %v", c.client, side, ours)
			}
			if side, ours := o.Of(server, c.client); ours != c.ours || ours && side != timeline.Server {
				t.Errorf("the other end of %v: %s, %v", c.client, side, ours)
			}
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}
